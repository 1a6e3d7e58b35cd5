import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { Pool } from "undici";
import { type RequestId, systemClock } from "../base/index.ts";
import type { HostCounts } from "../host/index.ts";
import { type HostProcess, type HostState, startHost, type StartHostOptions } from "./index.ts";

interface Started {
  readonly host: HostProcess;
  readonly states: HostState[];
  readonly lines: string[];
  /** Resolves with the socket's path once a state is there; states of before it was asked do not count. */
  readonly reach: (phase: HostState["phase"]) => Promise<string>;
}

function settingsIn(folder: string): StartHostOptions["settings"] {
  return {
    host: "host_01HF7YAT000000000000000000",
    folder: join(folder, "counts"),
    engine: {
      kind: "fake",
      threads: 1,
      sequences: 16,
      gpu: "off",
      prefillSliceTokens: 64,
      loadTimeoutMs: 60_000,
      fake: {},
    },
    models: [{ name: "fake", path: "", sha256: "ab", contextTokens: 100_000 }],
    objective: { ttftMs: 60_000, tpotMs: 250 },
    queuedPerModel: 16,
    bodyBytes: 100_000,
    leaseSeconds: 10,
    drainMs: 5_000,
  };
}

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-fabric-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function start(context: TestContext, folder: string, more: Partial<StartHostOptions["settings"]> = {}): Started {
  const states: HostState[] = [];
  const lines: string[] = [];
  const waiting = new Set<(state: HostState, socketPath: string) => void>();
  const host = startHost({
    settings: { ...settingsIn(folder), ...more },
    socketFolder: folder,
    environment: {},
    clock: systemClock,
    onState: (state, socketPath) => {
      states.push(state);
      for (const hear of waiting) hear(state, socketPath);
    },
    onLine: (line) => lines.push(line),
  });
  context.after(() => host.stop());
  const reach: Started["reach"] = (phase) =>
    new Promise((resolve) => {
      const hear = (state: HostState, socketPath: string): void => {
        if (state.phase !== phase) return;
        waiting.delete(hear);
        resolve(socketPath);
      };
      waiting.add(hear);
    });
  return { host, states, lines, reach };
}

function connectTo(context: TestContext, socketPath: string): Pool {
  const pool = new Pool("http://host", { socketPath, connections: 32 });
  context.after(() => pool.destroy());
  return pool;
}

const idOf = (index: number): RequestId => `req_01HF7YAT${String(index).padStart(18, "0")}`;

/** Reads a stream as a client would, and says how many tokens it saw and whether it came to its end. */
async function stream(
  pool: Pool,
  request: RequestId,
  prompt: string,
  onToken: (seen: number) => void = () => undefined,
): Promise<{ readonly seen: number; readonly complete: boolean }> {
  let text = "";
  const seen = (): number => text.split('"delta":{"content"').length - 1;
  try {
    const response = await pool.request({
      method: "POST",
      path: "/v1/chat/completions",
      headers: { "bailiwick-request": request },
      body: JSON.stringify({ model: "fake", stream: true, messages: [{ role: "user", content: prompt }] }),
    });
    for await (const part of response.body as AsyncIterable<Buffer>) {
      text += part.toString();
      onToken(seen());
    }
  } catch {
    // The connection broke: what was seen until then is what counts here.
  }
  return { seen: seen(), complete: text.endsWith("data: [DONE]\n\n") };
}

async function countsOf(pool: Pool, request: RequestId): Promise<HostCounts> {
  const { statusCode, body } = await pool.request({ method: "GET", path: `/host/v1/counts/${request}` });
  assert.equal(statusCode, 200);
  return (await body.json()) as HostCounts;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    // No such process.
    return false;
  }
}

async function gone(pid: number, withinMs: number): Promise<boolean> {
  const untilMs = systemClock.monotonicMs() + withinMs;
  while (isAlive(pid) && systemClock.monotonicMs() < untilMs) {
    await new Promise((resolve) => systemClock.after(10, () => resolve(undefined)));
  }
  return !isAlive(pid);
}

test("a host comes up in a group of its own, and a stop lets its answers end and leaves nothing behind", async (context) => {
  const { host, reach, states } = start(context, folderOf(context));
  const socketPath = await reach("ready");
  const pid = host.pid!;
  const pool = connectTo(context, socketPath);
  let stopped: Promise<void> | undefined;
  const answer = await stream(pool, idOf(1), "[[fake:tokens=30]] [[fake:token-ms=10]]", (seen) => {
    if (seen >= 3) stopped ??= host.stop();
  });
  assert.deepEqual(answer, { seen: 30, complete: true });
  await stopped;
  assert.equal(isAlive(pid), false);
  assert.equal(existsSync(socketPath), false);
  assert.deepEqual(
    states.map(({ phase }) => phase),
    ["ready", "stopped"],
  );
});

test("a terminal's signals do not end a host", async (context) => {
  const { host, reach } = start(context, folderOf(context));
  const pool = connectTo(context, await reach("ready"));
  const answer = await stream(pool, idOf(1), "[[fake:tokens=20]] [[fake:token-ms=5]]", (seen) => {
    if (seen === 5) for (const signal of ["SIGINT", "SIGHUP"] as const) process.kill(host.pid!, signal);
  });
  assert.equal(answer.complete, true);
});

