import type { Kysely } from "kysely";
import type { ProjectId, ReceiptId } from "../base/index.ts";
import type { Database } from "./schema.ts";
import type { ReceiptRow } from "./ship.ts";

/** A shipped receipt; undefined where there is none or it is another project's: the two look the same from outside. */
export async function findReceipt(
  db: Kysely<Database>,
  id: ReceiptId,
  project: ProjectId,
): Promise<ReceiptRow | undefined> {
  const row = await db
    .selectFrom("receipts")
    .selectAll()
    .where("id", "=", id)
    .where("project", "=", project)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return { ...row, batchIndex: Number(row.batchIndex), batchSize: Number(row.batchSize) };
}
