import type { Transaction } from "kysely";
import type { Database } from "../store/index.ts";

/** The ids of those organisations that are parts of the operator's own group; they are named by name or id. */
export async function internalOrganisations(
  transaction: Transaction<Database>,
  named: readonly string[],
): Promise<ReadonlySet<string>> {
  if (named.length === 0) return new Set();
  const rows = await transaction
    .selectFrom("organisations")
    .select("id")
    .where((where) => where.or([where("name", "in", [...named]), where("id", "in", [...named] as never[])]))
    .execute();
  return new Set(rows.map(({ id }) => id));
}
