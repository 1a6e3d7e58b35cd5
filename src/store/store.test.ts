import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { sql } from "kysely";
import {
  createIds,
  formatExact,
  type GatewayId,
  type InstallationId,
  type KeyId,
  type OrganisationId,
  type ProjectId,
  sleep,
  systemClock,
} from "../base/index.ts";
import { connect } from "./connect.ts";
import type { EmbeddedConnection } from "./embedded/index.ts";
import {
  type Batch,
  change,
  findReceipt,
  isDatabaseAway,
  isDatabaseBusy,
  latestSchema,
  openStore,
  readEpochs,
  readWatermark,
  type Settlement,
  type SettlementFacts,
  ship,
  spentThisMonth,
  type Store,
  usageReport,
} from "./index.ts";
import { refusalsKept } from "./ship.ts";
import { settlementFacts, type TemporaryPostgres, temporaryPostgres } from "./testing.ts";

const ids = createIds(systemClock);
const gateway: GatewayId = ids.mint("gw");
const installation: InstallationId = ids.mint("inst");
let temporary: TemporaryPostgres;
const opened: Store[] = [];

before(async () => {
  temporary = await temporaryPostgres();
});

after(async () => {
  for (const store of opened) await store.close();
  await temporary.remove();
});

async function open(connection?: EmbeddedConnection): Promise<Store> {
  const store = await openStore({
    connection: connection ?? (await temporary.emptyDatabase()),
    installation,
    clock: systemClock,
    log: () => {},
  });
  assert.ok(store.outcome === "opened");
  opened.push(store);
  return store;
}

const noon = Date.UTC(2026, 10, 24, 12);

/** A settlement as the journal has it; `v` stands for what a body says beside its facts. */
function settlement(more: Partial<SettlementFacts> = {}, row: Partial<Settlement> = {}): Settlement {
  const facts = settlementFacts(ids.mint("rcpt"), { listAmount: "0.000000000000000001", ...more });
  const body = JSON.stringify({ v: 1, ...facts });
  return { request: ids.mint("req"), position: { segment: 1, offset: 0 }, body, ...row };
}

const unproven = { usage: null, listAmount: null, unrated: "no running usage", upperBoundTokens: 512 };

function batch(more: Partial<Batch> = {}): Batch {
  const to = { segment: 1, offset: 100 };
  return { gateway, from: undefined, isDurable: true, to, settlements: [], receiptBatches: [], refusals: [], ...more };
}

test("a database belongs to one installation; opening it again changes nothing", async () => {
  const connection = await temporary.emptyDatabase();
  const first = await open(connection);
  assert.equal(first.schema, latestSchema);
  await open(connection);
  const foreign = await openStore({ connection, installation: ids.mint("inst"), clock: systemClock, log: () => {} });
  assert.equal(foreign.outcome === "refused" && foreign.reason, "foreign_database");
});

test("several that open an empty database at once agree", async () => {
  const connection = await temporary.emptyDatabase();
  const stores = await Promise.all([open(connection), open(connection), open(connection)]);
  assert.deepEqual(
    stores.map((store) => store.schema),
    [latestSchema, latestSchema, latestSchema],
  );
});

test("a schema newer than the code is refused", async () => {
  const connection = await temporary.emptyDatabase();
  const store = await open(connection);
  await sql`INSERT INTO kysely_migration (name, timestamp) VALUES ('2999-01-01-later', 'then')`.execute(store.db);
  const refused = await openStore({ connection, installation, clock: systemClock, log: () => {} });
  assert.equal(refused.outcome === "refused" && refused.reason, "newer_schema");
  assert.match(refused.outcome === "refused" ? refused.message : "", /2999-01-01-later/);
});

