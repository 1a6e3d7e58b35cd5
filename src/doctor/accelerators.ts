import { z } from "zod";
import type { CommandResult } from "../catalog/index.ts";
import { type Accelerator, type Finding, gigabytes } from "./report.ts";
import type { DoctorWorld } from "./world.ts";

export interface AcceleratorCheck {
  readonly finding: Finding;
  readonly accelerators: readonly Accelerator[];
}

const timeoutMs = 20_000;
const outputBytes = 1024 * 1024;
const mebibyte = 1024 * 1024;

/** How a maker's own tool is asked, and how its answer is read. Asking changes nothing on the device. */
interface Tool {
  readonly kind: Accelerator["kind"];
  readonly name: string;
  readonly program: string;
  readonly arguments: readonly string[];
  readonly platforms: readonly string[];
  readonly whenMissing: string;
  readonly whenBroken: string;
  readonly parse: (output: string, world: DoctorWorld) => readonly Accelerator[];
}

const tools: readonly Tool[] = [
  {
    kind: "nvidia",
    name: "NVIDIA GPUs",
    program: "nvidia-smi",
    arguments: ["--query-gpu=index,name,memory.total,driver_version", "--format=csv,noheader,nounits"],
    platforms: ["linux", "win32"],
    whenMissing: "With an NVIDIA card: install its driver; in a container, the NVIDIA Container Toolkit as well.",
    whenBroken: "Install the driver that fits the kernel, or restart after an update of it.",
    parse: parseNvidia,
  },
  {
    kind: "amd",
    name: "AMD GPUs",
    program: "rocm-smi",
    arguments: ["--showproductname", "--showmeminfo", "vram", "--json"],
    platforms: ["linux"],
    whenMissing: "With an AMD card: install ROCm, or serve by Vulkan, or give a vLLM for ROCm by --upstream.",
    whenBroken: "See that the amdgpu driver is loaded and that this user is in the groups `render` and `video`.",
    parse: parseRocm,
  },
  {
    kind: "ascend",
    name: "Huawei Ascend NPUs",
    program: "npu-smi",
    arguments: ["info"],
    platforms: ["linux"],
    whenMissing: "With an Ascend card: install its driver and CANN, and give vLLM-Ascend by --upstream.",
    whenBroken: "See that the driver is loaded, and that no other container holds the device.",
    parse: parseAscend,
  },
  {
    kind: "metal",
    name: "Metal",
    program: "system_profiler",
    arguments: ["SPDisplaysDataType", "-json"],
    platforms: ["darwin"],
    whenMissing: "system_profiler is part of macOS; see that /usr/sbin is on the PATH.",
    whenBroken: "Run system_profiler SPDisplaysDataType by hand and see what it says.",
    parse: parseMetal,
  },
];

/** Asks every tool that this platform may have, side by side. */
export function checkAccelerators(world: DoctorWorld): Promise<readonly AcceleratorCheck[]> {
  const asked = tools.filter((tool) => tool.platforms.includes(world.platform));
  return Promise.all(asked.map((tool) => ask(tool, world)));
}

async function ask(tool: Tool, world: DoctorWorld): Promise<AcceleratorCheck> {
  const result = await world.runCommand({
    program: tool.program,
    arguments: tool.arguments,
    // Its words are read by a program.
    environment: { ...world.environment, LC_ALL: "C" },
    timeoutMs,
    outputBytes,
  });
  return judge(tool, result, world);
}

function judge(tool: Tool, result: CommandResult, world: DoctorWorld): AcceleratorCheck {
  const without = (status: Finding["status"], detail: string, next: string): AcceleratorCheck => ({
    finding: { name: tool.name, status, detail, next },
    accelerators: [],
  });
  if (result.outcome === "not_found") {
    return without("none", `none found (optional): no ${tool.program} on the PATH`, tool.whenMissing);
  }
  if (result.outcome === "failed") return without("problem", `${tool.program}: ${result.message}`, tool.whenBroken);
  const said = firstLine(result.errors) ?? firstLine(result.output) ?? "no output";
  if (result.code !== 0)
    return without("problem", `${tool.program} ended with ${result.code}: ${said}`, tool.whenBroken);
  const accelerators = tool.parse(result.output, world);
  if (accelerators.length === 0) return without("problem", `${tool.program} lists no device: ${said}`, tool.whenBroken);
  return { finding: { name: tool.name, status: "ok", detail: accelerators.map(describe).join("; ") }, accelerators };
}

