import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Kysely, sql } from "kysely";
import { canonicalJson, createIds, type GatewayId, ManualClock, type ReceiptId } from "../../base/index.ts";
import { openSigningKeys, receiptFile, type SigningKeys, verifyReceipt } from "../../receipt/index.ts";
import { connect } from "../connect.ts";
import { findReceipt } from "../receipts.ts";
import type { Database } from "../schema.ts";
import { ship } from "../ship.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../testing.ts";
import { appliedMigrations, migrate } from "./index.ts";

const clock = new ManualClock(Date.UTC(2026, 10, 24));
const ids = createIds(clock);
const project = "prj_A";
let temporary: TemporaryPostgres;
let signing: SigningKeys;
const opened: Kysely<Database>[] = [];

before(async () => {
  temporary = await temporaryPostgres();
  signing = openSigningKeys(join(temporary.folder, "keys"), 0);
});

after(async () => {
  for (const db of opened) await db.destroy();
  await temporary.remove();
});

/** A database as the first release left it. */
async function ofFirstRelease(): Promise<Kysely<Database>> {
  const connection = await temporary.emptyDatabase();
  const db = connect({ connection, log: () => {}, connections: 1, statementTimeoutMs: 0 });
  opened.push(db);
  await migrate(db, "2026-11-24-first");
  return db;
}

/** A row of the first schema's receipts, with the gateway of its usage. */
interface FirstRow {
  readonly gateway: GatewayId;
  readonly id: ReceiptId;
  readonly payload: string;
  readonly batch_index: number;
  readonly batch_size: number;
  readonly path: readonly string[];
  readonly seal: string;
}

const sha256 = (...parts: readonly (Buffer | string)[]): Buffer =>
  createHash("sha256")
    .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
    .digest();

function leafOf(payload: string): Buffer {
  const type = "application/vnd.bailiwick.receipt+json;version=1";
  return sha256("\0", `DSSEv1 ${type.length} ${type} ${Buffer.byteLength(payload)} ${payload}`);
}

const splitOf = (size: number): number => 2 ** Math.ceil(Math.log2(size) - 1);

/** MTH of RFC 9162, section 2.1.1. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0]!;
  const split = splitOf(leaves.length);
  return sha256("\x01", rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

/** PATH of RFC 9162, section 2.1.3.1. */
function pathOf(index: number, leaves: readonly Buffer[]): readonly Buffer[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split ? [...pathOf(index, left), rootOf(right)] : [...pathOf(index - split, right), rootOf(left)];
}

function firstRows(gateway: GatewayId, size: number): readonly FirstRow[] {
  clock.advance(1);
  const made = Array.from({ length: size }, (_, index) => {
    const id = ids.mint("rcpt");
    return { id, payload: statement(gateway, id, index) };
  });
  const seal = signing.seal(made.map(({ payload }) => payload));
  const leaves = made.map(({ payload }) => leafOf(payload));
  return made.map(({ id, payload }, index) => {
    const path = pathOf(index, leaves).map((hash) => hash.toString("base64"));
    return { gateway, id, payload, batch_index: index, batch_size: size, path, seal };
  });
}

function statement(gateway: GatewayId, receipt: ReceiptId, index: number): string {
  const digest = { keyId: "dgk_1", value: "00", bytes: index };
  // The first version's members, as far as a verifier asks for them.
  return canonicalJson({
    receipt,
    request: `req_${receipt.slice(5)}`,
    organisation: "org_A",
    tenant: project,
    gateway,
    endpoint: "chat.completions",
    // What PostgreSQL's own JSON would not take, and characters of every length.
    model: { name: `\u0000 "\\ é \u2028 \u{1f388}${"ü".repeat(index)}`, sha256: null },
    engine: { name: "fake", build: "fake 1" },
    host: "host_1",
    site: { name: "here", jurisdiction: "DE" },
    policy: { decision: "permitted", digest: "0".repeat(64), dataClass: "public" },
    usage: null,
    unrated: "power cut",
    price: null,
    ending: "stop",
    startedAt: "2026-11-24T00:00:00.000Z",
    endedAt: "2026-11-24T00:00:00.001Z",
    requestDigest: digest,
    responseDigest: { ...digest, complete: true },
    v: 1,
  });
}

async function insert(db: Kysely<Database>, rows: readonly FirstRow[]): Promise<void> {
  await sql`INSERT INTO receipts (id, project, payload, batch_index, batch_size, path, seal)
    SELECT id, ${project}, payload, batch_index, batch_size, path, seal
    FROM json_populate_recordset(NULL::receipts, ${JSON.stringify(rows)}::json)`.execute(db);
}

