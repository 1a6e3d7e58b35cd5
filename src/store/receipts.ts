import type { Kysely } from "kysely";
import type { ProjectId, ReceiptId } from "../base/index.ts";
import type { Position } from "./batch.ts";
import type { Database } from "./schema.ts";

/** What a receipt's file is made of. */
export interface ShippedReceipt {
  /** The signed statement's exact text. */
  readonly payload: string;
  /** Where its batch begins in its gateway's journal. */
  readonly batch: Position;
  /** Its place in its batch, counted from 0. */
  readonly index: number;
  /** Of the batch's leaves in their order, 32 bytes each. */
  readonly hashes: Buffer;
  /** The batch's signature, as text. */
  readonly seal: string;
}

/** A shipped receipt; undefined where there is none or it is another project's: the two look the same from outside. */
export async function findReceipt(
  db: Kysely<Database>,
  id: ReceiptId,
  project: ProjectId,
): Promise<ShippedReceipt | undefined> {
  const row = await db
    .selectFrom("receipts as receipt")
    .innerJoin("receiptBatches as batch", (join) =>
      join
        .onRef("batch.gateway", "=", "receipt.gateway")
        .onRef("batch.segment", "=", "receipt.segment")
        .onRef("batch.recordOffset", "=", "receipt.recordOffset"),
    )
    .select([
      "receipt.payload",
      "receipt.segment",
      "receipt.recordOffset",
      "receipt.leaf",
      "batch.hashes",
      "batch.seal",
    ])
    .where("receipt.id", "=", id)
    .where("receipt.project", "=", project)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const batch = { segment: Number(row.segment), offset: Number(row.recordOffset) };
  return { payload: row.payload, batch, index: Number(row.leaf), hashes: row.hashes, seal: row.seal };
}
