import type { OrganisationId } from "../base/index.ts";
import type { Store } from "../store/index.ts";

/** What organisations are called now, by their ids. */
export async function organisationNames(
  { db }: Store,
  ids: readonly OrganisationId[],
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom("organisations").select(["id", "name"]).where("id", "in", ids).execute();
  return new Map(rows.map(({ id, name }) => [id, name]));
}