async function insertUsage(db: Kysely<Database>, rows: readonly FirstRow[]): Promise<void> {
  await sql`INSERT INTO usage (request, gateway, segment, record_offset, organisation, project, key, model, endpoint,
      site, ending, started_at, ended_at, unrated, receipt)
    SELECT 'req' || substr(id, 5), gateway, 1, 64, 'org_A', ${project}, 'key_A', 'm', 'e', 's', 'stop', now(), now(), 'x', id
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS r (id text, gateway text)`.execute(db);
}

/** The file as the first release made it of a row. */
function fileBefore({ payload, batch_index: index, batch_size: size, path, seal }: FirstRow): string {
  return `${canonicalJson({
    payloadType: "application/vnd.bailiwick.receipt+json;version=1",
    payload: Buffer.from(payload).toString("base64"),
    batch: { index, size, path },
    signature: JSON.parse(seal) as { keyid: string; sig: string },
  })}\n`;
}

test("every receipt of the first release is the same file afterwards, and verifies", async () => {
  const db = await ofFirstRelease();
  const gateways: readonly GatewayId[] = [ids.mint("gw"), ids.mint("gw")];
  const batches = [1, 2, 3, 5, 8, 13, 64].map((size, index) => firstRows(gateways[index % 2]!, size));
  const rows = batches.flat();
  // By an id's random end: the batches' rows lie among one another, in no order.
  await insert(
    db,
    rows.toSorted((a, b) => (a.id.slice(-8) < b.id.slice(-8) ? -1 : 1)),
  );
  await insertUsage(db, rows);
  await migrate(db);
  const keys = Buffer.from(signing.jwks());
  for (const row of rows) {
    const found = await findReceipt(db, row.id, project);
    assert.ok(found !== undefined);
    const file = receiptFile(found);
    assert.equal(file, fileBefore(row));
    assert.equal(verifyReceipt({ receipt: Buffer.from(file), keys }).outcome, "valid");
  }
  const kept = await db.selectFrom("receiptBatches").selectAll().orderBy("gateway").orderBy("recordOffset").execute();
  assert.deepEqual(
    kept.map(({ gateway, segment, recordOffset, hashes }) => [gateway, segment, recordOffset, hashes.length / 32]),
    gateways
      .toSorted()
      .flatMap((gateway) =>
        batches
          .filter(([first]) => first!.gateway === gateway)
          .map(({ length }, index) => [gateway, "0", String(index + 1), length]),
      ),
    "in the order of their receipts, where no journal's batch can be",
  );
  const start = { segment: 1, offset: 1 };
  const next = {
    gateway: gateways[0]!,
    from: undefined,
    isDurable: true,
    to: { segment: 1, offset: 2 },
    settlements: [],
    refusals: [],
  };
  const receiptBatches = [{ start, hashes: Buffer.alloc(32), seal: "{}" }];
  assert.equal((await ship(db, { ...next, receiptBatches })).outcome, "shipped");
});

test("a database without receipts takes the new schema too", async () => {
  const db = await ofFirstRelease();
  assert.deepEqual(await migrate(db, "2026-11-25-receipt-batches"), ["2026-11-25-receipt-batches"]);
});

test("a batch that could not be proven any more stops the migration, which says which, and nothing is changed", async () => {
  const gateway = ids.mint("gw");
  const [whole, other] = [firstRows(gateway, 5), firstRows(gateway, 3)];
  const harms: readonly (readonly [RegExp, readonly FirstRow[], readonly FirstRow[]])[] = [
    [/2 of its 3 receipts are there, 2 of them with usage/, other.slice(1), other],
    [/2 of its 3 receipts are there/, other.slice(0, 2), other],
    [/3 of its 3 receipts are there, 2 of them with usage/, other, other.slice(1)],
    [/is not whole/, other.map((row) => ({ ...row, batch_index: Math.min(row.batch_index, 1) })), other],
    [/is not whole/, other, other.map((row, index) => (index === 1 ? { ...row, gateway: ids.mint("gw") } : row))],
  ];
  for (const [message, receipts, usage] of harms) {
    const db = await ofFirstRelease();
    await insert(db, [...whole, ...receipts]);
    await insertUsage(db, [...whole, ...usage]);
    await assert.rejects(migrate(db), (error: Error) => {
      assert.match(
        error.message,
        /2026-11-25-receipt-batches failed, and the schema is as it was: the batch of receipt/,
      );
      assert.match(error.message, message);
      assert.ok(
        receipts.some(({ id }) => error.message.includes(id)),
        "a receipt of the broken batch is named",
      );
      return true;
    });
    assert.deepEqual(await appliedMigrations(db), ["2026-11-24-first"]);
    const { rows } = await sql`SELECT count(batch_size)::int AS count FROM receipts`.execute(db);
    assert.deepEqual(rows, [{ count: whole.length + receipts.length }]);
  }
});
