/** The gateway bench's targets: what stands before the backend, each started as its user would start it. */
import { join } from "node:path";
import { startBailiwick } from "./bailiwick.ts";
import { type Child, startListening } from "./children.ts";
import { startVllmRouter } from "./peers/vllm-router.ts";
import type { BenchOptions } from "./report.ts";
import type { Shape } from "./workload.ts";

export interface Target {
  readonly name: TargetName;
  readonly child: Child;
  readonly port: number;
  readonly key: string | undefined;
  readonly shapes: readonly Shape[];
  readonly asks: Readonly<Record<Shape, { readonly model: string; readonly tokens: number }>>;
}

export const targetNames = [
  /** The backend itself: what latency is added to. */
  "direct",
  "bare",
  /** Passing everything on, as the others do. */
  "vllm-router",
  /** As it starts without a policy named: it also asks the engine for each prompt's tokens first. */
  "vllm-router-default",
  "bailiwick",
  /** With the engine that ships for tests, over a Unix socket. */
  "bailiwick-fake",
] as const;
export type TargetName = (typeof targetNames)[number];

const allShapes: readonly Shape[] = ["request", "stream", "latency"];
export const asksBackend: Target["asks"] = {
  request: { model: "bench-instant", tokens: 16 },
  stream: { model: "bench-paced", tokens: 100 },
  latency: { model: "bench-prefill", tokens: 16 },
};
const asksFake: Target["asks"] = {
  request: { model: "fake", tokens: 16 },
  stream: { model: "fake", tokens: 16 },
  latency: { model: "fake", tokens: 16 },
};

export interface Targets {
  readonly targets: readonly Target[];
  /** Peers that this machine lacks, with the reason. */
  readonly absent: Readonly<Partial<Record<TargetName, string>>>;
}

export async function startTargets({
  backend,
  folder,
  only,
  progress,
}: BenchOptions & {
  readonly backend: { readonly child: Child; readonly port: number };
  readonly folder: string;
}): Promise<Targets> {
  const targets: Target[] = [];
  const absent: Partial<Record<TargetName, string>> = {};
  try {
    for (const name of targetNames) {
      if (only !== undefined && !only.includes(name)) {
        absent[name] = "left out by --only";
        continue;
      }
      progress(`starting ${name}`);
      const started = await starts[name]({ backend, folder });
      if ("absent" in started) absent[name] = started.absent;
      else targets.push(started);
    }
  } catch (error) {
    await Promise.all(targets.map(({ child }) => child.stop()));
    throw error;
  }
  return { targets, absent };
}

interface Place {
  readonly backend: { readonly child: Child; readonly port: number };
  readonly folder: string;
}

const starts: Readonly<Record<TargetName, (place: Place) => Promise<Target | { readonly absent: string }>>> = {
  direct: ({ backend }) =>
    Promise.resolve({ name: "direct", ...backend, key: undefined, shapes: ["latency"], asks: asksBackend }),
  async bare({ backend }) {
    const bare = await startListening("./bare-proxy.ts", [`http://127.0.0.1:${backend.port}`]);
    return { name: "bare", ...bare, key: undefined, shapes: allShapes, asks: asksBackend };
  },
  async "vllm-router"({ backend }) {
    const peer = await startVllmRouter(backend.port, "round_robin");
    if (peer.outcome === "absent") return { absent: peer.why };
    return { name: "vllm-router", ...peer, key: undefined, shapes: allShapes, asks: asksBackend };
  },
  async "vllm-router-default"({ backend }) {
    const peer = await startVllmRouter(backend.port, undefined);
    if (peer.outcome === "absent") return { absent: peer.why };
    return { name: "vllm-router-default", ...peer, key: undefined, shapes: ["request"], asks: asksBackend };
  },
  async bailiwick({ backend, folder }) {
    const settings = upstreamSettings(backend.port);
    const bailiwick = await startBailiwick({ folder: join(folder, "bailiwick"), settings });
    return { name: "bailiwick", ...bailiwick, shapes: allShapes, asks: asksBackend };
  },
  async "bailiwick-fake"({ folder }) {
    const flags = ["--engine", "fake"];
    const bailiwick = await startBailiwick({ folder: join(folder, "bailiwick-fake"), settings: fakeSettings, flags });
    return { name: "bailiwick-fake", ...bailiwick, shapes: ["request"], asks: asksFake };
  },
};

/** High limits, or the bench would measure refusals; everything else as it comes. */
export function upstreamSettings(backendPort: number): string {
  return [
    "models:",
    "  serve: []",
    "upstreams:",
    "  - name: bench",
    `    url: http://127.0.0.1:${backendPort}/v1`,
    "    site:",
    "      name: bench",
    "      jurisdiction: DE",
    "limits:",
    "  queuedPerModel: 2048",
    "",
  ].join("\n");
}

const fakeSettings = [
  "engine:",
  "  kind: fake",
  "  sequences: 64",
  "fake:",
  "  firstTokenMs: 0",
  "  tokenMs: 0",
  "  tokens: 16",
  "limits:",
  "  queuedPerModel: 2048",
  "",
].join("\n");
