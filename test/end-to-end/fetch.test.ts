import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, streamText } from "ai";
import OpenAI from "openai";
import { filePins } from "../../src/fetch/file-pins.ts";
import { type AnswerVerdict, memoryPins, verifying, type VerifyingOptions } from "../../src/fetch/index.ts";
import { systemClock } from "../../src/base/index.ts";
import { folderDisk, formatProof, openSequencer, parseProof, proveInclusion } from "../../src/log/index.ts";
import type { Said } from "../../src/meaning/index.ts";
import { verify } from "../../src/verification/index.ts";
import { keyStatementEntry, verifyReceipt } from "../../src/receipt/index.ts";
import { makeKey } from "./asking.ts";
import { eventually, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";
import { proxyTo, type Proxy } from "./proxy.ts";
import { aboutLog, type AboutLog } from "./transparency.ts";

/** The wrapper for clients' `fetch`, with the real clients, a real cloud, and somebody between them. */
const settings = "engine: {kind: fake}\nmodels: {serve: [fake]}\nsite: {jurisdiction: DE}\nfake: {tokens: 8}\n";
const folder = temporaryFolder();
let cloud: RunningCloud;
let key: string;
let log: AboutLog;

before(async () => {
  cloud = await startCloud({ data: `${folder.path}/data`, settings });
  key = await makeKey(cloud, "tenant");
  log = await aboutLog(cloud);
});
after(async () => {
  await cloud?.kill();
  folder.remove();
});

interface Watched {
  readonly verdicts: AnswerVerdict[];
  readonly fetch: ReturnType<typeof verifying>;
  readonly openai: OpenAI;
}

function watching(more: Partial<VerifyingOptions> = {}, url = cloud.url): Watched {
  const verdicts: AnswerVerdict[] = [];
  const fetch = verifying({
    logKeys: log.keys,
    pins: memoryPins(),
    onVerdict: (verdict) => void verdicts.push(verdict),
    // Nothing here is waited for in vain: how long it takes is a loaded machine's affair.
    waitMs: 60_000,
    ...more,
  });
  return { verdicts, fetch, openai: new OpenAI({ baseURL: `${url}/v1`, apiKey: key, fetch }) };
}

const asked = { model: "fake", messages: [{ role: "user" as const, content: "Grüezi" }] };
/** An answer that nobody can have had before they left. */
const askedForLong = {
  ...asked,
  messages: [{ role: "user" as const, content: "[[fake:tokens=400]] [[fake:token-ms=50]]" }],
  max_tokens: 1_000,
};

async function streamOf({ openai }: Watched): Promise<string> {
  let text = "";
  const stream = await openai.chat.completions.create({ ...asked, stream: true });
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  return text;
}

test("OpenAI's client: answers, streams and completions come as they are, and each is verified", async () => {
  for (const strict of [false, true]) {
    const watched = watching({ strict, sites: { here: "DE" } });
    const whole = await watched.openai.chat.completions.create(asked);
    const text = await streamOf(watched);
    assert.equal(text, whole.choices[0]?.message.content);
    const completed = await watched.openai.completions.create({ model: "fake", prompt: "Grüezi" });
    assert.ok(completed.choices[0]!.text.length > 0);
    await watched.fetch.settled();
    assert.deepEqual(
      watched.verdicts.map(({ outcome, reason }) => [outcome, reason]),
      Array.from({ length: 3 }, () => ["valid", "valid"]),
    );
    for (const { checked, asOf, stated } of watched.verdicts) {
      for (const each of ["request", "response", "proof", "key status", "sites", "call"])
        assert.ok(checked.includes(each));
      assert.equal(asOf?.log, log.origin);
      assert.equal(stated?.hops.at(-1)?.jurisdiction, "DE");
    }
    assert.ok(watched.verdicts[2]!.checked.includes("pinned checkpoint"));
  }
});

test("the AI SDK: an answer and a stream are verified", async () => {
  const watched = watching({ strict: true });
  const provider = createOpenAI({ baseURL: `${cloud.url}/v1`, apiKey: key, fetch: watched.fetch });
  const model = provider.chat("fake");
  const { text } = await generateText({ model, prompt: "Grüezi" });
  let streamed = "";
  for await (const part of streamText({ model, prompt: "Grüezi" }).textStream) streamed += part;
  assert.equal(streamed, text);
  assert.deepEqual(
    watched.verdicts.map(({ reason }) => reason),
    ["valid", "valid"],
  );
});

test("who has the objects of an SDK only holds the receipt against them, of an answer and of a stream", async () => {
  const watched = watching();
  const whole = await watched.openai.chat.completions.create(asked);
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  const stream = await watched.openai.chat.completions.create({ ...asked, stream: true });
  for await (const chunk of stream) chunks.push(chunk);
  await watched.fetch.settled();
  const got = await fetch(`${cloud.url}/v1/receipts/digest-key`, { headers: { authorization: `Bearer ${key}` } });
  const digestKey = Buffer.from(await got.arrayBuffer());
  const keys = Buffer.from(await (await fetch(`${cloud.url}/.well-known/bailiwick/keys`)).arrayBuffer());
  const objects = [whole, chunks] as unknown as readonly (Said | readonly Said[])[];
  const receiptOf = (answer: "whole" | "chunks") =>
    Buffer.from(watched.verdicts.find(({ stated }) => stated?.receipt === ids[answer])!.files!.receipt);
  const ids = { whole: watched.verdicts[0]!.receipt, chunks: watched.verdicts[1]!.receipt };
  for (const [at, answered] of objects.entries()) {
    const receipt = receiptOf(at === 0 ? "whole" : "chunks");
    const right = await verify({ receipt, keys, logs: [], digestKey, asked, answered });
    assert.equal(right.reason, "valid");
    assert.deepEqual(right.checked.slice(-2), ["asked", "answered"]);
    const other = { ...asked, temperature: 0 };
    assert.match((await verify({ receipt, keys, logs: [], digestKey, asked: other })).reason, /what was asked/);
    // A whole answer and the stream of it mean the same; another answer does not.
    const swapped = await verify({ receipt, keys, logs: [], digestKey, answered: objects[1 - at]! });
    assert.equal(swapped.reason, "valid");
    const less = at === 0 ? { ...whole, choices: [] } : chunks.slice(0, -3);
    assert.match(
      (await verify({ receipt, keys, logs: [], digestKey, answered: less as unknown as Said })).reason,
      /what was answered/,
    );
  }
});

test("of an answer that broke off nobody says what it means", async () => {
  const controller = new AbortController();
  const response = await fetch(`${cloud.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ ...askedForLong, stream: true }),
    signal: controller.signal,
  });
  await response.body!.getReader().read();
  controller.abort();
  const id = response.headers.get("bailiwick-receipt")!;
  let payload = "";
  await eventually("the receipt", async () => {
    const got = await fetch(`${cloud.url}/v1/receipts/${id}`, { headers: { authorization: `Bearer ${key}` } });
    if (got.status === 200) ({ payload } = (await got.json()) as { payload: string });
    return payload !== "";
  });
  const { predicate } = JSON.parse(Buffer.from(payload, "base64").toString()) as {
    predicate: { requestMeaning: unknown; answerMeaning: unknown; ending: string };
  };
  assert.deepEqual([predicate.ending, predicate.answerMeaning], ["abort", null]);
  assert.notEqual(predicate.requestMeaning, null);
});

test("many answers at once move one pin forward, and a program that starts again goes on from it", async () => {
  const pins = filePins(`${folder.path}/pins`);
  const watched = watching({ pins });
  await Promise.all(Array.from({ length: 12 }, () => streamOf(watched)));
  await watched.fetch.settled();
  assert.deepEqual(new Set(watched.verdicts.map(({ reason }) => reason)), new Set(["valid"]));
  const sizes = watched.verdicts.map(({ asOf }) => asOf!.size);
  assert.deepEqual(
    sizes,
    sizes.toSorted((a, b) => a - b),
  );
  const again = watching({ pins: filePins(`${folder.path}/pins`) });
  await streamOf(again);
  await again.fetch.settled();
  assert.equal(again.verdicts[0]!.reason, "valid");
  assert.ok(again.verdicts[0]!.checked.includes("pinned checkpoint"));
});

test("an answer that a new key signs is verified at once, and what nobody has stated stays invalid", async () => {
  const counted: string[] = [];
  const watched = watching({
    fetch: (input, init) => {
      counted.push(new URL(String(input instanceof Request ? input.url : input)).pathname);
      return fetch(input, init);
    },
  });
  const statements = () => counted.filter((path) => path.startsWith("/log/keys/")).length;
  await watched.openai.chat.completions.create(asked);
  await watched.fetch.settled();
  await cloud.command("signing-key", "rotate");
  for (let count = 0; count < 3; count += 1) await watched.openai.chat.completions.create(asked);
  await watched.fetch.settled();
  assert.deepEqual(
    watched.verdicts.map(({ reason }) => reason),
    Array(4).fill("valid"),
  );
  assert.ok(statements() <= 3, "asked for once for all of them, or once more");
});

test("what has no receipt passes, and a refusal is told as what it is", async () => {
  const watched = watching({ strict: true });
  const models = await watched.openai.models.list();
  assert.ok(models.data.length > 0);
  await assert.rejects(watched.openai.chat.completions.create({ ...asked, model: "nobody's" }), OpenAI.NotFoundError);
  assert.deepEqual(
    watched.verdicts.map(({ outcome, reason }) => [outcome, reason]),
    [["unchecked", "it was refused with 404, and nothing of it is on record"]],
  );
});

test("an answer that nobody reads to its end is not verified, and says so", async () => {
  const watched = watching();
  const stream = await watched.openai.chat.completions.create({ ...askedForLong, stream: true });
  for await (const _ of stream) break;
  await watched.fetch.settled();
  assert.deepEqual(
    watched.verdicts.map(({ reason }) => reason),
    ["it was not read to its end"],
  );
});

/** Asks through somebody between, strictly, as a whole and as a stream: what was found of both. */
async function between(proxy: Proxy, more: Partial<VerifyingOptions> = {}): Promise<readonly string[]> {
  const watched = watching({ strict: true, ...more }, proxy.url);
  let seen = "";
  await assert.rejects(watched.openai.chat.completions.create(asked), /not verified/);
  await assert.rejects(async () => {
    const stream = await watched.openai.chat.completions.create({ ...asked, stream: true });
    for await (const chunk of stream) seen += chunk.choices[0]?.finish_reason ?? "";
  }, /not verified/);
  const reasons = watched.verdicts.map(({ outcome, reason }) => `${outcome}: ${reason}`);
  await proxy.close();
  return reasons;
}

test("a flipped byte in an answer, or in a request, on the way", async () => {
  const ofAnswer = await proxyTo(cloud.url, { answer: (bytes) => swapped(bytes, '"created":', "9") });
  for (const reason of await between(ofAnswer)) assert.match(reason, /^invalid: the digest of the response's bytes/);
  const ofRequest = await proxyTo(cloud.url, { request: (bytes) => swapped(bytes, '"content":"', "X") });
  for (const reason of await between(ofRequest)) assert.match(reason, /^invalid: the digest of the request's bytes/);
});

test("a header that narrows: the receipt says it, and whoever takes it away is seen", async () => {
  const headers = { "bailiwick-processing": "DE", "bailiwick-legal-basis": "consent" };
  const honest = watching();
  await honest.openai.chat.completions.create(asked, { headers });
  await honest.fetch.settled();
  assert.equal(honest.verdicts[0]!.reason, "valid");
  assert.deepEqual(honest.verdicts[0]!.stated?.policy.narrowing, { processing: "DE", legalBasis: "consent" });
  const proxy = await proxyTo(cloud.url, { without: "bailiwick-processing" });
  const cheated = watching({ strict: true }, proxy.url);
  await assert.rejects(
    cheated.openai.chat.completions.create(asked, { headers }),
    /what the header bailiwick-processing/,
  );
  await proxy.close();
});

test("an answer whose end was cut off, cleanly", async () => {
  const proxy = await proxyTo(cloud.url, { answer: (bytes) => bytes.subarray(0, Math.max(0, bytes.length - 20)) });
  const watched = watching({}, proxy.url);
  await streamOf(watched).catch(() => "");
  await watched.fetch.settled();
  assert.equal(watched.verdicts[0]!.outcome, "invalid");
  await proxy.close();
});

test("a missing receipt, one of another answer, one that nobody has", async () => {
  const without = await proxyTo(cloud.url, { receipt: () => undefined });
  assert.deepEqual(await between(without), Array(2).fill("invalid: it came without a receipt"));
  const first = watching();
  await first.openai.chat.completions.create(asked);
  await first.fetch.settled();
  const other = first.verdicts[0]!.receipt!;
  const swap = await proxyTo(cloud.url, { receipt: () => other });
  const [whole, stream] = await between(swap);
  assert.match(whole!, /^invalid: the digest of the re/);
  assert.match(stream!, /^invalid: its receipt is the one of an answer before/);
  const nobody = await proxyTo(cloud.url, { receipt: () => "rcpt_01KA0000000000000000000000" });
  assert.deepEqual((await between(nobody))[0], "invalid: the cloud has no receipt of that id");
});

test("a forked log is caught, and what it signed is kept as the evidence; a log that went back is not believed", async () => {
  const pins = memoryPins();
  const honest = watching({ pins });
  await streamOf(honest);
  await honest.fetch.settled();
  const pinned = (await pins.read(log.origin))!;
  const size = Number(pinned.split("\n")[1]);
  // Another tree of the log's own key, in which the receipt stands, too.
  const fork = await forkOf("fork", size + 5);
  const proxy = await proxyTo(cloud.url, { instead: (path) => fork.serve(path) });
  const caught = watching({ pins, strict: true }, proxy.url);
  await assert.rejects(caught.openai.chat.completions.create(asked), /has forked/);
  const { outcome, forked } = caught.verdicts[0]!;
  assert.equal(outcome, "invalid");
  assert.equal(forked?.pinned, pinned);
  assert.notEqual(forked?.shown, pinned);
  assert.equal(await pins.read(log.origin), pinned);
  await proxy.close();
  await streamOf(honest);
  await honest.fetch.settled();
  const back = await proxyTo(cloud.url, {
    instead: (path) =>
      Promise.resolve(path.endsWith("/proof") ? Buffer.from(honest.verdicts[0]!.files!.proof) : undefined),
  });
  assert.match((await between(back, { pins })).join(), /^invalid: its (checkpoint is older|path does not lead)/);
});

test("keys that the operator states in a fork only are not believed", async () => {
  const fork = await forkOf("key-fork", 1);
  const instead = (path: string) => (path.startsWith("/log/keys/") ? fork.serve(path) : Promise.resolve(undefined));
  const proxy = await proxyTo(cloud.url, { instead });
  for (const reason of await between(proxy)) assert.match(reason, /^invalid: its key statement is of a fork/);
});

/** Another log by the key of the real one: as large, of other entries, and with every receipt that it is asked for. */
async function forkOf(name: string, size: number): Promise<{ serve(path: string): Promise<Buffer | undefined> }> {
  const keys = join(folder.path, "data", "log-keys");
  const privateKey = createPrivateKey(readFileSync(join(keys, readdirSync(keys)[0]!)));
  const disk = await folderDisk(join(folder.path, name));
  const signing = [{ privateKey }];
  const opened = await openSequencer({ disk, clock: systemClock, origin: log.origin, keys: signing });
  assert.ok(opened.outcome === "opened");
  const fork = opened.log;
  await fork.append([{ entries: Buffer.alloc(size * 32, 7) }], null);
  const get = async (path: string): Promise<Buffer> => {
    const got = await fetch(`${cloud.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
    return Buffer.from(await got.arrayBuffer());
  };
  const prove = async (entry: Buffer, extra?: Buffer): Promise<Buffer> => {
    const appended = await fork.append([{ entries: entry }], null);
    assert.ok(appended.outcome === "appended");
    const proven = await proveInclusion(fork.readTile, entry, appended.first, fork);
    assert.ok(proven.outcome === "proven");
    const checkpoint = Buffer.from(fork.checkpoint!);
    return formatProof({
      index: appended.first,
      path: proven.path,
      checkpoint,
      ...(extra === undefined ? {} : { extra }),
    });
  };
  return {
    async serve(path) {
      if (path.startsWith("/log/keys/")) {
        const parsed = parseProof(await get(path));
        assert.ok(parsed.outcome === "read");
        return prove(keyStatementEntry(parsed.proof.extra!), parsed.proof.extra);
      }
      if (path.startsWith("/log/tile/")) return disk.read(path.slice("/log/".length));
      if (!path.endsWith("/proof")) return undefined;
      const receipt = await get(path.slice(0, -"/proof".length));
      const verified = verifyReceipt({ receipt, keys: await get("/.well-known/bailiwick/keys") });
      assert.ok(verified.outcome === "valid");
      return prove(verified.leaf);
    },
  };
}

function swapped(bytes: Buffer, behind: string, by: string): Buffer {
  const at = bytes.indexOf(behind);
  if (at < 0) return bytes;
  const copy = Buffer.from(bytes);
  copy.write(by, at + behind.length);
  return copy;
}
