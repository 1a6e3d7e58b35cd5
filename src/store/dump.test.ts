import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sql } from "kysely";
import { createIds, type GatewayId, type InstallationId, ManualClock, systemClock } from "../base/index.ts";
import { receiptFile, verifyReceipt } from "../receipt/index.ts";
import type { DumpManifest } from "./dump.ts";
import type { EmbeddedConnection } from "./embedded/index.ts";
import {
  dump,
  findReceipt,
  latestSchema,
  openStore,
  readWatermark,
  restore,
  type Settlement,
  ship,
  type Store,
  usageReport,
} from "./index.ts";
import { tables } from "./schema.ts";
import { settlementFacts, type TemporaryPostgres, temporaryPostgres } from "./testing.ts";

const ids = createIds(systemClock);
const gateway: GatewayId = ids.mint("gw");
const installation: InstallationId = ids.mint("inst");
const clock = new ManualClock(Date.UTC(2026, 10, 24, 12));
const log = (): void => {};
const fixture = new URL("fixtures/2026-11-24-first/", import.meta.url).pathname;
let temporary: TemporaryPostgres;
let folder: string;
let folders = 0;

before(async () => {
  temporary = await temporaryPostgres();
  folder = await mkdtemp(join(tmpdir(), "bailiwick-dump-"));
});

after(async () => {
  await temporary.remove();
  await rm(folder, { recursive: true, force: true });
});

function freshFolder(): string {
  folders += 1;
  return join(folder, String(folders));
}

async function withStore<Result>(
  connection: EmbeddedConnection,
  work: (store: Store) => Promise<Result>,
  id = installation,
): Promise<Result> {
  const store = await openStore({ connection, installation: id, clock, log });
  assert.ok(store.outcome === "opened", store.outcome === "refused" ? store.message : "");
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Every table's rows as PostgreSQL writes them, in a fixed order. */
async function contents({ db }: Store): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const name of tables) {
    const { rows } = await sql<{ line: string }>`
      SELECT t::text AS line FROM ${sql.table(name)} t ORDER BY t::text COLLATE "C"`.execute(db);
    found[name] = rows.map((row) => row.line);
  }
  return found;
}

/** Rows with what a dump could lose: digits, microseconds, bytes, nulls, quotes, line ends of every kind. */
async function fillWithHardCases({ db }: Store): Promise<void> {
  await sql`INSERT INTO organisations (id, name, created_at, models, monthly_budget, requests_per_minute) VALUES
    ('org_A', ${'quote " back\\slash \u2028 \u2029 \u0085 \r\n Ünïcødé 🎈'}, '2026-11-24T12:00:00.123456Z',
     ${["a,b", 'c"d', "", "{x}"]}, 12345678901234567890.000000000000000001, 9223372036854775807),
    ('org_B', 'plain', '0001-01-01T00:00:00Z', '{}', 10.10, NULL)`.execute(db);
  await sql`INSERT INTO projects (id, organisation, name, created_at, data_class, processing) VALUES
    ('prj_A', 'org_A', 'p', '2026-11-24T12:00:00+02', 'personal', '{DE,EU}')`.execute(db);
  await sql`INSERT INTO keys (id, project, name, prefix, secret_hash, created_at, expires_at) VALUES
    ('key_A', 'prj_A', 'k', 'bw_abc', ${Buffer.from(Array.from({ length: 32 }, (_, index) => index * 8))},
     '2026-11-24T12:00:00Z', 'infinity')`.execute(db);
  await sql`INSERT INTO digest_keys (id, project, secret, created_at, erased_at) VALUES
    ('dgk_A', 'prj_A', ${Buffer.from([0, 255, 92, 10])}, '2026-11-24T12:00:00Z', NULL),
    ('dgk_B', 'prj_A', NULL, '2026-11-24T12:00:00Z', '2026-11-24T12:00:00.000001Z')`.execute(db);
  await ship(db, {
    gateway,
    from: undefined,
    isDurable: true,
    to: { segment: 3, offset: 4096 },
    settlements: [
      settlement(1, "0.000000000000000000"),
      {
        ...settlement(2, "123.4500"),
        receipt: { batch: { segment: 3, offset: 1 }, leaf: 0, payload: '{"text":"\\u0000 \u2028"}' },
      },
    ],
    receiptBatches: [
      { start: { segment: 3, offset: 1 }, hashes: Buffer.from([...Array(32).keys()].map((n) => n * 8)), seal: "{}" },
    ],
    refusals: [{ position: { segment: 3, offset: 9 }, atMs: clock.nowMs(), code: "rate_limited", body: "\u2028\n" }],
  });
  await sql`INSERT INTO reservations (id, project, device, share, starts_at, until_at, created_at, ended_at, note) VALUES
    ('rsv_A', 'prj_A', 'host "1"', NULL, '2026-12-01', '2026-12-02', '2026-11-24T12:00:00.5Z', NULL, NULL),
    ('rsv_B', 'prj_A', NULL, 0.2500, '2026-12-01', '2026-12-02', '2026-11-24', '2026-11-30', ${"\u2028"})`.execute(db);
  await sql`INSERT INTO usage (request, gateway, segment, record_offset, organisation, project, key, model, endpoint,
      site, ending, started_at, ended_at, unrated, upper_bound_tokens)
    VALUES ('req_X', ${gateway}, 3, 77, 'org_A', 'prj_A', 'key_A', 'm', 'e', 's', 'error',
      '2026-10-31T23:59:59.999999Z', '2026-11-01T00:00:00Z', 'power cut', 9007199254740993)`.execute(db);
}

