import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  ask,
  control,
  errorIn,
  eventsOf,
  isDone,
  makeKey,
  metric,
  processBelow,
  type Seen,
  usageIn,
  usageOf,
} from "./asking.ts";
import {
  alive,
  descendants,
  eventually,
  pause,
  type RunningCloud,
  signal,
  startCloud,
  temporaryFolder,
} from "./cloud.ts";

/** Parts that die or stand still while answers run: the engine's process, the client, PostgreSQL. */
const folder = temporaryFolder();
let cloud: RunningCloud;
let url: string;

before(async () => {
  cloud = await startCloud({
    data: join(folder.path, "data"),
    settings:
      "engine: {kind: fake}\nmodels: {serve: [fake]}\nfake: {firstTokenMs: 1, tokenMs: 2, tokens: 16}\ndatabase: {whenAway: {afterMs: 3000}}\n",
    arguments: ["--site", "DE"],
  });
  ({ url } = cloud);
});
after(async () => {
  await cloud?.kill();
  folder.remove();
});

const withText = (text: string): number =>
  eventsOf(text).filter((event) => /"content":"[^"]/.test(JSON.stringify(event))).length;
const ending = async (name: string): Promise<number> => metric(cloud, "bailiwick_requests_total", `ending="${name}"`);

async function servesAgain(key: string): Promise<void> {
  await eventually("an answer", async () => (await ask({ url, key })).status === 200);
}

/** An answer that its host broke off has ended before its record is there. */
async function allRecorded(): Promise<void> {
  await eventually("records", async () => (await metric(cloud, "bailiwick_requests_in_flight")) === 0, 60_000);
}

test("the engine's process killed mid-stream: an error event, no [DONE], metered; the cloud serves again", async () => {
  const key = await makeKey(cloud, "engine-killed");
  const host = await processBelow(cloud, "host");
  const begun = new Set<number>();
  const streams = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      ask({
        url,
        key,
        stream: true,
        content: `Stream ${index} [[fake:tokens=3000]] [[fake:token-ms=10]]`,
        onPart: (text) => {
          if (begun.size === 6 || withText(text) < 3) return;
          if (begun.add(index).size === 6) process.kill(host, "SIGKILL");
        },
      }),
    ),
  );
  for (const { whole, text } of streams) {
    assert.ok(whole, "the connection was cut instead of ended");
    assert.ok(!isDone(text));
    const last = eventsOf(text).at(-1) as { error?: { code: string } };
    assert.equal(last.error?.code, "engine_failed");
  }
  await servesAgain(key);
  await allRecorded();
  const usage = await usageOf(cloud, "engine-killed");
  assert.equal(usage.unrated, 0);
  const received = streams.reduce((sum, { text }) => sum + withText(text), 0);
  assert.ok(usage.outputTokens >= received && usage.requests >= 7, JSON.stringify([usage, received]));
  assert.ok(!alive(host));
});

test("the engine's process killed before anybody saw a token: the answer comes all the same, and is metered once", async () => {
  const key = await makeKey(cloud, "engine-killed-early");
  const host = await processBelow(cloud, "host");
  const answers = [true, false].map((stream) =>
    ask({ url, key, stream, content: "Say it. [[fake:slow-prefill=5000]] [[fake:tokens=7]]" }),
  );
  await eventually("both run", async () => (await metric(cloud, "bailiwick_requests_in_flight")) >= 2);
  process.kill(host, "SIGKILL");
  const [stream, whole] = await Promise.all(answers);
  assert.ok(isDone(stream!.text), stream!.text);
  assert.equal(whole!.status, 200, whole!.text);
  const usage = await usageOf(cloud, "engine-killed-early");
  const said = [stream!, whole!].reduce((sum, seen) => sum + usageIn(seen)!.completion_tokens, 0);
  assert.deepEqual([usage.requests, usage.unrated, usage.outputTokens], [2, 0, said]);
});

