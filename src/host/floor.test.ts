import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type Dispatcher, Pool } from "undici";
import { createIds, systemClock } from "../base/index.ts";
import { identityOf } from "../catalog/index.ts";
import { createFake, type FakeSettings } from "../engine/fake/index.ts";
import { openFloor } from "./floor.ts";
import { type Host, hostBounds, openHost } from "./host.ts";
import type { HostHello, HostPool } from "./protocol.ts";
import type { HostSettings } from "./settings.ts";

const gigabyte = 1e9;

interface Opened {
  readonly host: Host;
  readonly ask: (model: string, content?: string, headers?: Record<string, string>) => Promise<Dispatcher.ResponseData>;
  readonly pool: () => Promise<HostPool>;
  readonly hello: () => Promise<HostHello>;
  readonly reserve: (reservations: readonly object[]) => Promise<number>;
  readonly log: readonly string[];
  readonly hung: readonly string[];
  readonly folder: string;
}

interface Given {
  readonly models?: readonly (Partial<HostSettings["models"][number]> & { readonly name: string })[];
  readonly memoryBytes?: number;
  readonly fake?: FakeSettings;
  readonly settings?: Partial<HostSettings>;
  readonly loadTimeoutMs?: number;
  readonly folder?: string;
}

/** A host in this process whose device holds `memoryBytes`; each of its models takes a gigabyte. */
async function open(context: TestContext, given: Given): Promise<Opened> {
  const folder = given.folder ?? mkdtempSync(join(tmpdir(), "bailiwick-floor-"));
  const log: string[] = [];
  const hung: string[] = [];
  const { models = [{ name: "a" }, { name: "b" }], memoryBytes = 2 * gigabyte } = given;
  const engine = { kind: "fake", threads: 1, gpu: "off", prefillSliceTokens: 64, sequences: 2, fake: {} } as const;
  const host = await openHost({
    settings: {
      host: "host_01HF7YAT000000000000000000",
      boot: "1",
      socketPath: join(folder, "s"),
      folder: join(folder, "counts"),
      engine: { ...engine, memoryBytes, loadTimeoutMs: given.loadTimeoutMs ?? 5_000 },
      models: models.map((model) => ({ path: "", sha256: model.name, contextTokens: 4_000, ...model })),
      objective: { ttftMs: 20_000, tpotMs: 500 },
      queuedPerModel: 8,
      bodyBytes: 100_000,
      leaseSeconds: 3_600,
      drainMs: 100,
      environment: {},
      threadPoolSize: "1",
      ...given.settings,
    },
    bounds: hostBounds,
    clock: systemClock,
    ids: createIds(systemClock),
    pid: 1,
    log: (...line) => log.push(JSON.stringify(line)),
    factory: () =>
      Promise.resolve(createFake(given.fake ?? {}, systemClock, () => assert.fail("no crash was asked for"))),
    openFloor,
    onHung: (why) => hung.push(why),
  });
  const connection = new Pool("http://host", { socketPath: join(folder, "s"), connections: 400 });
  context.after(async () => {
    await connection.destroy();
    await host.stop(0);
    rmSync(folder, { recursive: true, force: true });
  });
  await host.load();
  const ask: Opened["ask"] = (model, content = "Say it.", headers = {}) =>
    connection.request({
      method: "POST",
      path: "/v1/chat/completions",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ model, messages: [{ role: "user", content }] }),
    });
  const pool: Opened["pool"] = async () =>
    (await (await connection.request({ method: "GET", path: "/host/v1/pool" })).body.json()) as HostPool;
  const hello: Opened["hello"] = async () =>
    (await (await connection.request({ method: "GET", path: "/host/v1/hello" })).body.json()) as HostHello;
  const reserve: Opened["reserve"] = async (reservations) => {
    const body = JSON.stringify({ seconds: 3_600, reservations });
    const { statusCode, body: answer } = await connection.request({ method: "POST", path: "/host/v1/lease", body });
    await answer.dump();
    return statusCode;
  };
  return { host, ask, pool, hello, reserve, log, hung, folder };
}