test("a batch is in the tables exactly once, whatever is tried again", async () => {
  const { db } = await open();
  const one = batch({ settlements: [settlement(), settlement()] });
  assert.deepEqual(await ship(db, one), { outcome: "shipped", repeated: 0 });
  assert.deepEqual(await ship(db, one), { outcome: "shipped_before" });
  const wrong = batch({
    from: { segment: 1, offset: 50 },
    to: { segment: 1, offset: 200 },
    settlements: [settlement()],
  });
  assert.deepEqual(await ship(db, wrong), { outcome: "elsewhere", watermark: { segment: 1, offset: 100 } });
  const unaware = batch({ to: { segment: 1, offset: 300 }, settlements: [settlement()] });
  assert.deepEqual(await ship(db, unaware), { outcome: "elsewhere", watermark: { segment: 1, offset: 100 } });
  const two = batch({ from: one.to, to: { segment: 2, offset: 0 }, settlements: [settlement(), ...one.settlements] });
  assert.deepEqual(await ship(db, two), { outcome: "shipped", repeated: 2 });
  assert.deepEqual(await readWatermark(db, gateway), { segment: 2, offset: 0 });
  assert.equal((await usageReport(db, { by: [] })).rows[0]?.requests, 3);
});

test("two shippers of one gateway at the same moment: one of them moves the watermark", async () => {
  const { db } = await open();
  for (const from of [undefined, { segment: 1, offset: 100 }]) {
    const to = { segment: 1, offset: (from?.offset ?? 0) + 100 };
    const tries = [1, 2, 3, 4].map((extra) =>
      ship(
        db,
        batch({ from, to: { segment: 1, offset: to.offset + (extra > 1 ? extra : 0) }, settlements: [settlement()] }),
      ),
    );
    const outcomes = await Promise.all(tries);
    assert.equal(outcomes.filter((outcome) => outcome.outcome === "shipped").length, 1);
    // The next round starts from where the winner left it.
    await db.updateTable("watermarks").set({ segment: 1, recordOffset: to.offset }).execute();
  }
  assert.equal((await usageReport(db, { by: [] })).rows[0]?.requests, 2);
});

test("a batch with a row that the schema refuses leaves nothing behind", async () => {
  const { db } = await open();
  const settlements = [settlement(), settlement({ usage: null })];
  await assert.rejects(ship(db, batch({ settlements })), /usage_is_rated_or_says_why/);
  assert.equal(await readWatermark(db, gateway), undefined);
  assert.deepEqual((await usageReport(db)).rows, []);
});

test("a client's text that PostgreSQL cannot hold does not stop the books", async () => {
  const { db } = await open();
  const body = `{"model":"\u0000\ud800 x"}`;
  const refusal = { position: { segment: 1, offset: 8 }, atMs: noon, code: "model_not_found", body };
  assert.equal((await ship(db, batch({ refusals: [refusal] }))).outcome, "shipped");
  const row = await db.selectFrom("refusals").selectAll().executeTakeFirstOrThrow();
  assert.equal(row.body, `{"model":"\uFFFD\uFFFD x"}`);
  assert.equal(row.at.getTime(), noon);
});

test("only the newest refusals are kept", async () => {
  const { db } = await open();
  await sql`INSERT INTO refusals (gateway, segment, record_offset, at, code, body)
    SELECT 'gw_OLD', 0, n, now(), 'rate_limited', '{}' FROM generate_series(1, ${refusalsKept}) n`.execute(db);
  const refusal = { position: { segment: 1, offset: 8 }, atMs: noon, code: "rate_limited", body: "{}" };
  await ship(db, batch({ refusals: [refusal] }));
  const { rows } = await sql<{ count: string; least: string }>`
    SELECT count(*), min(record_offset) AS least FROM refusals WHERE gateway = 'gw_OLD'`.execute(db);
  assert.deepEqual(rows, [{ count: String(refusalsKept - 1), least: "2" }]);
});