test("the engine's process stands still: its answers end before anybody knows what they used, and another process takes its place", async () => {
  const key = await makeKey(cloud, "engine-still");
  const host = await processBelow(cloud, "host");
  let begun = false;
  const asked = [
    ask({
      url,
      key,
      stream: true,
      content: "[[fake:tokens=100000]] [[fake:token-ms=20]]",
      more: { max_tokens: 4_000 },
      onPart: (text) => (begun ||= withText(text) >= 3),
    }),
    ask({ url, key, content: "[[fake:slow-prefill=600000]]" }),
  ];
  await eventually("both run", async () => begun && (await metric(cloud, "bailiwick_requests_in_flight")) === 2);
  process.kill(host, "SIGSTOP");
  const [stream, whole] = await Promise.all(asked);
  assert.equal(await metric(cloud, "bailiwick_requests_in_flight"), 2, "their records wait for the host's counts");
  assert.match(stream!.text, /engine_failed/);
  assert.ok(stream!.whole && !isDone(stream!.text));
  assert.deepEqual([whole!.status, errorIn(whole!).code], [502, "engine_failed"]);
  await servesAgain(key);
  await allRecorded();
  const usage = await usageOf(cloud, "engine-still");
  assert.ok(usage.requests >= 3, JSON.stringify(usage));
  assert.ok(!alive(host));
});

test("the engine crashes by itself, whole answer and stream: a code to retry by, and what it computed is metered", async () => {
  const key = await makeKey(cloud, "engine-crashed");
  const whole = await ask({ url, key, content: "[[fake:crash-after=5]]" });
  assert.equal(errorIn(whole).code, "engine_failed");
  assert.ok((whole.status ?? 0) >= 500);
  await servesAgain(key);
  const stream = await ask({ url, key, stream: true, content: "[[fake:crash-after=5]] [[fake:token-ms=5]]" });
  assert.ok(!isDone(stream.text));
  assert.match(stream.text, /engine_failed/);
  await servesAgain(key);
  await allRecorded();
  const usage = await usageOf(cloud, "engine-crashed");
  assert.equal(usage.unrated, 0);
  assert.ok(usage.outputTokens >= 5 + 17, JSON.stringify(usage));
});

test("a sequence that fails leaves the others alone", async () => {
  const key = await makeKey(cloud, "sequence-failed");
  const [failing, other] = await Promise.all([
    ask({ url, key, stream: true, content: "[[fake:fail-after=3]]" }),
    ask({ url, key, stream: true, content: "Go on. [[fake:tokens=60]]" }),
  ]);
  assert.ok(!isDone(failing.text));
  assert.match(failing.text, /"error"/);
  assert.ok(isDone(other.text));
  const usage = await usageOf(cloud, "sequence-failed");
  assert.deepEqual([usage.requests, usage.unrated], [2, 0]);
  assert.ok(usage.outputTokens >= 3 + (usageIn(other)?.completion_tokens ?? NaN));
});

test("a client that is gone mid-stream is metered for what was computed, and the engine stops", async () => {
  const key = await makeKey(cloud, "gone-mid-stream");
  const aborts = await ending("abort");
  const leave = new AbortController();
  const seen = await ask({
    url,
    key,
    stream: true,
    content: "[[fake:tokens=100000]] [[fake:token-ms=5]]",
    more: { max_tokens: 4000 },
    signal: leave.signal,
    onPart: (text) => withText(text) >= 5 && leave.abort(),
  });
  assert.ok(!seen.whole);
  await eventually("the abort's record", async () => (await ending("abort")) === aborts + 1);
  const usage = await usageOf(cloud, "gone-mid-stream");
  assert.deepEqual([usage.requests, usage.unrated], [1, 0]);
  assert.ok(usage.outputTokens >= 5 && usage.outputTokens < 4000, JSON.stringify(usage));
});

test("a client that is gone mid-prefill, streamed or not: recorded, no output billed", async () => {
  const key = await makeKey(cloud, "gone-mid-prefill");
  const aborts = await ending("abort");
  for (const stream of [true, false]) {
    const leave = new AbortController();
    const asking = ask({ url, key, stream, content: "[[fake:slow-prefill=600000]]", signal: leave.signal });
    await eventually("the request's start", async () => (await metric(cloud, "bailiwick_requests_in_flight")) === 1);
    leave.abort();
    assert.ok(!(await asking).whole);
    await eventually("its end", async () => (await metric(cloud, "bailiwick_requests_in_flight")) === 0);
  }
  assert.equal(await ending("abort"), aborts + 2);
  const usage = await usageOf(cloud, "gone-mid-prefill");
  assert.deepEqual([usage.requests, usage.unrated, usage.outputTokens], [2, 0, 0]);
});