async function said(response: Dispatcher.ResponseData): Promise<string> {
  const body = (await response.body.json()) as { error?: { code: string } };
  return body.error === undefined ? String(response.statusCode) : `${response.statusCode} ${body.error.code}`;
}

const stateOf = (pool: HostPool, name: string): string => pool.models.find((model) => model.name === name)!.state;

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 6_000; tries++) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail("it does not come");
}

test("models come on demand in the place of idle ones, and the view says what is where", async (context) => {
  const { ask, pool } = await open(context, { models: [{ name: "a" }, { name: "b" }, { name: "c" }] });
  await until(async () => stateOf(await pool(), "b") === "resident");
  assert.equal(stateOf(await pool(), "c"), "absent");
  assert.equal(await said(await ask("c")), "200");
  const { device, models, totals } = await pool();
  assert.equal(models.filter(({ state }) => state === "resident").length, 2);
  assert.equal(device.usedBytes, 2 * gigabyte);
  assert.deepEqual([totals.loads, totals.evictions, totals.ended, totals.inTime], [3, 1, 1, 1]);
});

test("the view says what the settings say of a model's stay in memory, and nothing where they do not", async (context) => {
  const { pool } = await open(context, {
    models: [
      { name: "a", pin: true, keepWarmMs: 0 },
      { name: "b", keepWarmMs: 1_000, unloadAfterMs: 0 },
      { name: "c" },
    ],
  });
  const stays = (await pool()).models.map(({ isPinned, keepWarmMs, unloadAfterMs }) => [
    isPinned,
    keepWarmMs,
    unloadAfterMs,
  ]);
  assert.deepEqual(stays, [
    [true, undefined, undefined],
    [false, 1_000, 0],
    [false, undefined, undefined],
  ]);
});

test("a model that was never loaded is promised by how long the others took", async (context) => {
  const { pool } = await open(context, { memoryBytes: gigabyte * 1.5, fake: { loadMs: 1_500 } });
  const firstTokenMs = (await pool()).models.find(({ name }) => name === "b")!.firstTokenMs!;
  assert.ok(firstTokenMs >= 1_400, `${firstTokenMs} ms`);
});

test("while one model is loaded the others answer", async (context) => {
  const { ask, pool } = await open(context, { memoryBytes: gigabyte * 1.5, fake: { loadMs: 300, tokenMs: 5 } });
  const slow = ask("b");
  await until(async () => (await pool()).device.loading?.model === "b");
  assert.equal(await said(await slow), "200");
});

test("a load that fails: its requests are refused with when to come again, the others go on", async (context) => {
  const { ask, pool, log } = await open(context, {
    fake: { failLoads: ["b"] },
    settings: { objective: { ttftMs: 1_500, tpotMs: 500 } },
  });
  const failed = ask("b");
  assert.equal(await said(await ask("a")), "200");
  const response = await failed;
  assert.ok(Number(response.headers["retry-after"]) >= 1);
  assert.match(await said(response), /^503 (engine_unavailable|overloaded)$/);
  assert.equal(stateOf(await pool(), "b"), "failed");
  assert.ok(log.some((line) => line.includes("could not be loaded") && line.includes("the script cannot load b")));
});

test("a model whose file the engine cannot read is told of, with those that were missing before; the others are served", async (context) => {
  const missing = { model: "c", code: "model_unavailable", message: "nobody has it", next: "Look." };
  const { ask, hello, log } = await open(context, {
    fake: { unreadable: ["b"] },
    settings: { faults: [missing] },
  });
  assert.equal(await said(await ask("a")), "200");
  const { models, faults } = await hello();
  assert.deepEqual(
    models.map(({ name }) => name),
    ["a"],
  );
  assert.deepEqual(faults![0], missing);
  assert.deepEqual([faults![1]!.model, faults![1]!.code], ["b", "model_invalid"]);
  assert.match(faults![1]!.message, /the script cannot read b/);
  for (const name of ["b", "c"])
    assert.ok(log.some((line) => line.includes("a model is not served") && line.includes(`"model":"${name}"`)));
});

