import assert from "node:assert/strict";
import { test } from "node:test";
import { type Child, start, startListening } from "./children.ts";
import { type Round, type RoundResult, runRound } from "./load.ts";
import { chatBody, type PacedModel } from "./workload.ts";

/** The generator against the backend itself and against the bare proxy, all real processes. */
async function rounds(
  ask: (run: (port: "backend" | "bare", round: Partial<Round>) => Promise<RoundResult>) => Promise<void>,
) {
  const children: Child[] = [];
  try {
    const backend = await startListening("./backend.ts");
    children.push(backend.child);
    const bare = await startListening("./bare-proxy.ts", [`http://127.0.0.1:${backend.port}`]);
    children.push(bare.child);
    const generator = start(process.execPath, [new URL("./load.ts", import.meta.url).pathname]);
    children.push(generator);
    const ports = { backend: backend.port, bare: bare.port };
    await ask((port, round) => runRound(generator, { ...wholeAnswer, port: ports[port], ...round }));
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

const body = (model: PacedModel, tokens: number, stream: boolean) => chatBody({ model, tokens, stream, bytes: 728 });
const wholeAnswer: Round = {
  host: "127.0.0.1",
  port: 0,
  path: "/v1/chat/completions",
  headers: {},
  body: body("bench-instant", 4, false),
  eventsPerAnswer: 0,
  load: { kind: "closed", connections: 4, durationMs: 100 },
};

test("a closed loop is answered, and what is not a whole answer is a failure", async () => {
  await rounds(async (run) => {
    for (const port of ["backend", "bare"] as const) {
      const good = await run(port, {});
      assert.equal(good.firstFailure, undefined);
      assert.ok(good.requests >= 4);
      const unknown = await run(port, {
        body: body("bench-instant", 4, false).replace("bench-instant", "bench-unknown"),
      });
      assert.equal(unknown.failures, unknown.requests);
      assert.match(unknown.firstFailure ?? "", /status 404/);
      const tooFew = await run(port, { body: body("bench-instant", 4, true), eventsPerAnswer: 7 });
      assert.match(tooFew.firstFailure ?? "", /status 200, 6 events/);
    }
  });
});

test("a stream's events are all counted, paced or at once", async () => {
  await rounds(async (run) => {
    for (const [model, port] of [
      ["bench-paced", "bare"],
      ["bench-instant", "bare"],
      ["bench-paced", "backend"],
    ] as const) {
      const result = await run(port, { body: body(model, 20, true), eventsPerAnswer: 22 });
      assert.equal(result.firstFailure, undefined);
      assert.equal(result.events, result.requests * 22);
    }
  });
});

test("an open loop sends what is due and counts latency from then", async () => {
  await rounds(async (run) => {
    const load = { kind: "open", pattern: "constant", ratePerSecond: 100, durationMs: 300, seed: 0 } as const;
    const result = await run("bare", { body: body("bench-prefill", 4, false), load });
    assert.equal(result.firstFailure, undefined);
    assert.equal(result.requests, 30);
    assert.equal(result.lagMs.count, 30);
    // The backend waits 20 ms before it answers; a timer may fire up to a millisecond early.
    assert.ok(result.latencyMs.p50 >= 18, `${result.latencyMs.p50} ms`);
  });
});
