import type { Kysely, Transaction } from "kysely";
import type { Database, EpochName } from "./schema.ts";

export type Epochs = Readonly<Record<EpochName, number>>;

/** The newest committed number of each epoch: one query, cheap enough to ask several times a second. */
export async function readEpochs(db: Kysely<Database>): Promise<Epochs> {
  const rows = await db.selectFrom("epochs").select(["name", "number"]).execute();
  const numbers = new Map(rows.map((row) => [row.name, Number(row.number)]));
  const numberOf = (name: EpochName): number => numbers.get(name) ?? 0;
  return {
    hosts: numberOf("hosts"),
    keys: numberOf("keys"),
    policy: numberOf("policy"),
    prices: numberOf("prices"),
    reservations: numberOf("reservations"),
  };
}

/** Moves an epoch on within a transaction and returns its new number; it is seen when that commits. */
export async function bumpEpoch(transaction: Transaction<Database>, name: EpochName): Promise<number> {
  const row = await transaction
    .updateTable("epochs")
    .set((expression) => ({ number: expression("number", "+", "1") }))
    .where("name", "=", name)
    .returning("number")
    .executeTakeFirstOrThrow();
  return Number(row.number);
}

/**
 * Makes a change and moves an epoch on in one transaction: whoever sees the new number sees the change. The epoch is
 * taken first, so that changes under one epoch happen one after the other and each sees what the last one left.
 */
export async function change<Result>(
  db: Kysely<Database>,
  epoch: EpochName,
  work: (transaction: Transaction<Database>, epochNumber: number) => Promise<Result>,
): Promise<Result> {
  return db.transaction().execute(async (transaction) => work(transaction, await bumpEpoch(transaction, epoch)));
}