test("where no model can be loaded the host does not start, and says why", async (context) => {
  await assert.rejects(open(context, { fake: { failLoads: ["a", "b"] } }), /the script cannot load/);
});

test("a load that hangs counts as failed after its time; the others go on", async (context) => {
  const { ask, pool, hung } = await open(context, { fake: { hangLoads: ["b"] }, loadTimeoutMs: 200 });
  const waiting = ask("b", "Say it.", { "bailiwick-objective": "1000/500" });
  assert.equal(await said(await ask("a")), "200");
  await until(async () => stateOf(await pool(), "b") === "failed");
  assert.equal(await said(await ask("a")), "200");
  assert.match(await said(await waiting), /^503 (engine_unavailable|overloaded)$/);
  assert.deepEqual(hung, [], "this engine computes while it loads: it can live with that");
});

test("a model at whose loading the process ended is left alone for a while, and the others are loaded", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-floor-"));
  const counts = join(folder, "counts");
  mkdirSync(counts);
  writeFileSync(join(counts, "loading.json"), JSON.stringify({ model: "a", deaths: 0, atMs: Date.now() }));
  const { ask, pool } = await open(context, { folder });
  assert.equal(stateOf(await pool(), "a"), "failed");
  const refused = await ask("a");
  assert.ok(Number(refused.headers["retry-after"]) >= 8, "as long as it rests");
  assert.equal(await said(refused), "503 engine_unavailable");
  assert.equal(await said(await ask("b")), "200");
});

test("a disk that takes nothing keeps no model from being loaded; that nothing is remembered is said once", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-floor-"));
  // Where a file would have to be: writing and removing it fail, as on a disk that is full or read-only.
  const mark = join(folder, "counts", "loading.json");
  mkdirSync(join(mark, "in-the-way"), { recursive: true });
  mkdirSync(join(folder, "counts", "sizes.json"));
  const { ask, log } = await open(context, { folder });
  for (const model of ["a", "b"]) assert.equal(await said(await ask(model)), "200");
  assert.equal(log.filter((line) => line.includes("cannot be written down")).length, 1);
  rmSync(mark, { recursive: true });
});

test("a model without room on the device: its requests are refused, and the log says what would have it", async (context) => {
  const large = { fake: { loadedBytes: 3 * gigabyte }, memoryBytes: 2 * gigabyte };
  const log: string[] = [];
  await assert.rejects(open(context, large), (error: Error) => {
    assert.match(
      error.message,
      /^no model has room in 2000000000 bytes \(engine\.memoryBytes\): the smallest, a, needs/,
    );
    assert.match(error.message, /needs 3000000000 with its context\. Set engine\.memoryBytes to 3000000000 or more/);
    return true;
  });
  assert.deepEqual(log, []);
});

test("ten thousand requests at once: as many as may wait are answered, the rest is refused at once with when to come", async (context) => {
  const { ask, pool } = await open(context, {
    fake: { tokenMs: 2 },
    settings: { queuedPerModel: 20 },
  });
  const answers = await Promise.all(Array.from({ length: 10_000 }, (_, index) => ask(index % 2 === 0 ? "a" : "b")));
  const counted = new Map<string, number>();
  for (const response of answers) {
    if (response.statusCode === 503) assert.ok(Number(response.headers["retry-after"]) >= 1);
    const how = await said(response);
    counted.set(how, (counted.get(how) ?? 0) + 1);
  }
  assert.deepEqual([...counted.keys()].toSorted(), ["200", "503 overloaded"]);
  assert.ok(counted.get("200")! >= 44, JSON.stringify([...counted]));
  const { pending, models } = await pool();
  assert.deepEqual([pending, ...models.map(({ waiting, running }) => waiting + running)], [0, 0, 0]);
});