interface Load {
  readonly seen: Seen[];
  stop(): Promise<void>;
}

function load(key: string, workers: number): Load {
  const seen: Seen[] = [];
  const stopping = new AbortController();
  const work = async (index: number): Promise<void> => {
    for (let turn = 0; !stopping.signal.aborted; turn++)
      seen.push(await ask({ url, key, stream: (turn + index) % 2 === 0 }));
  };
  const working = Promise.all(Array.from({ length: workers }, (_, index) => work(index)));
  return {
    seen,
    stop: async () => {
      stopping.abort();
      await working;
    },
  };
}

async function allInUsage(name: string, seen: readonly Seen[]): Promise<void> {
  assert.ok(seen.every(({ status, whole }) => status === 200 && whole));
  const usage = await usageOf(cloud, name);
  const output = seen.reduce((sum, answer) => sum + (usageIn(answer)?.completion_tokens ?? NaN), 0);
  const input = seen.reduce((sum, answer) => sum + (usageIn(answer)?.prompt_tokens ?? NaN), 0);
  assert.deepEqual(
    [usage.requests, usage.inputTokens, usage.outputTokens, usage.unrated],
    [seen.length, input, output, 0],
  );
}

test("PostgreSQL stands still mid-load: public data is served, personal data is not, and no usage is lost", async () => {
  await control(cloud, "POST", "/projects", { organisation: "default", name: "patients", dataClass: "personal" });
  const personal = await makeKey(cloud, "personal", { project: "patients" });
  await eventually("personal data", async () => (await ask({ url, key: personal })).status === 200);
  const key = await makeKey(cloud, "database-still");
  const postmaster = await processBelow(cloud, "postmaster");
  const running = load(key, 6);
  // Its children hold the connections: they stand still too, as on a machine that has lost its disk.
  const all = [postmaster, ...(await descendants(postmaster))];
  for (const pid of all) signal(pid, "SIGSTOP");
  try {
    await eventually("the refusal of personal data", async () => (await ask({ url, key: personal })).status !== 200);
    const refused = await ask({ url, key: personal });
    assert.equal(errorIn(refused).code, "directory_stale");
    // A receipt that is not in the journal any more: whoever asks hears in time that it cannot be had now.
    const receipt = await fetch(`${url}/v1/receipts/rcpt_01AAAAAAAAAAAAAAAAAAAAAAAA`, {
      headers: { authorization: `Bearer ${key}` },
    });
    assert.equal(receipt.status, 503);
    assert.match(await receipt.text(), /database_unavailable/);
    // Longer than anything waits for the database: from then on nobody is served by what was asked before.
    await pause(9_000);
    const by = running.seen.length;
    await eventually("public data served all the same", () => running.seen.length > by + 50);
  } finally {
    for (const pid of all.toReversed()) signal(pid, "SIGCONT");
  }
  await running.stop();
  await eventually("personal data again", async () => (await ask({ url, key: personal })).status === 200);
  await allInUsage("database-still", running.seen);
});

test("PostgreSQL killed mid-load comes back by itself; nothing is lost, none counted twice", async () => {
  const key = await makeKey(cloud, "database-killed");
  const postmaster = await processBelow(cloud, "postmaster");
  const running = load(key, 6);
  await eventually("some load", () => running.seen.length > 30);
  process.kill(postmaster, "SIGKILL");
  await eventually("another postmaster", async () => {
    try {
      return (await processBelow(cloud, "postmaster")) !== postmaster;
    } catch {
      // Between the two there is none.
      return false;
    }
  });
  const soFar = running.seen.length;
  await eventually("more load", () => running.seen.length > soFar + 30);
  await running.stop();
  await eventually("the database", async () => {
    try {
      await makeKey(cloud, `probe-${Date.now()}`);
      return true;
    } catch {
      // It still replays its log.
      return false;
    }
  });
  await allInUsage("database-killed", running.seen);
});
