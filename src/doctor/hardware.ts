import { dirname } from "node:path";
import { type Finding, gigabytes } from "./report.ts";
import type { DoctorWorld } from "./world.ts";

/** Instructions that llama.cpp's CPU builds use where they are there, as /proc/cpuinfo names them. */
const usefulFlags: ReadonlyMap<string, readonly string[]> = new Map([
  ["x64", ["avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16"]],
  ["arm64", ["asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2", "sme"]],
]);

export async function checkProcessor(world: DoctorWorld): Promise<Finding> {
  const { model, count, available } = world.processors;
  const limited = available < count ? `, ${available} of them for this process` : "";
  const flags = await processorFlags(world);
  const detail = `${model}, ${count} ${count === 1 ? "processor" : "processors"}${limited}`;
  const name = "CPU";
  if (flags === undefined) return { name, status: "ok", detail };
  const useful = (usefulFlags.get(world.architecture) ?? []).filter((flag) => flags.has(flag));
  const features = `${detail}; ${useful.length === 0 ? "no vector instructions that help" : useful.join(" ")}`;
  if (world.architecture === "x64" && !flags.has("avx2")) {
    const next = "Models run many times slower without AVX2; in a virtual machine, pass the host's CPU model on.";
    return { name, status: "problem", detail: features, next };
  }
  return { name, status: "ok", detail: features };
}

/** The first processor's "flags" (x86) or "Features" (Arm); undefined on systems without /proc/cpuinfo. */
async function processorFlags(world: DoctorWorld): Promise<ReadonlySet<string> | undefined> {
  const text = await world.readText("/proc/cpuinfo");
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(text ?? "")?.[1];
  return line === undefined ? undefined : new Set(line.trim().split(/\s+/));
}

const leastMemoryBytes = 1.5e9;

export function checkMemory(world: DoctorWorld): Finding {
  const { totalBytes, freeBytes, limitBytes } = world.memory;
  const limit = limitBytes === undefined ? "" : `; a control group allows ${gigabytes(limitBytes)}`;
  const detail = `${gigabytes(totalBytes)}, ${gigabytes(freeBytes)} free${limit}`;
  if ((limitBytes ?? totalBytes) >= leastMemoryBytes) return { name: "memory", status: "ok", detail };
  const next = `The default model with PostgreSQL needs about ${gigabytes(leastMemoryBytes)}; give it more.`;
  return { name: "memory", status: "problem", detail, next };
}

const leastDiskBytes = 2e9;

export async function checkDataFolder(world: DoctorWorld): Promise<Finding> {
  const name = "data folder";
  const nearest = await nearestFolder(world.dataFolder, world);
  if (nearest === undefined) {
    return {
      name,
      status: "problem",
      detail: `${world.dataFolder} cannot be reached`,
      next: "Name another by --data.",
    };
  }
  const { path, folder } = nearest;
  const made = path === world.dataFolder ? "" : ` (not made yet; ${path} is there)`;
  const detail = `${world.dataFolder}${made}, ${gigabytes(folder.freeBytes)} free`;
  if (!mayWrite(folder, world.userId)) {
    return { name, status: "problem", detail, next: `This user may not write to ${path}: name another by --data.` };
  }
  if (folder.freeBytes < leastDiskBytes) {
    return {
      name,
      status: "problem",
      detail,
      next: `Free at least ${gigabytes(leastDiskBytes)}, or name another by --data.`,
    };
  }
  return { name, status: "ok", detail };
}

/** The folder, or the nearest parent that is there. */
async function nearestFolder(start: string, world: DoctorWorld) {
  for (let path = start; ; path = dirname(path)) {
    const folder = await world.folder(path);
    if (folder !== undefined) return { path, folder };
    if (path === dirname(path)) return undefined;
  }
}

/** By owner and others; group rights count as others', so that doubt shows as a problem only where both lack them. */
function mayWrite(folder: { readonly mode: number; readonly ownerId: number }, userId: number | undefined): boolean {
  if (userId === undefined || userId === 0) return true;
  return folder.ownerId === userId ? (folder.mode & 0o200) !== 0 : (folder.mode & 0o022) !== 0;
}

export function checkUser(world: DoctorWorld): Finding {
  const name = "user";
  if (world.userId === undefined) return { name, status: "unknown", detail: `${world.platform} has no user numbers` };
  if (world.userId !== 0) return { name, status: "ok", detail: `number ${world.userId}` };
  const next =
    "PostgreSQL refuses root and runs as `postgres` or `nobody`; a user of its own for Bailiwick is the better choice.";
  return { name, status: "ok", detail: "root", next };
}