test("a receipt is found by its own project only, and its text is the journal's", async () => {
  const { db } = await open();
  const start = { segment: 1, offset: 8 };
  const hashes = Buffer.from(Array.from({ length: 96 }, (_, index) => index * 7));
  const payloads = ['{"a":"\\u0000 – \u2028 \\ud800 \\\\","b":[1, 2]}', '"no object"', "é,{\\N\t}"];
  const receipts = payloads.map((payload, leaf) => ({ id: ids.mint("rcpt"), proof: { batch: start, leaf, payload } }));
  const settlements = receipts.map(({ id, proof }, index) =>
    settlement({ receipt: id }, { position: { segment: 1, offset: 8 + index }, receipt: proof }),
  );
  const without = ids.mint("rcpt");
  const receiptBatches = [{ start, hashes, seal: '{"sig":"x"}' }];
  await ship(db, batch({ settlements: [settlement({ receipt: without }), ...settlements], receiptBatches }));
  for (const [index, { id }] of receipts.entries()) {
    const expected = { payload: payloads[index], batch: start, index, hashes, seal: '{"sig":"x"}' };
    assert.deepEqual(await findReceipt(db, id, "prj_A"), expected);
    assert.equal(await findReceipt(db, id, "prj_B"), undefined);
  }
  assert.equal(await findReceipt(db, without, "prj_A"), undefined);
  assert.equal(await findReceipt(db, ids.mint("rcpt"), "prj_A"), undefined);
});

test("a receipt of two lines, which the journal cannot hold, shifts nobody else's", async () => {
  const { db } = await open();
  const start = { segment: 1, offset: 8 };
  const receiptBatches = [{ start, hashes: Buffer.alloc(64), seal: "{}" }];
  const settlements = ["{\n}", "{}"].map((payload, leaf) =>
    settlement({}, { receipt: { batch: start, leaf, payload } }),
  );
  await assert.rejects(ship(db, batch({ settlements, receiptBatches })), { code: "23502" });
  assert.equal(await readWatermark(db, gateway), undefined);
});

test("a batch of receipts that is there already is told as a defect", async () => {
  const { db } = await open();
  const receiptBatches = [{ start: { segment: 1, offset: 8 }, hashes: Buffer.alloc(32), seal: "{}" }];
  await ship(db, batch({ receiptBatches }));
  const again = batch({ from: { segment: 1, offset: 100 }, to: { segment: 1, offset: 200 }, receiptBatches });
  await assert.rejects(ship(db, again), /receipt_batches_pkey/);
  assert.deepEqual(await readWatermark(db, gateway), { segment: 1, offset: 100 });
});

test("every fact of a settlement is in its column, to the millisecond, and what it does not say is null", async () => {
  const { db } = await open();
  const model = `m "\\ \n\u0000\ud800x\udc00 \u{1f388}`;
  const startedAtMs = Date.UTC(2255, 0, 1) - 1;
  const receipt = ids.mint("rcpt");
  const whole = settlement(
    { model, receipt, startedAtMs, endedAtMs: -1, tier: "batch", objective: { ttftMs: 300_000, tpotMs: 2_000 } },
    { position: { segment: 7, offset: 2 ** 30 } },
  );
  const rest = { currency: null, priceVersion: null };
  const bare = settlement({ ...unproven, ...rest, unrated: "\u0000", upperBoundTokens: Number.MAX_SAFE_INTEGER });
  await ship(db, batch({ settlements: [whole, bare] }));
  const row = async ({ request }: Settlement) =>
    db.selectFrom("usage").selectAll().where("request", "=", request).executeTakeFirstOrThrow();
  const { startedAt, endedAt, ...texts } = await row(whole);
  assert.deepEqual([startedAt.getTime(), endedAt.getTime()], [startedAtMs, -1]);
  assert.deepEqual(texts, {
    request: whole.request,
    gateway,
    segment: "7",
    recordOffset: String(2 ** 30),
    organisation: "org_A",
    project: "prj_A",
    key: "key_A",
    model: `m "\\ \n\uFFFD\uFFFDx\uFFFD \u{1f388}`,
    endpoint: "chat.completions",
    site: "local",
    ending: "stop",
    day: "2254-12-31",
    inputTokens: "30",
    cachedInputTokens: "10",
    outputTokens: "5",
    reasoningTokens: "0",
    unrated: null,
    upperBoundTokens: null,
    amountBound: null,
    listAmount: "0.000000000000000001",
    currency: "EUR",
    priceVersion: "2026-01",
    receipt,
    tier: "batch",
    ttftMs: "300000",
    tpotMs: "2000",
    isLate: false,
    decision: "d1",
    destination: "host_A",
  });
  const { inputTokens, reasoningTokens, unrated, upperBoundTokens, listAmount, currency, priceVersion } =
    await row(bare);
  assert.deepEqual(
    [inputTokens, reasoningTokens, unrated, upperBoundTokens, listAmount, currency, priceVersion],
    [null, null, "\uFFFD", String(Number.MAX_SAFE_INTEGER), null, null, null],
  );
});

