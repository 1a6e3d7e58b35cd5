import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { ask, eventsOf, isDone, makeKey, usageIn, usageOf, type UsageRow } from "./asking.ts";
import { eventually, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";

/** kill -9 of the whole tree, in the middle of what it does: the books afterwards. */
const folder = temporaryFolder();
const data = join(folder.path, "data");
let cloud: RunningCloud | undefined;
after(async () => {
  await cloud?.kill();
  folder.remove();
});

/** For temporary files: what lies there is these clouds' own. */
const scratch = join(folder.path, "scratch");
mkdirSync(scratch);
const up = (): Promise<RunningCloud> =>
  startCloud({ data, arguments: ["--engine", "fake"], environment: { TMPDIR: scratch } });
const hostFolders = (): readonly string[] => readdirSync(scratch).filter((name) => name.startsWith("bailiwick-host-"));
const settledLine = (output: string): number | undefined => {
  // The last line may not have come whole.
  const line = output
    .split("\n")
    .slice(0, -1)
    .find((text) => text.includes("settled what an earlier run left open"));
  return line === undefined ? undefined : (JSON.parse(line) as { requests: number }).requests;
};
const allRows = async (of: RunningCloud): Promise<readonly UsageRow[]> =>
  (await of.command<UsageRow[]>("usage")).filter(({ key }) => key.startsWith("load-"));
const total = (rows: readonly UsageRow[], pick: (row: UsageRow) => number): number =>
  rows.reduce((sum, row) => sum + pick(row), 0);

interface Worker {
  readonly name: string;
  readonly key: string;
  received: number;
  inputTokens: number;
  outputTokens: number;
  /** The answer that was cut, if one was: whether any byte of its body came. */
  cut: { readonly begun: boolean } | undefined;
}

test("under load: what was received is in the usage exactly once, what was cut at most once", async () => {
  cloud = await up();
  const workers: Worker[] = [];
  for (let index = 0; index < 32; index++) {
    const name = `load-${index}`;
    workers.push({
      name,
      key: await makeKey(cloud, name),
      received: 0,
      inputTokens: 0,
      outputTokens: 0,
      cut: undefined,
    });
  }
  const { url } = cloud;
  const work = async (worker: Worker, index: number): Promise<void> => {
    for (let turn = 0; ; turn++) {
      const stream = (turn + index) % 2 === 0;
      const content = `Question ${turn} of ${worker.name} [[fake:tokens=${4 + ((turn * 7 + index) % 40)}]]`;
      const seen = await ask({ url, key: worker.key, content, stream });
      if (!seen.whole || (stream && !isDone(seen.text))) {
        worker.cut = { begun: seen.text.length > 0 };
        return;
      }
      assert.equal(seen.status, 200, seen.text);
      const usage = usageIn(seen);
      assert.ok(usage !== undefined, seen.text);
      worker.received++;
      worker.inputTokens += usage.prompt_tokens;
      worker.outputTokens += usage.completion_tokens;
    }
  };
  const working = Promise.all(workers.map(work));
  await eventually("every worker's third answer", () => workers.every(({ received }) => received >= 3));
  const left = hostFolders();
  assert.equal(left.length, 1);
  await cloud.kill();
  await working;

  cloud = await up();
  assert.deepEqual([hostFolders().length, existsSync(join(scratch, left[0]!))], [1, false], "its sockets are gone");
  const second = cloud;
  await eventually("the settling of what was open", () => settledLine(second.output()) !== undefined);
  const rows = await allRows(cloud);
  for (const worker of workers) {
    const row = rows.find(({ key }) => key === worker.name);
    assert.ok(row !== undefined, `${worker.name} has no usage`);
    // A worker asks one thing at a time: at most one answer was under way, and it may have been settled unheard.
    assert.ok(row.requests === worker.received || row.requests === worker.received + 1, JSON.stringify([worker, row]));
    assert.ok(row.inputTokens >= worker.inputTokens && row.outputTokens >= worker.outputTokens);
    if (row.requests === worker.received) {
      assert.deepEqual([row.inputTokens, row.outputTokens], [worker.inputTokens, worker.outputTokens]);
    }
    // Where a byte had come the host had counted; only a request that it never saw can be unknown.
    assert.ok(row.unrated === 0 || worker.cut?.begun === false, JSON.stringify([worker, row]));
  }
  const received = workers.reduce((sum, worker) => sum + worker.received, 0);
  const requests = total(rows, (row) => row.requests);
  assert.ok(requests >= received + settledLine(cloud.output())!, "an open request or a received answer is missing");
});

test("cut streams whose tokens were received are rated, none as unknown", async () => {
  assert.ok(cloud !== undefined);
  const key = await makeKey(cloud, "cut");
  const abort = new AbortController();
  let begun = 0;
  const texts = new Map<number, string>();
  const { url } = cloud;
  const streams = Array.from({ length: 24 }, (_, index) =>
    ask({
      url,
      key,
      stream: true,
      content: `Stream ${index} [[fake:tokens=4000]] [[fake:token-ms=20]]`,
      signal: abort.signal,
      onPart: (text) => {
        if (!texts.has(index) && /"content":"[^"]/.test(text)) begun++;
        if (/"content":"[^"]/.test(text)) texts.set(index, text);
      },
    }),
  );
  await eventually("a token of every stream", () => begun === streams.length);
  await cloud.kill();
  const seen = await Promise.all(streams);
  assert.ok(seen.every(({ whole, text }) => !whole && !isDone(text)));
  const tokensReceived = seen.reduce(
    (sum, { text }) => sum + eventsOf(text).filter((event) => /"content":"[^"]/.test(JSON.stringify(event))).length,
    0,
  );

  const before = await (async () => {
    cloud = await up();
    const started = cloud;
    await eventually("the settling of what was open", () => settledLine(started.output()) === 24);
    return usageOf(cloud, "cut");
  })();
  assert.equal(before.requests, 24);
  assert.equal(before.unrated, 0);
  assert.ok(before.outputTokens >= tokensReceived, `${before.outputTokens} < ${tokensReceived}`);
});

test("killed again while nothing runs: the books are the same, and it serves", async () => {
  assert.ok(cloud !== undefined);
  const load = await allRows(cloud);
  const cut = await usageOf(cloud, "cut");
  for (let times = 0; times < 2; times++) {
    await cloud.kill();
    cloud = await up();
    assert.deepEqual(await allRows(cloud), load);
    assert.deepEqual(await usageOf(cloud, "cut"), cut);
  }
  const key = await makeKey(cloud, "afterwards");
  assert.equal((await ask({ url: cloud.url, key })).status, 200);
  // The answer's end means that it is on record: a kill at once cannot take it back.
  await cloud.kill();
  cloud = await up();
  assert.equal((await usageOf(cloud, "afterwards")).requests, 1);
});
