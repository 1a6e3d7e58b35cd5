import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * What the receipts of one batch share is kept once: the hashes of its leaves and its seal. A receipt's path follows from
 * them, so that nobody has to compute the paths of receipts that are never asked for.
 *
 * Receipts that are there already keep their bytes. The rows of one batch have one seal in common: it signs the root, and
 * two batches never have the same leaves. Where such a batch began in its gateway's journal is not known any more: it
 * stands in segment 0, which no journal has, under a running number in the order of its receipts.
 */
const batches = `CREATE TABLE receipt_batches (
  gateway text NOT NULL,
  segment bigint NOT NULL CHECK (segment >= 0),
  record_offset bigint NOT NULL CHECK (record_offset >= 0),
  hashes bytea NOT NULL CHECK (length(hashes) > 0 AND length(hashes) % 32 = 0),
  seal text NOT NULL,
  PRIMARY KEY (gateway, segment, record_offset)
)`;

/** The rows without which the others of their batch could not be proven any more. */
const broken = `SELECT min(r.id) AS receipt, count(*) AS found, max(r.batch_size) AS size, count(u.gateway) AS used
  FROM receipts r LEFT JOIN usage u ON u.receipt = r.id
  GROUP BY r.seal
  HAVING count(DISTINCT r.batch_index) <> max(r.batch_size) OR count(*) <> max(r.batch_size)
    OR min(r.batch_size) <> max(r.batch_size) OR count(u.gateway) <> count(*) OR min(u.gateway) <> max(u.gateway)
  ORDER BY 1 LIMIT 1`;

/**
 * A leaf is SHA-256(0x00 || PAE(type, statement)), where PAE is DSSE's pre-authentication encoding, version 1
 * (docs/reference/receipt.md, "Signature"; RFC 9162, section 2.1.1).
 */
const leaf = `sha256(decode('00', 'hex') || convert_to('DSSEv1 48 application/vnd.bailiwick.receipt+json;version=1 '
  || octet_length(convert_to(r.payload, 'UTF8')) || ' ' || r.payload, 'UTF8'))`;

const fillBatches = `INSERT INTO receipt_batches (gateway, segment, record_offset, hashes, seal)
  SELECT gateway, 0, row_number() OVER (PARTITION BY gateway ORDER BY first_receipt), hashes, seal
  FROM (
    SELECT min(u.gateway) AS gateway, min(r.id) AS first_receipt, r.seal,
      string_agg(${leaf}, ''::bytea ORDER BY r.batch_index) AS hashes
    FROM receipts r JOIN usage u ON u.receipt = r.id
    GROUP BY r.seal
  ) AS batch`;

// A new table instead of new columns: a row that is updated leaves its old version behind, and a payload is long.
// No foreign key to the batch: one transaction writes both, and a look-up for every row would guard against nothing.
const receipts = [
  `ALTER TABLE receipts RENAME TO receipts_before`,
  `ALTER INDEX receipts_pkey RENAME TO receipts_before_pkey`,
  `CREATE TABLE receipts (
    id text PRIMARY KEY,
    project text NOT NULL,
    payload text NOT NULL,
    gateway text NOT NULL,
    segment bigint NOT NULL,
    record_offset bigint NOT NULL,
    leaf bigint NOT NULL CHECK (leaf >= 0)
  )`,
  `INSERT INTO receipts (id, project, payload, gateway, segment, record_offset, leaf)
    SELECT r.id, r.project, r.payload, b.gateway, b.segment, b.record_offset, r.batch_index
    FROM receipts_before r JOIN receipt_batches b ON b.seal = r.seal`,
  `DROP TABLE receipts_before`,
];

export const receiptBatches: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { rows } = await sql.raw<{ receipt: string; found: string; size: string; used: string }>(broken).execute(db);
    if (rows[0] !== undefined) {
      const { receipt, found, size, used } = rows[0];
      throw new Error(
        `the batch of receipt ${receipt} is not whole (${found} of its ${size} receipts are there, ${used} of them with ` +
          "usage), and its receipts could not be proven any more",
      );
    }
    for (const statement of [batches, fillBatches, ...receipts]) await sql.raw(statement).execute(db);
  },
};