test("a body's times and texts come out as they went in (property)", async () => {
  const { db } = await open();
  const written = fc.record({
    startedAtMs: fc.integer({ min: 0, max: Date.UTC(2255, 0, 1) }),
    model: fc.string({
      unit: fc.constantFrom("\u0000", "\u0001", "\ud800", "\\", '"', "u0000", "\u2028", "é", "\u{1f388}", "a"),
    }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(written, { minLength: 1, maxLength: 20 }), async (facts) => {
      await sql`TRUNCATE usage, watermarks`.execute(db);
      const settlements = facts.map((each, offset) => settlement(each, { position: { segment: 1, offset } }));
      await ship(db, batch({ settlements }));
      const rows = await db.selectFrom("usage").select(["startedAt", "model"]).orderBy("recordOffset").execute();
      assert.deepEqual(
        rows.map(({ startedAt, model }) => ({ startedAtMs: startedAt.getTime(), model })),
        facts.map(({ startedAtMs, model }) => ({
          startedAtMs,
          model: model.toWellFormed().replaceAll("\u0000", "\uFFFD"),
        })),
      );
    }),
    { numRuns: 40 },
  );
});

test("usage is told apart, added up exactly, named and filtered", async () => {
  const { db } = await open();
  const createdAt = new Date(noon);
  await db.insertInto("organisations").values({ id: "org_A", name: "clinic", createdAt }).execute();
  const project = { organisation: "org_A" as const, createdAt, dataClass: "personal" };
  await db
    .insertInto("projects")
    .values([
      { ...project, id: "prj_A", name: "ward" },
      { ...project, id: "prj_B", name: "lab" },
    ])
    .execute();
  const rows = [
    settlement({ listAmount: "0.1" }),
    settlement({ listAmount: "9999999999999.000000000000000001" }),
    settlement({ startedAtMs: Date.UTC(2026, 10, 24, 23, 59, 59, 999), endedAtMs: Date.UTC(2026, 10, 25) }),
    settlement({ startedAtMs: Date.UTC(2026, 10, 25) }),
    settlement({ ...unproven, project: "prj_B" }),
  ];
  await ship(db, batch({ settlements: rows }));
  const report = await usageReport(db);
  assert.equal(report.truncated, false);
  assert.deepEqual(
    report.rows.map((row) => [row.organisationName, row.projectName, row.keyName, row.day, row.requests, row.amount]),
    [
      ["clinic", "ward", "key_A", "2026-11-24", 3, "9999999999999.100000000000000002"],
      ["clinic", "ward", "key_A", "2026-11-25", 1, "0.000000000000000001"],
      ["clinic", "lab", "key_A", "2026-11-24", 1, "0"],
    ],
  );
  assert.deepEqual((await usageReport(db, { project: "lab", by: ["project", "model"] })).rows, [
    {
      project: "prj_B",
      projectName: "lab",
      model: "smollm2-135m-instruct",
      requests: 1,
      inputTokens: 0,
      cachedInputTokens: 0,
      outputTokens: 0,
      reasoningTokens: 0,
      unrated: 1,
      amount: "0",
      currency: "EUR",
    },
  ]);
  const requests = async (question: Parameters<typeof usageReport>[1]): Promise<number> =>
    (await usageReport(db, { by: [], ...question })).rows[0]?.requests ?? 0;
  assert.equal(await requests({ project: "prj_A", organisation: "clinic", key: "key_A" }), 4);
  assert.equal(await requests({ fromDay: "2026-11-25", toDay: "2026-11-25" }), 1);
  assert.equal(await requests({ model: "another" }), 0);
  assert.deepEqual((await usageReport(db, { limit: 2 })).rows.length, 2);
  assert.equal((await usageReport(db, { limit: 2 })).truncated, true);
});

test("sums by any dimensions equal sums over the rows (property)", async () => {
  const store = await open();
  const tokens = fc.nat({ max: 1e9 });
  const row = fc.record({
    organisation: fc.constantFrom<OrganisationId>("org_A", "org_B"),
    project: fc.constantFrom<ProjectId>("prj_A", "prj_B"),
    key: fc.constantFrom<KeyId>("key_A", "key_B"),
    model: fc.constantFrom("m", "n"),
    currency: fc.constantFrom("EUR", "CHF"),
    startedAtMs: fc.constantFrom(noon, noon + 86_400_000, Date.UTC(2026, 9, 31, 23, 59)),
    exact: fc.bigInt({ min: 0n, max: 10n ** 36n }),
    usage: fc.record({
      inputTokens: tokens,
      cachedInputTokens: tokens,
      outputTokens: tokens,
      reasoningTokens: tokens,
    }),
  });
  const by = fc.subarray(["organisation", "project", "key", "model", "day"] as const);
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 30 }), by, async (rows, by) => {
      await sql`TRUNCATE usage, watermarks`.execute(store.db);
      await ship(
        store.db,
        batch({ settlements: rows.map(({ exact, ...one }) => settlement({ ...one, listAmount: formatExact(exact) })) }),
      );
      const expected = new Map<string, { requests: number; tokens: number; exact: bigint }>();
      const add = (name: string, one: (typeof rows)[number]): void => {
        const sum = expected.get(name) ?? { requests: 0, tokens: 0, exact: 0n };
        sum.requests += 1;
        sum.tokens += one.usage.inputTokens;
        sum.exact += one.exact;
        expected.set(name, sum);
      };
      for (const one of rows) {
        const day = new Date(one.startedAtMs).toISOString().slice(0, 10);
        add([...by.map((name) => ({ ...one, day })[name]), one.currency].join(), one);
      }
      const report = await usageReport(store.db, { by });
      const found = report.rows.map((one) => [[...by.map((name) => one[name]), one.currency].join(), one] as const);
      assert.equal(found.length, expected.size);
      for (const [name, one] of found) {
        const sum = expected.get(name);
        assert.ok(sum, name);
        assert.deepEqual(
          [one.requests, one.inputTokens, one.amount],
          [sum.requests, sum.tokens, formatExact(sum.exact)],
        );
      }
    }),
    { numRuns: 40 },
  );
});