test("a reserved device is its tenant's; what gives way may use what is left idle", async (context) => {
  const { ask, reserve } = await open(context, {});
  const device = "host_01HF7YAT000000000000000000";
  assert.equal(await reserve([{ id: "rsv_1", tenant: "prj_1", device }]), 200);
  assert.equal(await said(await ask("a", "Say it.", { "bailiwick-tenant": "prj_2" })), "503 overloaded");
  assert.equal(await said(await ask("a", "Say it.", { "bailiwick-tenant": "prj_1" })), "200");
  const batch = { "bailiwick-tenant": "prj_2", "bailiwick-preemptible": "yes" };
  assert.equal(await said(await ask("a", "Say it.", batch)), "200");
  // Until the first of what others have ends, at most an hour; what somebody has himself is in nobody's way.
  for (const [untilMs, seconds] of [
    [Date.now() + 1_500_000, 1_500],
    [Date.now() + 86_400_000, 3_600],
  ] as const) {
    assert.equal(await reserve([{ id: "rsv_1", tenant: "prj_1", device, untilMs }]), 200);
    const refused = await ask("a", "Say it.", { "bailiwick-tenant": "prj_2" });
    assert.equal(refused.statusCode, 503);
    await refused.body.dump();
    assert.ok(Math.abs(Number(refused.headers["retry-after"]) - seconds) <= 2, String(refused.headers["retry-after"]));
  }
  assert.equal(await reserve([]), 200);
  assert.equal(await said(await ask("a", "Say it.", { "bailiwick-tenant": "prj_2" })), "200");
  assert.equal(await reserve([{ id: "rsv_1", tenant: "prj_1", share: 2 }]), 400);
});

test("a model whose file has changed since it was verified is not served, and nobody leaves for it again", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-floor-"));
  const [path, aside] = [join(folder, "a.gguf"), join(folder, "aside")];
  writeFileSync(path, "as it was verified");
  const identity = await identityOf(path);
  const { ask, pool, log } = await open(context, {
    folder,
    memoryBytes: 1.5 * gigabyte,
    models: [{ name: "a", path, identity, unloadAfterMs: 1 }, { name: "b" }],
  });
  assert.equal(await said(await ask("a")), "200");
  await until(async () => stateOf(await pool(), "a") === "absent");
  renameSync(path, aside);
  writeFileSync(path, "another one");
  assert.equal(await said(await ask("a")), "503 engine_unavailable");
  assert.ok(log.some((line) => line.includes("has changed since it was verified")));
  assert.equal(await said(await ask("b")), "200");
  const { evictions, failedLoads } = (await pool()).totals;
  for (let asked = 0; asked < 5; asked++) {
    const refused = await ask("a");
    assert.ok(Number(refused.headers["retry-after"]) >= 1);
    assert.equal(await said(refused), "503 engine_unavailable");
    assert.equal(await said(await ask("b")), "200");
  }
  const { totals } = await pool();
  assert.deepEqual([totals.evictions, totals.failedLoads], [evictions, failedLoads]);
  renameSync(aside, path);
  await until(async () => (await said(await ask("a"))) === "200");
});

test("where nothing is to be loaded ahead the host is ready at once, and loads when it is asked", async (context) => {
  const { ask, pool } = await open(context, { models: [{ name: "a", unloadAfterMs: 100 }] });
  assert.equal(stateOf(await pool(), "a"), "absent");
  assert.equal(await said(await ask("a")), "200");
  await until(async () => stateOf(await pool(), "a") === "absent");
});

test("what models take is read once, and kept for the next start", async (context) => {
  const { folder } = await open(context, {});
  const kept = Object.values(JSON.parse(readFileSync(join(folder, "counts", "sizes.json"), "utf8")) as object);
  assert.equal(kept.length, 2);
});

test("turns of two models change over: neither waits for the other's end", async (context) => {
  const { ask } = await open(context, { fake: { tokenMs: 5, answerTokens: 600 } });
  const ends: string[] = [];
  const long = ask("a").then(async (response) => (await response.body.dump(), ends.push("long")));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const short = ask("b", "Say it. [[fake:tokens=3]]").then(
    async (response) => (await response.body.dump(), ends.push("short")),
  );
  await Promise.all([long, short]);
  assert.deepEqual(ends, ["short", "long"]);
});
