import { type Kysely, sql, type Transaction } from "kysely";
import { type ContentKeyId, type OrganisationId, type ProjectId, type RequestId, withPrefix } from "../base/index.ts";
import type { Contents } from "../contents/index.ts";
import { change, type Database } from "../store/index.ts";
import { forgetCaches } from "./caches.ts";
import type { CacheTold, Erasing, Found, Progress } from "./progress.ts";

/** What steps work on. */
export interface Stores {
  readonly db: Kysely<Database>;
  readonly contents: Pick<Contents, "caughtUp" | "remove" | "replaceKeys" | "keys">;
  /** Everything that is settled is in the database when it resolves; false: not in time. */
  readonly shipped: () => Promise<boolean>;
  /** Keys and projects have changed. */
  readonly onChange: () => Promise<void>;
  /** Makes every destination forget what the project has asked. */
  readonly forget: (project: string) => Promise<readonly CacheTold[]>;
  readonly now: () => Date;
}

/** One step: it may run twice, and says what it has found. */
export interface Step {
  readonly name: string;
  readonly run: (erasing: Erasing, progress: Progress, stores: Stores) => Promise<Progress | undefined>;
}

const rowsAtOnce = 1_000;
/** More than a statement names are only counted. */
const idsMax = 1_000;

/** Of a request or a person, whose tenant goes on. */
const recordSteps: readonly Step[] = [
  { name: "find", run: findRecords },
  { name: "contents", run: removeRecords },
  { name: "keys", run: replaceKeys },
  { name: "receipts", run: removeReceipts },
  { name: "caches", run: forgetCaches },
];

/** Of projects: nobody may add to what is about to go, and what opens copies goes first. */
const tenantSteps: readonly Step[] = [
  { name: "close", run: closeProjects },
  { name: "find", run: findTenant },
  { name: "keys", run: destroyKeys },
  { name: "contents", run: removeContents },
  { name: "digest-keys", run: eraseDigestKeys },
  { name: "receipts", run: removeAllReceipts },
  { name: "rest", run: endTheRest },
  // Last: what was under way when the project was closed has mostly ended by now.
  { name: "caches", run: forgetCaches },
];

export function stepsOf({ kind }: Pick<Erasing, "kind">): readonly Step[] {
  return kind === "request" || kind === "subject" ? recordSteps : tenantSteps;
}

async function settled({ contents, shipped }: Stores): Promise<void> {
  await contents.caughtUp();
  if (!(await shipped())) throw new Error("usage waits for the database; the erasure goes on when it is there");
}

/** Which records go, and which keys: written down before any goes. */
async function findRecords({ kind, project }: Erasing, progress: Progress, stores: Stores): Promise<Progress> {
  await settled(stores);
  const rows = await stores.db
    .selectFrom("contents")
    .select(["request", "contentKey"])
    .where("project", "=", project as ProjectId)
    .where(kind === "request" ? "request" : "subjectTag", "=", progress.of as never)
    .execute();
  const known = new Set<RequestId>(rows.map(({ request }) => request));
  if (kind === "request") known.add(progress.of as RequestId);
  const requests = [...known];
  const keys = [...new Set<ContentKeyId>(rows.map(({ contentKey }) => contentKey))];
  const receipts = await inParts(requests, (part) =>
    stores.db
      .selectFrom("receipts")
      .select("id")
      .where("project", "=", project as ProjectId)
      .where("id", "in", part.map(receiptOf))
      .execute(),
  );
  const usage = await inParts(requests, (part) =>
    stores.db
      .selectFrom("usage")
      .select("request")
      .where("request", "in", part)
      .where("project", "=", project as never)
      .execute(),
  );
  const found = {
    contents: foundOf(rows.map(({ request }) => request)),
    "content-keys": foundOf(keys),
    receipts: foundOf(receipts.map(({ id }) => id)),
  };
  return { ...progress, requests, keys, found, usageRows: usage.length };
}

async function removeRecords({ project }: Erasing, { requests }: Progress, { contents }: Stores): Promise<undefined> {
  await inParts(requests, async (part) => [...(await contents.remove(project!, part))]);
}