test("a month's spending by organisation, project and key comes with the watermarks it includes", async () => {
  const { db } = await open();
  const amounts = { listAmount: "1.5" };
  const rows = [
    settlement(amounts),
    settlement({ ...amounts, project: "prj_B", key: "key_B" }),
    settlement({ ...amounts, startedAtMs: Date.UTC(2026, 9, 31, 23, 59, 59, 999), endedAtMs: noon }),
    settlement({ ...amounts, startedAtMs: Date.UTC(2026, 11, 1) }),
    // What nobody can count is charged with its bound; without a price there is none.
    settlement({ ...unproven, amountBound: "0.25" }),
    settlement(unproven),
  ];
  await ship(db, batch({ settlements: rows }));
  const { spent, watermarks } = await spentThisMonth(db, noon);
  assert.deepEqual(spent.map((one) => `${one.scope} ${one.id} ${one.amount} ${one.currency}`).toSorted(), [
    "key key_A 1.75 EUR",
    "key key_B 1.5 EUR",
    "organisation org_A 3.25 EUR",
    "project prj_A 1.75 EUR",
    "project prj_B 1.5 EUR",
  ]);
  assert.deepEqual([...watermarks], [[gateway, { segment: 1, offset: 100 }]]);
});

test("a change and its epoch are committed together, or neither is", async () => {
  const { db } = await open();
  assert.deepEqual(await readEpochs(db), { hosts: 0, keys: 0, policy: 0, prices: 0, reservations: 0 });
  const organisation = { id: "org_A" as const, name: "clinic", createdAt: new Date(noon) };
  const number = await change(db, "keys", async (transaction, epoch) => {
    await transaction.insertInto("organisations").values(organisation).execute();
    assert.equal((await readEpochs(db)).keys, 0, "not seen before the commit");
    return epoch;
  });
  assert.equal(number, 1);
  await assert.rejects(
    change(db, "keys", async (transaction) => transaction.insertInto("organisations").values(organisation).execute()),
    { code: "23505" },
  );
  assert.deepEqual(await readEpochs(db), { hosts: 0, keys: 1, policy: 0, prices: 0, reservations: 0 });
  await Promise.all(
    Array.from({ length: 20 }, () => change(db, "policy", (_transaction, epoch) => Promise.resolve(epoch))),
  );
  assert.equal((await readEpochs(db)).policy, 20);
});

