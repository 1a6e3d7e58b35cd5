import type { Kysely, Transaction } from "kysely";
import { isId, nearest, refuse, RefusalError } from "../base/index.ts";
import type { Database } from "../store/index.ts";

/** Rows by the names and ids that people give. One that names nothing, or several, is refused by throwing. */
export type Reader = Kysely<Database> | Transaction<Database>;

type Kind = "organisation" | "project" | "key";

/** Names that a wrong one is compared with, at most. */
const namesCompared = 1_000;

async function nearestName(db: Reader, what: Kind, reference: string): Promise<string | undefined> {
  const rows = await db.selectFrom(`${what}s`).select("name").distinct().limit(namesCompared).execute();
  return nearest(
    reference.slice(reference.lastIndexOf("/") + 1),
    rows.map(({ name }) => name),
  );
}

async function only<Row>(db: Reader, rows: readonly Row[], what: Kind, reference: string): Promise<Row> {
  const [row, another] = rows;
  if (row === undefined) {
    const near = await nearestName(db, what, reference);
    const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
    const message = `There is no ${what} "${reference.slice(0, 200)}".${hint}`;
    throw new RefusalError(refuse("not_found", message, { param: what }));
  }
  if (another !== undefined) {
    const message = `Several are called "${reference.slice(0, 200)}".`;
    throw new RefusalError(refuse("ambiguous_name", message, { param: what }));
  }
  return row;
}

/** What is erased is not changed any more, and nothing is added to it. */
export function refuseErased<Row extends { readonly erasedAt: Date | null; readonly id: string }>(row: Row): Row {
  if (row.erasedAt === null) return row;
  throw new RefusalError(refuse("erased", `${row.id} was erased at ${row.erasedAt.toISOString()}.`));
}

export async function findOrganisation(db: Reader, reference: string) {
  const query = db.selectFrom("organisations").selectAll();
  const rows = await (
    isId("org", reference) ? query.where("id", "=", reference) : query.where("name", "=", reference)
  ).execute();
  return only(db, rows, "organisation", reference);
}

export function projects(db: Reader) {
  return db
    .selectFrom("projects")
    .innerJoin("organisations", "organisations.id", "projects.organisation")
    .selectAll("projects")
    .select("organisations.name as organisationName")
    .select((expression) =>
      expression
        .selectFrom("digestKeys")
        .select("digestKeys.id")
        .whereRef("digestKeys.project", "=", "projects.id")
        .where("digestKeys.secret", "is not", null)
        .orderBy("digestKeys.createdAt", "desc")
        .orderBy("digestKeys.id", "desc")
        .limit(1)
        .as("digestKey"),
    );
}

/** By id, by name, or as organisation/project, where the organisation may be an id too. */
export async function findProject(db: Reader, reference: string) {
  const at = reference.indexOf("/");
  const name = reference.slice(at + 1);
  let query = projects(db);
  if (at >= 0)
    query = query.where("projects.organisation", "=", (await findOrganisation(db, reference.slice(0, at))).id);
  query = isId("prj", name) ? query.where("projects.id", "=", name) : query.where("projects.name", "=", name);
  const row = await only(db, await query.execute(), "project", reference);
  return { ...row, digestKey: row.digestKey ?? "" };
}

export function keys(db: Reader) {
  return db
    .selectFrom("keys")
    .innerJoin("projects", "projects.id", "keys.project")
    .innerJoin("organisations", "organisations.id", "projects.organisation")
    .selectAll("keys")
    .select(["projects.name as projectName", "organisations.id as organisationId"])
    .select("organisations.name as organisationName");
}

/** By id, by name, or as project/key or organisation/project/key. */
export async function findKey(db: Reader, reference: string) {
  const at = reference.lastIndexOf("/");
  const name = reference.slice(at + 1);
  let query = keys(db);
  if (at >= 0) query = query.where("keys.project", "=", (await findProject(db, reference.slice(0, at))).id);
  if (isId("key", name)) return only(db, await query.where("keys.id", "=", name).execute(), "key", reference);
  const rows = await query.where("keys.name", "=", name).execute();
  // A revoked key's name may be another's by now: the living one is meant.
  const living = rows.filter(({ revokedAt }) => revokedAt === null);
  return only(db, living.length > 0 ? living : rows, "key", reference);
}
