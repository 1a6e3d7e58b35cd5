/**
 * What the whole story costs in the gateway: Bailiwick with key, policy, budget, journal and receipt on, beside a bare
 * proxy in Node and vllm-router, all before the same backend, in short alternating rounds of the same run.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, start, startListening } from "./children.ts";
import { runAndCount } from "./counted.ts";
import { fdatasyncTimesMs } from "./fdatasync.ts";
import { type Measured, summarize } from "./gateway-aims.ts";
import { startTargets, type Target, targetNames } from "./gateway-targets.ts";
import type { OpenLoop, Round } from "./load.ts";
import type { Bench, BenchOptions } from "./report.ts";
import { distribution } from "./statistics.ts";
import { bodyBytes, type Shape } from "./workload.ts";

export const gatewayBench: Bench = { name: "gateway", targets: targetNames, run };

interface Plan {
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly durationMs: Readonly<Record<Shape, number>>;
  readonly fdatasyncMs: number;
}

const fullPlan: Plan = {
  rounds: 7,
  // Until the hot code of every target is compiled: a server runs for weeks.
  warmUpMs: 8000,
  durationMs: { request: 1500, stream: 2500, latency: 2500 },
  fdatasyncMs: 1000,
};
const quickPlan: Plan = {
  rounds: 1,
  warmUpMs: 300,
  durationMs: { request: 500, stream: 500, latency: 500 },
  fdatasyncMs: 200,
};

/** About what an intent and a settlement take together. */
const recordBytes = 2048;
const connections = 64;
const ratePerSecond = 500;

async function run(options: BenchOptions): Promise<ReturnType<typeof summarize>> {
  const plan = options.quick ? quickPlan : fullPlan;
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-bench-"));
  const children: Child[] = [];
  try {
    const backend = await startListening("./backend.ts");
    children.push(backend.child);
    const generator = start(process.execPath, [new URL("./load.ts", import.meta.url).pathname]);
    children.push(generator);
    const { targets, absent } = await startTargets({ backend, folder, ...options });
    children.push(...targets.map(({ child }) => child));
    const measured: Measured = { rounds: [], fdatasyncMs: [], absent };
    await warmUp(generator, targets, plan, options);
    for (let round = 0; round < plan.rounds; round += 1) await measure(round);
    return summarize(measured, { plan, bodyBytes, connections, ratePerSecond, recordBytes });

    async function measure(round: number): Promise<void> {
      for (const shape of ["request", "stream", "latency"] as const) {
        // Whoever comes first meets the machine as the others left it: each round begins with another target.
        for (const target of rotated(targets, round)) {
          if (!target.shapes.includes(shape)) continue;
          const load = loadOf(shape, plan.durationMs[shape], round);
          const one = await runAndCount(generator, target, shape, load);
          measured.rounds.push({ round, shape, target: target.name, ...one });
          options.progress(
            `round ${round + 1}/${plan.rounds} ${shape} ${target.name}: ${one.requests} requests, ${one.cpuMs} ms of CPU`,
          );
        }
      }
      measured.fdatasyncMs.push(distribution(fdatasyncTimesMs({ folder, recordBytes, durationMs: plan.fdatasyncMs })));
    }
  } finally {
    await Promise.all(children.toReversed().map((child) => child.stop(15_000)));
    await rm(folder, { recursive: true, force: true });
  }
}

/** Compiled code, open connections, a journal with its segments: what a server that has run for a while has. */
async function warmUp(
  generator: Child,
  targets: readonly Target[],
  plan: Plan,
  { progress }: BenchOptions,
): Promise<void> {
  for (const target of targets) {
    for (const shape of ["request", "stream"] as const) {
      if (!target.shapes.includes(shape)) continue;
      progress(`warming up ${target.name}, ${shape}`);
      await runAndCount(generator, target, shape, loadOf(shape, plan.warmUpMs, 0));
    }
  }
}

function loadOf(shape: Shape, durationMs: number, seed: number): Round["load"] {
  if (shape !== "latency") return { kind: "closed", connections, durationMs };
  return { kind: "open", pattern: "poisson", ratePerSecond, durationMs, seed } satisfies OpenLoop;
}

function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const at = by % Math.max(1, items.length);
  return [...items.slice(at), ...items.slice(0, at)];
}