test("a PostgreSQL that goes away is told from a wrong statement, and is used again when it is back", async () => {
  const own = await temporaryPostgres();
  const store = await openStore({
    connection: own.postgres.connection,
    installation,
    clock: systemClock,
    log: () => {},
  });
  assert.ok(store.outcome === "opened");
  try {
    const wrong = await sql`SELECT nothing`.execute(store.db).catch((error: unknown) => error);
    assert.equal(isDatabaseAway(wrong), false);
    // A statement under way, an idle connection, and then none at all.
    const running = sql`SELECT pg_sleep(60)`.execute(store.db).catch((error: unknown) => error);
    await sql`SELECT 1`.execute(store.db);
    const stopped = own.postgres.stop();
    assert.equal(isDatabaseAway(await running), true);
    await stopped;
    for (let attempt = 0; attempt < 3; attempt++) {
      const error: unknown = await ship(store.db, batch({ settlements: [settlement()] })).catch(
        (error: unknown) => error,
      );
      assert.equal(isDatabaseAway(error), true, String(error));
    }
  } finally {
    await store.close();
    await own.remove();
  }
});

test("connections come back by themselves after PostgreSQL was killed and restarted", async () => {
  const own = await temporaryPostgres();
  const store = await openStore({
    connection: own.postgres.connection,
    installation,
    clock: systemClock,
    log: () => {},
  });
  assert.ok(store.outcome === "opened");
  try {
    const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(store.db);
    process.kill(rows[0]?.pid ?? 0, "SIGKILL"); // A backend's crash makes PostgreSQL end all others and recover.
    const one = batch({ settlements: [settlement()] });
    const startMs = systemClock.monotonicMs();
    for (;;) {
      const outcome: unknown = await ship(store.db, one).catch((error: unknown) => error);
      if (!(outcome instanceof Error)) break;
      assert.equal(isDatabaseAway(outcome), true, String(outcome));
      assert.ok(systemClock.monotonicMs() - startMs < 60_000);
      await sleep(systemClock, 20);
    }
    assert.equal((await usageReport(store.db, { by: [] })).rows[0]?.requests, 1);
  } finally {
    await store.close();
    await own.remove();
  }
});