test("a crash ends its streams; the host comes back and knows what each had produced", async (context) => {
  const { reach, states } = start(context, folderOf(context));
  const socketPath = await reach("ready");
  const pool = connectTo(context, socketPath);
  const back = reach("ready");
  const crashed = await stream(pool, idOf(1), "[[fake:token-ms=2]] [[fake:crash-after=7]]");
  assert.deepEqual(crashed, { seen: 7, complete: false });
  const again = connectTo(context, await back);
  const { usage, ending } = await countsOf(again, idOf(1));
  assert.deepEqual([usage.outputTokens, ending], [7, "error"]);
  assert.equal((await stream(again, idOf(2), "a")).complete, true);
  const restarting = states.find((state) => state.phase === "restarting");
  assert.ok(restarting?.phase === "restarting" && restarting.reason.includes("SIGKILL") && restarting.failures === 1);
});

test("a host that stands still is silent once its lease is over, and the same one is ready when it is heard again", async (context) => {
  const { host, states, reach } = start(context, folderOf(context), { leaseSeconds: 1 });
  const socketPath = await reach("ready");
  const { pid } = host;
  const [silent, again] = [reach("silent"), reach("silent").then(() => reach("ready"))];
  process.kill(pid!, "SIGSTOP");
  await silent;
  process.kill(pid!, "SIGCONT");
  assert.equal(await again, socketPath);
  assert.equal(host.pid, pid);
  const hellos = states.flatMap((state) => (state.phase === "ready" ? [state.hello] : []));
  assert.deepEqual(hellos[1], hellos[0]);
});

test("kill -9 amid many streams: no token that anybody saw is uncounted", async (context) => {
  const { host, reach } = start(context, folderOf(context));
  const pool = connectTo(context, await reach("ready"));
  const back = reach("ready");
  let started = 0;
  const streams = Array.from({ length: 12 }, (_, index) =>
    stream(pool, idOf(index), `${index} [[fake:tokens=5000]] [[fake:token-ms=1]]`, (seen) => {
      if (seen >= 10 && started++ === 60) process.kill(host.pid!, "SIGKILL");
    }),
  );
  const seen = await Promise.all(streams);
  const again = connectTo(context, await back);
  for (const [index, { seen: tokens, complete }] of seen.entries()) {
    assert.equal(complete, false);
    const { usage, ending } = await countsOf(again, idOf(index));
    assert.equal(ending, "error");
    assert.ok(usage.outputTokens >= tokens, `${tokens} seen, ${usage.outputTokens} counted`);
    // What was computed and not yet sent is little: at most what one turn of the loop holds.
    assert.ok(usage.outputTokens <= tokens + 1_000, `${tokens} seen, ${usage.outputTokens} counted`);
  }
});

test("a host that cannot start is started again ever more slowly, and says why", async (context) => {
  const { host, reach, states } = start(context, folderOf(context), { bodyBytes: 0 });
  for (let failures = 1; failures <= 3; failures++) await reach("restarting");
  const waits = states.flatMap((state) => (state.phase === "restarting" ? [state] : []));
  assert.deepEqual(
    waits.map(({ inMs, failures }) => [inMs, failures]),
    [
      [100, 1],
      [200, 2],
      [400, 3],
    ],
  );
  assert.ok(waits.every(({ reason }) => reason.includes("bodyBytes")));
  await host.stop();
  assert.equal(host.state.phase, "stopped");
});

test("a path too long for a socket is said at once", (context) => {
  const folder = join(folderOf(context), "x".repeat(100));
  assert.throws(() => start(context, folder), /too long for a socket/);
});

test("kill -9 of the parent ends the host, and the next one serves its counts", async (context) => {
  const folder = folderOf(context);
  const parent = spawn(process.execPath, ["--input-type=module", "-e", parentProgram(folder)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => parent.kill("SIGKILL"));
  const { pid, socketPath } = await firstLine(parent);
  const orphaned = connectTo(context, socketPath);
  const seen = stream(orphaned, idOf(1), "[[fake:tokens=50000]] [[fake:token-ms=2]]", (tokens) => {
    if (tokens >= 20) parent.kill("SIGKILL");
  });
  // The next one starts while the orphan may still be writing its last counts.
  const next = start(context, folder);
  const pool = connectTo(context, await next.reach("ready"));
  assert.equal(await gone(pid, 30_000), true, "the host outlived its parent");
  const { usage, ending } = await countsOf(pool, idOf(1));
  assert.equal(ending, "error");
  assert.ok(usage.outputTokens >= (await seen).seen);
});

function parentProgram(folder: string): string {
  return `
    import { startHost } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL("../base/index.ts", import.meta.url).href)};
    const host = startHost({
      settings: ${JSON.stringify(settingsIn(folder))},
      socketFolder: ${JSON.stringify(folder)},
      environment: {},
      clock: systemClock,
      onState: (state, socketPath) => {
        if (state.phase === "ready") console.log(JSON.stringify({ pid: host.pid, socketPath }));
      },
      onLine: () => undefined,
    });`;
}

async function firstLine(parent: ChildProcess): Promise<{ readonly pid: number; readonly socketPath: string }> {
  const lines = createInterface({ input: parent.stdout! });
  const line = await new Promise<string>((resolve) => lines.once("line", resolve));
  return JSON.parse(line) as { pid: number; socketPath: string };
}
