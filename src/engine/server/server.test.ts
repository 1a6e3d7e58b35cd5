import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { RefusalError, systemClock } from "../../base/index.ts";
import { llamaProgram } from "../../../test/contract/llama-program.ts";
import { testModel } from "../../../test/models.ts";
import type { ModelFile } from "../types.ts";
import type { ServerEngine } from "./engine.ts";
import { createServer } from "./index.ts";
import type { ServerModel } from "./model.ts";
import type { ServerSettings } from "./serving.ts";
import { isGone, Reading, request, startChild } from "./testing.ts";

const llama = await llamaProgram();
const skip = llama === undefined ? "llama.cpp's own server cannot be had here" : false;
const lines: string[] = [];

function open(settings: ServerSettings): Promise<ServerEngine> {
  return createServer("server", {
    settings,
    memoryBytes: 1 << 30,
    sleeping: undefined,
    clock: systemClock,
    entropy: randomBytes,
    environment: { PATH: process.env["PATH"] ?? "" },
    temporaryFolder: tmpdir(),
    onLine: (_, line) => lines.push(line),
  }).open({ threads: 1, sequences: 2, gpu: "off", prefillSliceTokens: 64, memoryBytes: undefined });
}

async function started(model: ServerModel, ...asked: Parameters<typeof request>): Promise<Reading> {
  const sequence = await model.start(request(...asked));
  if ("outcome" in sequence) assert.fail(sequence.message);
  return new Reading(sequence);
}

describe("llama.cpp's own server as an engine", { skip }, () => {
  let engine: ServerEngine;
  let file: ModelFile;
  let model: ServerModel;
  before(async () => {
    engine = await open(llama!);
    file = await testModel();
    model = await engine.load(file);
  });
  after(() => engine.close());

  test("what it is and what the model takes is known", async () => {
    assert.match(engine.build, /^llama\.cpp /);
    assert.ok(lines.some((line) => line.startsWith("listens on")));
    const size = await engine.sizeOf(file);
    assert.equal(size.layers, 30);
    assert.ok(size.parameters > 130e6 && size.parameters < 170e6);
    // 3 heads of 64 numbers, key and value, two bytes each.
    assert.ok(size.loadedBytes > size.weightsBytes + 2 * 2_048 * 30 * 3 * 64 * 2 * 2);
    assert.equal(size.kvBytesPerToken, 0);
  });

  test("held, no token comes; released, the answer is the one that it would have been", async () => {
    const question = "Tell me a long story about a river.";
    const alone = await started(model, question, { maxTokens: 60 });
    await alone.ended;
    const reading = await started(model, question, { maxTokens: 60 });
    await reading.reached(10);
    await model.hold();
    // What was on its way arrives.
    await delay(100);
    const { tokens } = reading;
    await delay(1_000);
    assert.equal(reading.tokens, tokens);
    assert.ok(tokens < 60);
    model.release();
    await reading.ended;
    assert.equal(reading.text, alone.text);
    assert.deepEqual(reading.sequence.counts(), alone.sequence.counts());
  });

  test("orders in quick succession end as the last one says", async () => {
    for (let round = 0; round < 20; round++) {
      void model.hold();
      model.release();
    }
    await (
      await started(model, "Say one word.", { maxTokens: 2 })
    ).ended;
    model.release();
    await Promise.all([model.hold(), model.hold()]);
    const reading = await started(model, "Say one word.", { maxTokens: 2 });
    await delay(300);
    assert.equal(reading.tokens, 0);
    model.release();
    await reading.ended;
  });

  test("an aborted answer ends with the reason, and is counted as far as it came", async () => {
    const abort = new AbortController();
    const reading = await started(model, "Tell me a story.", { maxTokens: 500, signal: abort.signal });
    await reading.reached(5);
    abort.abort(new Error("enough"));
    await assert.rejects(reading.ended, /enough/);
    const counts = reading.sequence.counts();
    assert.ok(counts.outputTokens >= 5 && counts.outputTokens < 100 && counts.inputTokens > 20, JSON.stringify(counts));
  });

  test("a reader that stands still holds up its own answer only", async () => {
    const sequence = await model.start(request("Tell me a story.", { maxTokens: 300 }));
    assert.ok(!("outcome" in sequence));
    const iterator = sequence[Symbol.asyncIterator]();
    await iterator.next();
    await (
      await started(model, "Say one word.", { maxTokens: 4 })
    ).ended;
    await delay(4_000);
    let parts = 0;
    for await (const _ of { [Symbol.asyncIterator]: () => iterator }) parts++;
    assert.ok(parts > 100, `${parts} parts`);
  });

  test("what the program finds fault with is a refusal, before any part", async () => {
    const long = await started(model, "word ".repeat(3_000));
    await assert.rejects(
      long.ended,
      (error) => error instanceof RefusalError && error.refusal.code === "context_length_exceeded",
    );
    const unread = await model.start(request("word ".repeat(10_000)));
    assert.equal("outcome" in unread && unread.code, "context_length_exceeded");
  });

  test("nobody gets an answer without the key", async () => {
    const { port } = new URL(await portOf(model));
    const ask = (authorization: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: "POST", headers: { authorization }, body: "{}" });
    assert.equal((await ask("Bearer guessed")).status, 401);
  });

  test("a program that dies fails its answers, and its model from then on", async () => {
    const other = await engine.load({ ...file, name: "other" });
    const reading = await started(other, "Tell me a story.", { maxTokens: 500 });
    await reading.reached(3);
    process.kill(await other.serving.program.started, "SIGKILL");
    await assert.rejects(reading.ended, /the program broke|has ended/);
    await other.serving.program.ended;
    const refused = await other.start(request("a"));
    assert.ok("outcome" in refused && refused.code === "engine_unavailable");
    await other.hold();
    other.release();
    await other.unload();
    assert.ok(lines.some((line) => /the program of other ended: signal SIGKILL/.test(line)));
  });

  test("a program whose supervisor is killed is ended by the host", async () => {
    const other = await engine.load({ ...file, name: "other" });
    const pid = await other.serving.program.started;
    const parent = execFileSync("ps", ["-o", "ppid=", "-p", String(pid)]).toString();
    process.kill(Number(parent), "SIGKILL");
    assert.match(await other.serving.program.ended, /^its supervisor was killed/);
    assert.ok(await isGone(pid, 2_000));
    assert.ok("outcome" in (await other.start(request("a"))));
    await other.unload();
  });

  test("an unloaded model's program has ended, also while it was held", async () => {
    const other = await engine.load({ ...file, name: "other" });
    const pid = await other.serving.program.started;
    const reading = await started(other, "Tell me a story.", { maxTokens: 500 });
    await reading.reached(3);
    await other.hold();
    await other.unload();
    await assert.rejects(reading.ended, /unloaded/);
    assert.ok(await isGone(pid, 2_000));
  });
});

