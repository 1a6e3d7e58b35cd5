import assert from "node:assert/strict";
import { test } from "node:test";
import type { PoolStatus } from "../gateway/control/index.ts";
import { fakePool } from "../gateway/control/fake-pool.ts";
import { poolLines } from "./pool-text.ts";
import { withCloud } from "./testing.ts";

const at = "2026-03-01T12:00:00.000Z";

const printed = `cpu, here (DE): ready
device   NVIDIA H100 80GB HBM3
memory   49.2 of 78.0 GB (63 %) used by models
turn     fake: decode of 12 sequences for 38 ms
copying  qwen3-32b for 1.2 s
pending  3 requests without a place
figures  420 ms old
busy     64 % of the 60 min since it started
in time  98.8 % of 5,120 requests, the first token 99.5 %
totals   18,204 turns, 14 loads (182.3 GB), 1 failed load, 9 evictions, 4 refused

MODEL             STATE      WAITING  RUNNING    SLACK   IDLE      SIZE  STAYS
fake              resident         2       12    84 ms   0 ms   16.4 GB  warm 10 min, gone after 60 min
qwen3-32b         loading          3        0  -410 ms      –   24.2 GB  –
gemma-3-4b        resident         0        0        –  7 min    8.6 GB  pinned
aya-expanse-8b    absent           0        0        –      –   16.4 GB  –
llama-4-maverick  too large        0        0        –      –  243.0 GB  –
mistral-small     failed           0        0        –      –   14.3 GB  –

gemma-3-12b is not served: The file of gemma-3-12b has 4096 bytes; it was pulled with 7300574880. (model_invalid)
  next: Mend what it names, or remove the model and pull it again.

RESERVED          PROJECT       UNTIL
cpu               ministry/app  2026-03-01T18:00:00.000Z
0.25 of the pool  lab/nightly   2026-03-04T00:00:00.000Z
`;

test("pool prints the device, its totals, and the models: those with work first, then what is resident", async (context) => {
  const { run, control } = await withCloud(context);
  const plain = await run("pool");
  assert.deepEqual([plain.code, plain.stderr, plain.stdout], [0, "", printed]);
  const json = await run("pool --json");
  assert.deepEqual(JSON.parse(json.stdout), fakePool(at));
  control.operations.cloud.pool = () => ({ at, hosts: [], upstreams: [], reserved: [] });
  const nothing = await run("pool");
  assert.deepEqual([nothing.code, nothing.stdout, nothing.stderr], [0, "", "There is no host and no upstream.\n"]);
});

test("a terminal is shown what is late or failed in another colour, unless it is to have none", async (context) => {
  const { run } = await withCloud(context);
  for (const [environment, coloured] of [
    [{}, ["qwen3-32b", "mistral-small", "gemma-3-12b"]],
    [{ NO_COLOR: "1" }, []],
    [{ TERM: "dumb" }, []],
  ] as const) {
    let screen = "";
    const stdout = { isTTY: true, write: (text: string) => (screen += text) };
    await run("pool", environment, { stdout });
    // oxlint-disable-next-line no-control-regex -- escape codes are what is looked for.
    const red = [...screen.matchAll(/\u001B\[31m([\w.-]+) /g)].map(([, name]) => name);
    assert.deepEqual(red, coloured);
    assert.equal(screen.includes("\u001B"), coloured.length > 0);
  }
});

test("hosts that are away, silent or have told nothing, and upstreams, are told of; names cannot steer a terminal", () => {
  const status = fakePool(at);
  const host = { ...status.hosts[0]!, faults: [] };
  const odd: PoolStatus = {
    at,
    hosts: [
      { ...host, name: "a\u001B[2J", ready: false, reason: "its process is starting", pool: null },
      { ...host, ageMs: 34_000, pool: { ...host.pool!, models: [] } },
    ],
    upstreams: [{ name: "gpu", site: host.site, ready: false, running: 2 }],
    reserved: [],
  };
  const lines = poolLines(odd).map(({ text }) => text);
  assert.equal(lines[0], "a [2J, here (DE): not ready: its process is starting");
  assert.equal(lines[1], "It has not said yet what it does.");
  assert.equal(lines[3], "cpu, here (DE): ready, but has said nothing for 34.0 s");
  assert.deepEqual(lines.slice(-3), ["", "UPSTREAM  STATE      RUNNING", "gpu       not ready        2"]);
  assert.ok(!lines.some((line) => line.startsWith("MODEL")));
});

test("shares are of something: of what ended, and of the time since an answer of the same start", () => {
  const [before, status] = [fakePool(at), fakePool(at)];
  const busy = (): string | undefined =>
    poolLines(status, before)
      .find(({ text }) => text.startsWith("busy"))
      ?.text.slice(9);
  const sinceStart = "64 % of the 60 min since it started";
  assert.equal(busy(), sinceStart, "the figures are the same as before");
  const [host] = status.hosts;
  host!.upForMs! += 2_000;
  host!.pool!.totals.busyMs += 1_500;
  assert.equal(busy(), `${sinceStart}, 75 % of the last 2.0 s`);
  host!.pool!.totals.ended = 0;
  assert.ok(poolLines(status).some(({ text }) => text === "in time  no request has ended yet"));
  before.hosts[0]!.pool!.totals.busyMs = 1e9;
  assert.equal(busy(), sinceStart, "a host that started again has been busy for less");
});
