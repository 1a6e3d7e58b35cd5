import { type Kysely, type RawBuilder, sql, type Transaction } from "kysely";
import type { OrganisationId } from "../base/index.ts";
import type { Database } from "../store/index.ts";

/** Names and ids of organisations that are there, each with its id. */
export async function organisationsOf(
  db: Kysely<Database>,
  named: readonly string[],
): Promise<ReadonlyMap<string, OrganisationId>> {
  if (named.length === 0) return new Map();
  const rows = await db
    .selectFrom("organisations")
    .select(["id", "name"])
    // As one array each: of ten thousand parameters most of the work would be their numbering.
    .where((where) => where.or([where("name", "=", anyOf(named)), where("id", "=", anyOf<OrganisationId>(named))]))
    .execute();
  return new Map(rows.flatMap(({ id, name }) => [[name, id] as const, [id, id] as const]));
}

function anyOf<Text extends string>(texts: readonly string[]): RawBuilder<Text> {
  return sql<Text>`ANY(${texts}::text[])`;
}

/** What organisations are called now, by their ids. */
export async function organisationNames(
  db: Kysely<Database>,
  ids: readonly OrganisationId[],
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom("organisations").select(["id", "name"]).where("id", "in", ids).execute();
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** The one that every cloud begins with, whatever it is called by now. */
export async function firstOrganisation(db: Kysely<Database>): Promise<OrganisationId | undefined> {
  const rows = db.selectFrom("organisations").select("id").orderBy("createdAt").orderBy("id").limit(1);
  return (await rows.executeTakeFirst())?.id;
}

/** The ids of those organisations that are parts of the operator's own group; they are named by name or id. */
export async function internalOrganisations(
  transaction: Transaction<Database>,
  named: readonly string[],
): Promise<ReadonlySet<string>> {
  return new Set((await organisationsOf(transaction, named)).values());
}

/** Names in `billing.internal` that are nobody's: who is meant by one is no part of the group until then. */
export async function unknownInternal({
  db,
  internal,
}: {
  readonly db: Kysely<Database>;
  readonly internal: readonly string[];
}): Promise<readonly string[]> {
  const known = await organisationsOf(db, internal);
  return [...new Set(internal)].filter((name) => !known.has(name));
}

/** What an organisation is called now, for people; its id where it is no longer there. */
export async function nameOf(db: Kysely<Database>, organisation: OrganisationId): Promise<string> {
  const row = await db.selectFrom("organisations").select("name").where("id", "=", organisation).executeTakeFirst();
  return row?.name ?? organisation;
}