test("a program is reached on a Unix socket of this user", { skip }, async () => {
  const engine = await open((await llamaProgram("{socket}"))!);
  const model = await engine.load(await testModel());
  const { socketPath } = model.serving.reach;
  assert.equal(statSync(dirname(socketPath!)).mode & 0o777, 0o700);
  const reading = await started(model, "Say one word.", { maxTokens: 2 });
  await reading.ended;
  assert.equal(reading.tokens, 2);
  await engine.close();
  assert.throws(() => statSync(dirname(socketPath!)), /ENOENT/);
});

for (const held of [false, true]) {
  const name = `a host that is killed takes its program along${held ? ", also one that is held" : ""}`;
  test(name, { skip }, async () => {
    const { child, group } = await startChild("server", { settings: llama!, file: await testModel(), held });
    process.kill(-group, 0);
    child.kill("SIGKILL");
    assert.ok(await isGone(group, 10_000));
  });
}

test("a program that ends while it starts says why, and one that stays silent is ended", async () => {
  const file = { ...(await testModel()), name: "m" };
  const failing = await open({
    command: ["/bin/sh", "-c", "echo no such device >&2; exit 3", "{port}"],
    environment: {},
    startTimeoutMs: 5_000,
  });
  await assert.rejects(failing.load(file), /ended while it started: status 3:\n {2}no such device/);
  const silent = await open({
    command: ["/bin/sh", "-c", "echo waiting; sleep 600", "{port}"],
    environment: {},
    startTimeoutMs: 3_000,
  });
  await assert.rejects(silent.load(file), /did not answer within 3000 ms:\n {2}waiting/);
  const missing = await open({ command: ["/no/such/program", "{port}"], environment: {}, startTimeoutMs: 5_000 });
  await assert.rejects(missing.load(file), /did not start: spawn \/no\/such\/program ENOENT/);
  const unreachable = await open({ command: ["/bin/true"], environment: {}, startTimeoutMs: 5_000 });
  await assert.rejects(unreachable.load(file), /neither \{port\} nor \{socket\}/);
});

/** Where a model's program listens, as its first lines said. */
async function portOf(model: ServerModel): Promise<string> {
  await model.serving.program.started;
  return lines.find((line) => line.startsWith("listens on"))!.slice("listens on ".length);
}