async function replaceKeys(
  { project, organisation }: Erasing,
  { keys }: Progress,
  { contents }: Stores,
): Promise<undefined> {
  await contents.replaceKeys(project!, organisation, keys);
}

/** With the statement its salt goes: what the log holds of it can be linked to nothing any more. */
async function removeReceipts({ project }: Erasing, { requests }: Progress, { db }: Stores): Promise<undefined> {
  await inParts(requests, async (part) => {
    await db
      .deleteFrom("receipts")
      .where("project", "=", project as ProjectId)
      .where("id", "in", part.map(receiptOf))
      .execute();
    return [];
  });
}

/** Nobody asks for them any more, and nobody finds them by their names. Of an organisation it is all that it has by now. */
async function closeProjects(erasing: Erasing, progress: Progress, stores: Stores): Promise<Progress> {
  const erasedAt = stores.now();
  const projects = await change(stores.db, "keys", async (transaction) => {
    const projects = await projectsOf(erasing, progress, transaction);
    for (const id of projects) {
      await transaction
        .updateTable("projects")
        .set({ name: `erased-${id}`, keepContentSeconds: null, expiresAt: erasedAt, erasedAt })
        .where("id", "=", id)
        .where("erasedAt", "is", null)
        .execute();
      await transaction
        .updateTable("keys")
        .set({ revokedAt: erasedAt })
        .where("project", "=", id)
        .where("revokedAt", "is", null)
        .execute();
      await sql`UPDATE keys SET name = 'erased-' || id WHERE project = ${id}`.execute(transaction);
    }
    if (erasing.kind !== "organisation") return projects;
    const { organisation } = erasing;
    await transaction
      .updateTable("organisations")
      .set({ name: `erased-${organisation}`, expiresAt: erasedAt, erasedAt })
      .where("id", "=", organisation as never)
      .where("erasedAt", "is", null)
      .execute();
    return projects;
  });
  await stores.onChange();
  return { ...progress, projects };
}

/** One may have been made since the erasure was asked for, and none is made from here on. */
async function projectsOf(
  { kind, organisation }: Erasing,
  { projects }: Progress,
  transaction: Transaction<Database>,
): Promise<readonly ProjectId[]> {
  if (kind !== "organisation") return projects as readonly ProjectId[];
  const rows = await transaction
    .selectFrom("projects")
    .select("id")
    .where("organisation", "=", organisation as never)
    .execute();
  return rows.map(({ id }) => id);
}

async function findTenant(erasing: Erasing, progress: Progress, stores: Stores): Promise<Progress> {
  await settled(stores);
  const { db, contents } = stores;
  const projects = progress.projects as ProjectId[];
  const billed = erasing.kind === "organisation" ? await findBilled(erasing, db) : {};
  if (projects.length === 0) return { ...progress, ...billed };
  const of = async (
    table: "contents" | "receipts" | "usage" | "digestKeys" | "refusals",
    id: string,
  ): Promise<Found> => {
    const counted = await sql<{
      count: string;
    }>`SELECT count(*) AS count FROM ${sql.table(table)} WHERE project = ANY(${projects})`.execute(db);
    const rows = await sql<{
      id: string;
    }>`SELECT ${sql.ref(id)} AS id FROM ${sql.table(table)} WHERE project = ANY(${projects}) LIMIT ${idsMax}`.execute(
      db,
    );
    return { count: Number(counted.rows[0]?.count ?? 0), ids: rows.rows.map((row) => row.id) };
  };
  const keys = projects.flatMap((project) => contents.keys.list(project));
  const usage = await of("usage", "request");
  const found = {
    contents: await of("contents", "request"),
    "content-keys": foundOf(keys),
    receipts: await of("receipts", "id"),
    "digest-keys": await of("digestKeys", "id"),
    refusals: { ...(await of("refusals", "code")), ids: [] },
    decisions: await decisionsOf(projects, db),
    ...billed.found,
  };
  return { ...progress, ...billed, found, usageRows: usage.count };
}