function settlement(offset: number, listAmount: string): Settlement {
  const facts = settlementFacts(ids.mint("rcpt"), {
    listAmount,
    tier: "batch",
    objective: { ttftMs: 300_000, tpotMs: 2_000 },
  });
  return { request: ids.mint("req"), position: { segment: 3, offset }, body: JSON.stringify(facts) };
}

async function dumped(connection: EmbeddedConnection): Promise<{ to: string; manifest: DumpManifest }> {
  const to = freshFolder();
  const outcome = await dump({ connection, to, clock, log });
  assert.ok(outcome.outcome === "dumped");
  return { to, manifest: outcome.manifest };
}

test("a restored database is the dumped one, to the last digit", async () => {
  const source = await temporary.emptyDatabase();
  const before = await withStore(source, async (store) => {
    await fillWithHardCases(store);
    return contents(store);
  });
  const { to, manifest } = await dumped(source);
  assert.equal(manifest.installation, installation);
  assert.equal(manifest.createdAt, "2026-11-24T12:00:00.000Z");
  assert.deepEqual(
    (await readdir(to)).toSorted(),
    [...tables.map((name) => `${name}.ndjson`), "manifest.json"].toSorted(),
  );
  for (const name of await readdir(to)) assert.equal((await stat(join(to, name))).mode & 0o777, 0o600);
  assert.equal((await stat(to)).mode & 0o777, 0o700);

  const target = await temporary.emptyDatabase();
  assert.equal((await restore({ connection: target, from: to, log })).outcome, "restored");
  await withStore(target, async (store) => {
    assert.deepEqual(await contents(store), before);
    // The identity column counts on behind the restored rows, and shipping goes on from the watermark.
    const from = { segment: 3, offset: 4096 };
    const refusals = [{ position: from, atMs: 0, code: "rate_limited", body: "{}" }];
    const next = {
      gateway,
      from,
      isDurable: true,
      to: { segment: 4, offset: 0 },
      settlements: [],
      receiptBatches: [],
      refusals,
    };
    assert.equal((await ship(store.db, next)).outcome, "shipped");
    const numbers = await store.db.selectFrom("refusals").select("number").orderBy("number").execute();
    assert.deepEqual(
      numbers.map((row) => row.number),
      ["1", "2"],
    );
  });
});

