/** A round of load with what it cost its target, read from outside. */
import { setTimeout as delay } from "node:timers/promises";
import type { Child } from "./children.ts";
import { descendantsOf, readProcesses } from "./cpu.ts";
import type { Target } from "./gateway-targets.ts";
import { type Round, runRound } from "./load.ts";
import { bodyBytes, chatBody, type Shape } from "./workload.ts";

type Counted = Pick<Target, "child" | "port" | "key" | "asks"> & { readonly name: string };

/** One round against one target, with the CPU time that it took until all that the requests had caused was done. */
export async function runAndCount(generator: Child, target: Counted, shape: Shape, load: Round["load"]) {
  const { model, tokens } = target.asks[shape];
  const stream = shape === "stream";
  const before = await useOfTree(target.child.pid);
  const result = await runRound(generator, {
    host: "127.0.0.1",
    port: target.port,
    path: "/v1/chat/completions",
    headers: target.key === undefined ? {} : { authorization: `Bearer ${target.key}` },
    body: chatBody({ model, tokens, stream, bytes: bodyBytes }),
    // Beside its tokens a stream has an event with the finish reason, and "[DONE]".
    eventsPerAnswer: stream ? tokens + 2 : 0,
    load,
  });
  if (result.failures > 0)
    throw new Error(
      `${target.name} failed ${result.failures} requests (${shape}), the first with: ${result.firstFailure}`,
    );
  const after = await untilQuiet(target.child.pid);
  return {
    ...result,
    cpuMs: after.cpuMs - before.cpuMs,
    /** Of its child processes: PostgreSQL, an engine's host. */
    childrenCpuMs: after.childrenCpuMs - before.childrenCpuMs,
    residentBytes: after.residentBytes,
  };
}

interface TreeUse {
  readonly cpuMs: number;
  readonly childrenCpuMs: number;
  readonly residentBytes: number;
}

async function useOfTree(pid: number): Promise<TreeUse> {
  const processes = await readProcesses();
  const own = processes.get(pid);
  if (own === undefined) throw new Error(`process ${pid} has ended`);
  const children = descendantsOf(pid, processes).map((child) => processes.get(child)?.cpuMs ?? 0);
  return {
    cpuMs: own.cpuMs,
    childrenCpuMs: children.reduce((sum, cpuMs) => sum + cpuMs, 0),
    residentBytes: own.residentBytes,
  };
}

/** Work that a target puts off (shipping records, closing books) is the requests' cost too: waits for it, up to 5 s. */
async function untilQuiet(pid: number): Promise<TreeUse> {
  let last = await useOfTree(pid);
  for (let waits = 0; waits < 25; waits += 1) {
    await delay(200);
    const next = await useOfTree(pid);
    const usedMs = next.cpuMs + next.childrenCpuMs - last.cpuMs - last.childrenCpuMs;
    // One clock tick in 200 ms is what an idle server's timers take.
    if (usedMs <= 10) return last;
    last = next;
  }
  return last;
}