/** Who an organisation is on its invoices goes; what was issued says it for as long as the law wants it kept. */
async function findBilled(
  { organisation }: Erasing,
  db: Kysely<Database>,
): Promise<Partial<Pick<Progress, "found" | "documents">>> {
  const parties = await db
    .selectFrom("organisationParties")
    .select("organisation")
    .where("organisation", "=", organisation as OrganisationId)
    .execute();
  const { count } = await db
    .selectFrom("invoiceDocuments")
    .innerJoin("invoices", "invoices.id", "invoiceDocuments.invoice")
    .select((expression) => expression.fn.countAll<string>().as("count"))
    .where("organisation", "=", organisation as OrganisationId)
    .executeTakeFirstOrThrow();
  return { found: { party: { count: parties.length, ids: [] } }, documents: Number(count) };
}

async function destroyKeys(_: Erasing, { projects }: Progress, { contents }: Stores): Promise<undefined> {
  for (const project of projects) contents.keys.destroyAll(project);
  return Promise.resolve(undefined);
}

async function removeContents(_: Erasing, { projects }: Progress, { db, contents }: Stores): Promise<undefined> {
  await contents.caughtUp();
  for (const project of projects as readonly ProjectId[]) {
    await db.deleteFrom("contents").where("project", "=", project).execute();
  }
}

async function eraseDigestKeys(_: Erasing, { projects }: Progress, { db, now }: Stores): Promise<undefined> {
  for (const project of projects as readonly ProjectId[]) {
    await db
      .updateTable("digestKeys")
      .set({ secret: null, erasedAt: now() })
      .where("project", "=", project)
      .where("secret", "is not", null)
      .execute();
  }
}

const askedBy = sql<string>`body::json #>> '{question,project,id}'`;

/** What was asked of policy for them: purposes and legal bases stand there in the tenant's own words. */
async function decisionsOf(projects: readonly ProjectId[], db: Kysely<Database>): Promise<Found> {
  const rows = await db.selectFrom("decisions").select("digest").where(askedBy, "in", projects).execute();
  return foundOf(rows.map(({ digest }) => digest));
}

/** What was under way when the project was closed has ended by now, or its receipt is kept by nobody (store). */
async function removeAllReceipts(_: Erasing, { projects }: Progress, stores: Stores): Promise<undefined> {
  await settled(stores);
  for (const project of projects as readonly ProjectId[]) {
    await stores.db.deleteFrom("receipts").where("project", "=", project).execute();
  }
}

/** What people wrote about them goes, and what still holds ends. */
async function endTheRest(erasing: Erasing, { projects }: Progress, { db, now }: Stores): Promise<undefined> {
  if (erasing.kind === "organisation") {
    await db
      .deleteFrom("organisationParties")
      .where("organisation", "=", erasing.organisation as OrganisationId)
      .execute();
  }
  if (projects.length > 0) await db.deleteFrom("decisions").where(askedBy, "in", projects).execute();
  for (const project of projects as readonly ProjectId[]) {
    await db.deleteFrom("refusals").where("project", "=", project).execute();
    await db
      .updateTable("grants")
      .set({ endedAt: now(), endedBy: erasing.id })
      .where("project", "=", project)
      .where("endedAt", "is", null)
      .execute();
    await db.updateTable("grants").set({ reason: "erased" }).where("project", "=", project).execute();
  }
  await change(db, "reservations", async (transaction) => {
    for (const project of projects as readonly ProjectId[]) {
      await transaction.updateTable("reservations").set({ note: null }).where("project", "=", project).execute();
      await transaction
        .updateTable("reservations")
        .set({ endedAt: now() })
        .where("project", "=", project)
        .where("endedAt", "is", null)
        .where("untilAt", ">", now())
        .execute();
    }
  });
}

function foundOf(ids: readonly string[]): Found {
  return { count: ids.length, ids: ids.slice(0, idsMax) };
}

function receiptOf(request: RequestId) {
  return withPrefix("rcpt", request);
}

/** Lists that are as long as tenants make them, a part at a time. */
async function inParts<Item, Row>(
  items: readonly Item[],
  work: (part: readonly Item[]) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (let at = 0; at < items.length; at += rowsAtOnce) rows.push(...(await work(items.slice(at, at + rowsAtOnce))));
  return rows;
}