test("every table is in the dump", async () => {
  const connection = await temporary.emptyDatabase();
  const found = await withStore(connection, async ({ db }) => {
    const { rows } = await sql<{ name: string }>`
      SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`.execute(db);
    return rows.map((row) => row.name).filter((name) => !name.startsWith("kysely_"));
  });
  assert.deepEqual(found.toSorted(), [...tables].toSorted());
});

test("a dump that is taken while writes go on is one moment's state: the watermark is that of its rows", async () => {
  const source = await temporary.emptyDatabase();
  await withStore(source, async ({ db }) => {
    // Each batch of 50 moves the watermark by 50: rows and watermark agree at every moment, and at no other.
    let offset = 0;
    const writer = { stopped: false };
    const write = async (): Promise<void> => {
      while (!writer.stopped) {
        const from = offset === 0 ? undefined : { segment: 1, offset };
        offset += 50;
        const settlements = Array.from({ length: 50 }, (_, index) => settlement(offset + index, "0.5"));
        const to = { segment: 1, offset };
        await ship(db, { gateway, from, isDurable: true, to, settlements, receiptBatches: [], refusals: [] });
      }
    };
    const writing = write();
    for (let round = 0; round < 4; round++) {
      const { to, manifest } = await dumped(source);
      const rows = manifest.tables.find((table) => table.name === "usage")?.rows;
      const mark = JSON.parse((await readFile(join(to, "watermarks.ndjson"), "utf8")) || '{"record_offset":0}') as {
        record_offset: number;
      };
      assert.equal(rows, mark.record_offset);
    }
    writer.stopped = true;
    await writing;
    const target = await temporary.emptyDatabase();
    const { to } = await dumped(source);
    await restore({ connection: target, from: to, log });
    await withStore(target, async (restored) => {
      assert.deepEqual(await readWatermark(restored.db, gateway), { segment: 1, offset });
      assert.equal((await usageReport(restored.db, { by: [] })).rows[0]?.requests, offset);
    });
  });
});

test("a large table goes through in pieces", async () => {
  const source = await temporary.emptyDatabase();
  await withStore(source, async ({ db }) => {
    await sql`INSERT INTO receipts SELECT 'rcpt_' || n, 'prj_A', repeat('é', 3000), 'gw_A', 1, n, 0 FROM generate_series(1, 5000) n`.execute(
      db,
    );
  });
  const { to, manifest } = await dumped(source);
  assert.equal(manifest.tables.find((table) => table.name === "receipts")?.rows, 5_000);
  const target = await temporary.emptyDatabase();
  await restore({ connection: target, from: to, log });
  await withStore(target, async ({ db }) => {
    const { rows } = await sql`SELECT count(*), min(length(payload)), max(length(payload)) FROM receipts`.execute(db);
    assert.deepEqual(rows, [{ count: "5000", min: 3000, max: 3000 }]);
  });
});