test("what was asked of policy is kept once for each decision, and rows name it", async () => {
  const store = await open(await temporary.emptyDatabase());
  const said = { question: { model: "m" }, candidates: [] };
  const settlements = [
    settlement({}, { position: { segment: 1, offset: 0 } }),
    settlement({ placement: null }, { position: { segment: 1, offset: 10 } }),
    settlement({}, { position: { segment: 1, offset: 20 } }),
    settlement({ decision: "d2", destination: "host_B", placement: null }, { position: { segment: 1, offset: 30 } }),
  ];
  const earlier = settlement({}, { position: { segment: 1, offset: 40 } });
  const { decision: _, destination: __, placement: ___, ...plain } = JSON.parse(earlier.body) as SettlementFacts;
  await ship(store.db, batch({ settlements: [...settlements, { ...earlier, body: JSON.stringify(plain) }] }));
  const rows = await store.db.selectFrom("usage").select(["decision", "destination"]).orderBy("recordOffset").execute();
  assert.deepEqual(
    rows.map(({ decision, destination }) => [decision, destination]),
    [
      ["d1", "host_A"],
      ["d1", "host_A"],
      ["d1", "host_A"],
      ["d2", "host_B"],
      [null, null],
    ],
  );
  const decisions = await store.db.selectFrom("decisions").select(["digest", "body"]).execute();
  assert.deepEqual(
    decisions.map(({ digest, body }) => [digest, JSON.parse(body)]),
    [["d1", said]],
  );
});

test("of an answer that outlasts the erasure of its project the usage is kept, and nothing else", async () => {
  const { db } = await open();
  const [organisation, project] = [ids.mint("org"), ids.mint("prj")];
  const createdAt = new Date(noon);
  await db.insertInto("organisations").values({ id: organisation, name: "clinic", createdAt }).execute();
  const row = { id: project, organisation, name: "ward", createdAt, dataClass: "personal", erasedAt: createdAt };
  await db.insertInto("projects").values(row).execute();
  const receipt = (leaf: number) => ({ batch: { segment: 1, offset: 0 }, leaf, payload: "{}" });
  const late = settlement({ organisation, project, decision: "of the erased" }, { receipt: receipt(0) });
  const other = settlement({ decision: "of another" }, { receipt: receipt(1) });
  const start = { segment: 1, offset: 0 };
  const receiptBatches = [{ start, hashes: Buffer.alloc(64), seal: "{}" }];
  await ship(db, batch({ settlements: [late, other], receiptBatches }));
  assert.equal((await db.selectFrom("usage").select("request").execute()).length, 2);
  assert.deepEqual(await db.selectFrom("receipts").select("project").execute(), [{ project: "prj_A" }]);
  assert.deepEqual(await db.selectFrom("decisions").select("digest").execute(), [{ digest: "of another" }]);
});

test("a pool whose connections are all lent out is busy, and a server that is not there is not", async () => {
  const connection = await temporary.emptyDatabase();
  const reasonOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => assert.fail("there is none"),
      (reason: unknown) => reason,
    );
  const one = connect({ connection, log: () => {}, connections: 1, statementTimeoutMs: 0 });
  try {
    await one.transaction().execute(async (transaction) => {
      await sql`SELECT 1`.execute(transaction);
      assert.ok(isDatabaseBusy(await reasonOf(sql`SELECT 1`.execute(one))));
    });
  } finally {
    await one.destroy();
  }
  const nowhere = { ...connection, port: 1 };
  const away = connect({ connection: nowhere, log: () => {}, connections: 1, statementTimeoutMs: 0 });
  try {
    const reason = await reasonOf(sql`SELECT 1`.execute(away));
    assert.deepEqual([isDatabaseBusy(reason), isDatabaseAway(reason)], [false, true]);
  } finally {
    await away.destroy();
  }
});