function describe({ index, name, memoryBytes, driver }: Accelerator): string {
  const memory = memoryBytes === undefined ? "" : `, ${gigabytes(memoryBytes)}`;
  return `${index}: ${name}${memory}${driver === undefined ? "" : `, driver ${driver}`}`;
}

function firstLine(text: string): string | undefined {
  return text
    .split("\n")
    .map((line) => line.trim())
    .find((line) => line !== "")
    ?.slice(0, 200);
}

/** Memory is in MiB (nvidia-smi's manual, "--format=csv"); "[N/A]" where it is shared with the CPU. */
function parseNvidia(output: string): readonly Accelerator[] {
  return output.split("\n").flatMap((line) => {
    const match = /^(\d{1,4}), (.{1,200}), ([^,]{1,40}), ([^,]{1,40})$/.exec(line.trim());
    if (match === null) return [];
    const [, index = "", name = "", memory = "", driver = ""] = match;
    const memoryBytes = /^\d{1,9}$/.test(memory) ? Number(memory) * mebibyte : undefined;
    return [{ kind: "nvidia" as const, index: Number(index), name, memoryBytes, driver }];
  });
}

const rocmAnswer = z.record(z.string(), z.record(z.string(), z.unknown()));

/** JSON by card, behind whatever warnings it prints first; the names of its fields changed their capitals over time. */
function parseRocm(output: string): readonly Accelerator[] {
  const cards = rocmAnswer.safeParse(parseJson(output.slice(Math.max(0, output.indexOf("{")))));
  if (!cards.success) return [];
  return Object.entries(cards.data).flatMap(([card, fields]) => {
    const index = /^card(\d{1,4})$/.exec(card)?.[1];
    if (index === undefined) return [];
    const field = (name: string) => {
      const value = Object.entries(fields).find(([key]) => key.toLowerCase() === name)?.[1];
      return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
    };
    const memory = field("vram total memory (b)");
    return [
      {
        kind: "amd" as const,
        index: Number(index),
        name: field("card series") ?? field("device name") ?? "AMD GPU",
        memoryBytes: memory !== undefined && /^\d{1,15}$/.test(memory) ? Number(memory) : undefined,
        driver: undefined,
      },
    ];
  });
}

/**
 * A table of two rows a chip: "NPU Name | Health | ..." and "Chip Phy-ID | Bus-Id | ... Memory-Usage HBM-Usage". The
 * last pair of numbers in the second is the memory that models use, in MB.
 */
function parseAscend(output: string): readonly Accelerator[] {
  const rows = output.split("\n").map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const driver = /Version:\s*([0-9A-Za-z.]{1,40})/.exec(output)?.[1];
  const found: Accelerator[] = [];
  for (const [at, cells] of rows.entries()) {
    const [, bus = "", usage = ""] = cells;
    if (cells.length !== 3 || !/^[0-9A-Fa-fx]{4}:[0-9A-Fa-fx]{2}:/.test(bus)) continue;
    const [first = ""] = rows[at - 1] ?? [];
    const name = /^\d+\s+(\S.*)$/.exec(first)?.[1];
    if (name === undefined) continue;
    const memory = /(\d{1,9})\s*\/\s*(\d{1,9})$/.exec(usage)?.[2];
    found.push({
      kind: "ascend",
      index: found.length,
      name: name.startsWith("Ascend") ? name : `Ascend ${name}`,
      memoryBytes: memory === undefined ? undefined : Number(memory) * mebibyte,
      driver,
    });
  }
  return found;
}

const metalAnswer = z.object({ SPDisplaysDataType: z.array(z.record(z.string(), z.unknown())) });

/** A card with any field on its Metal family has Metal; Apple's own share the machine's memory. */
function parseMetal(output: string, world: DoctorWorld): readonly Accelerator[] {
  const answer = metalAnswer.safeParse(parseJson(output));
  if (!answer.success) return [];
  const cards = answer.data.SPDisplaysDataType.filter((card) =>
    Object.entries(card).some(([name, value]) => /metal|mtlgpufamily/.test(`${name} ${String(value)}`)),
  );
  return cards.map((card, index) => ({
    kind: "metal" as const,
    index,
    name: [card["sppci_model"], card["_name"]].find((name) => typeof name === "string")?.slice(0, 200) ?? "GPU",
    memoryBytes: world.architecture === "arm64" ? world.memory.totalBytes : undefined,
    driver: undefined,
  }));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The caller finds no device in it, and shows the first line.
    return undefined;
  }
}