test("what is not a whole dump is refused, and costs nothing", async () => {
  const source = await temporary.emptyDatabase();
  await withStore(source, fillWithHardCases);
  const { to } = await dumped(source);
  const target = await temporary.emptyDatabase();
  const damage = async (harm: (copy: string) => Promise<void>, reason: string, message: RegExp): Promise<void> => {
    const copy = freshFolder();
    await cp(to, copy, { recursive: true });
    await harm(copy);
    const outcome = await restore({ connection: target, from: copy, log });
    assert.ok(outcome.outcome === "refused");
    assert.equal(outcome.reason, reason);
    assert.match(outcome.message, message);
  };
  const edit = async (copy: string, from: string, to: string): Promise<void> => {
    const path = join(copy, "manifest.json");
    await writeFile(path, (await readFile(path, "utf8")).replaceAll(from, to));
  };
  await damage((copy) => rm(join(copy, "manifest.json")), "damaged_dump", /no manifest\.json/);
  await damage(
    (copy) => writeFile(join(copy, "manifest.json"), '{"format": 1'),
    "damaged_dump",
    /not a dump's manifest/,
  );
  await damage((copy) => rm(join(copy, "usage.ndjson")), "damaged_dump", /usage\.ndjson is missing/);
  await damage((copy) => truncate(join(copy, "usage.ndjson"), 5), "damaged_dump", /not what its manifest says/);
  await damage((copy) => edit(copy, "usage.ndjson", "../usage.ndjson"), "damaged_dump", /not a dump's manifest/);
  await damage((copy) => edit(copy, '"usage"', '"usage; --"'), "damaged_dump", /not a dump's manifest/);
  await damage((copy) => edit(copy, latestSchema, "2999-01-01-later"), "newer_schema", /2999/);
  assert.equal((await restore({ connection: target, from: freshFolder(), log })).outcome, "refused");
  // The database is still empty, and takes the whole dump.
  assert.equal((await restore({ connection: target, from: to, log })).outcome, "restored");
});

test("a row that does not fit leaves the database empty, and a restore may be tried again", async () => {
  const source = await temporary.emptyDatabase();
  await withStore(source, fillWithHardCases);
  const { to } = await dumped(source);
  const broken = freshFolder();
  await cp(to, broken, { recursive: true });
  // A manifest that agrees with a file that the schema does not.
  const text = (await readFile(join(broken, "keys.ndjson"), "utf8")).replace("prj_A", "prj_Z");
  await writeFile(join(broken, "keys.ndjson"), text);
  const manifest = JSON.parse(await readFile(join(broken, "manifest.json"), "utf8")) as {
    tables: { name: string; sha256: string }[];
  };
  for (const table of manifest.tables) {
    if (table.name === "keys") table.sha256 = createHash("sha256").update(text).digest("hex");
  }
  await writeFile(join(broken, "manifest.json"), JSON.stringify(manifest));
  const target = await temporary.emptyDatabase();
  await assert.rejects(restore({ connection: target, from: broken, log }), { code: "23503" });
  assert.equal((await restore({ connection: target, from: to, log })).outcome, "restored");
});

test("a database that belongs to an installation is not written over; a full folder neither", async () => {
  const source = await temporary.emptyDatabase();
  await withStore(source, fillWithHardCases);
  const { to } = await dumped(source);
  const outcome = await restore({ connection: source, from: to, log });
  assert.equal(outcome.outcome === "refused" && outcome.reason, "not_empty");
  const again = await dump({ connection: source, to, clock, log });
  assert.equal(again.outcome === "refused" && again.reason, "not_empty");
  const empty = freshFolder();
  await mkdir(empty);
  assert.equal((await dump({ connection: source, to: empty, clock, log })).outcome, "dumped");
});

test("a dump of the first schema is restored into today's, and its rows are all there", async () => {
  const manifest = JSON.parse(await readFile(join(fixture, "manifest.json"), "utf8")) as DumpManifest;
  assert.equal(manifest.schema, "2026-11-24-first");
  const keys = await readFile(join(fixture, "jwks.json"));
  const connection = await temporary.emptyDatabase();
  assert.equal((await restore({ connection, from: fixture, log })).outcome, "restored");
  await withStore(
    connection,
    async (store) => {
      assert.equal(store.schema, latestSchema);
      const report = await usageReport(store.db, { by: ["organisation", "day"] });
      assert.deepEqual(
        report.rows.map((row) => [row.organisationName, row.day, row.requests, row.unrated, row.amount]),
        [
          ["clinic", "2026-11-24", 2, 0, "123.450000000000000001"],
          ["clinic", "2026-11-30", 1, 1, "0"],
        ],
      );
      const receipts = await store.db.selectFrom("receipts").select(["id", "project", "payload"]).execute();
      assert.equal(receipts.length, 3);
      // What came later has its default.
      assert.deepEqual(await store.db.selectFrom("projects").select("tier").execute(), [{ tier: "standard" }]);
      for (const { id, project, payload } of receipts) {
        const found = await findReceipt(store.db, id, project);
        assert.equal(found?.payload, payload);
        const receipt = Buffer.from(receiptFile(found));
        assert.equal(verifyReceipt({ receipt, keys, tenant: project }).reason, "valid");
      }
    },
    manifest.installation,
  );
});
