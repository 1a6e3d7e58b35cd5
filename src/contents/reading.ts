import type { Kysely } from "kysely";
import type { RequestId } from "../base/index.ts";
import type { Database, List, Page } from "../store/index.ts";
import type { SealedRecord } from "./record.ts";

/** Whose records, and which. */
export interface StoredFilter {
  readonly organisation?: string | undefined;
  readonly project?: string | undefined;
  readonly request?: string | undefined;
  readonly subjectTag?: string | undefined;
  /** RFC 3339, included and excluded. */
  readonly since?: string | undefined;
  readonly before?: string | undefined;
}

/** What is told of a record without opening it. */
export interface StoredListing {
  readonly request: RequestId;
  readonly organisation: string;
  readonly project: string;
  readonly at: string;
  readonly until: string;
  readonly dataClass: string;
  readonly model: string;
  readonly endpoint: string;
  readonly hasSubject: boolean;
}

const told = [
  "request",
  "organisation",
  "project",
  "at",
  "until",
  "dataClass",
  "model",
  "endpoint",
  "subjectTag",
] as const;

/** What is not due, in the order of the requests' ids, which is that of time. */
export async function readListing(
  db: Kysely<Database>,
  filter: StoredFilter,
  page: Page,
  behind: string,
  now: Date,
): Promise<List<StoredListing>> {
  const rows = await scoped(db, filter)
    .select(told)
    .where("request", ">", behind as RequestId)
    .where("until", ">", now)
    .orderBy("request")
    .limit(page.limit + 1)
    .execute();
  const items = rows.slice(0, page.limit).map(listingOf);
  return { items, next: rows.length > page.limit ? (items.at(-1)?.request ?? null) : null };
}

/** A record within a scope, as long as it is not due: another's looks as if it were not there. */
export async function readSealed(db: Kysely<Database>, request: string, scope: StoredFilter, now: Date) {
  const row = await scoped(db, { ...scope, request })
    .selectAll()
    .where("until", ">", now)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { at, until, ...rest } = row;
  const record: SealedRecord = { ...rest, atMs: at.getTime(), untilMs: until.getTime() };
  return { record, listing: listingOf(row) };
}

function scoped(db: Kysely<Database>, filter: StoredFilter) {
  const { organisation, project, request, subjectTag, since, before } = filter;
  return db
    .selectFrom("contents")
    .$if(organisation !== undefined, (query) => query.where("organisation", "=", organisation as never))
    .$if(project !== undefined, (query) => query.where("project", "=", project as never))
    .$if(request !== undefined, (query) => query.where("request", "=", request as never))
    .$if(subjectTag !== undefined, (query) => query.where("subjectTag", "=", subjectTag!))
    .$if(since !== undefined, (query) => query.where("at", ">=", new Date(since!)))
    .$if(before !== undefined, (query) => query.where("at", "<", new Date(before!)));
}

function listingOf(row: {
  request: RequestId;
  organisation: string;
  project: string;
  at: Date;
  until: Date;
  dataClass: string;
  model: string;
  endpoint: string;
  subjectTag: string | null;
}): StoredListing {
  const { at, until, subjectTag, request, organisation, project, dataClass, model, endpoint } = row;
  const plain = { request, organisation, project, dataClass, model, endpoint };
  return { ...plain, at: at.toISOString(), until: until.toISOString(), hasSubject: subjectTag !== null };
}
