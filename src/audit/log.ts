import { type Kysely, sql, type Transaction } from "kysely";
import { type Clock, refuse, RefusalError } from "../base/index.ts";
import type { Database, List, Page } from "../store/index.ts";
import { type AuditEntry, type AuditFact, entryText, firstPrevious, hashOf } from "./entry.ts";

/** Which entries are asked for; what is left out does not restrict. */
export interface AuditFilter {
  readonly organisation?: string | undefined;
  readonly project?: string | undefined;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  /** RFC 3339, included and excluded. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

export interface AuditLog {
  /** Durable when it resolves. Rejects where the database is away. */
  append(fact: AuditFact): Promise<void>;
  /** Within a transaction of the caller's: the entry is there exactly if what it tells of is. */
  appendIn(transaction: Transaction<Database>, fact: AuditFact): Promise<void>;
  /** The newest first. Of an action that has ended, how it ended; else that it has begun, or was asked for. */
  list(filter: AuditFilter, page: Page): Promise<List<AuditEntry>>;
  /** All entries, the oldest first: what the chain is checked over. */
  all(page: Page): Promise<List<AuditEntry>>;
}

/** Held by whoever adds an entry, until its transaction ends: entries have one order. */
const chainLock = 0x6175_6469;

export function createAuditLog({ db, clock }: { readonly db: Kysely<Database>; readonly clock: Clock }): AuditLog {
  const appendIn = async (transaction: Transaction<Database>, fact: AuditFact): Promise<void> => {
    await sql`SELECT pg_advisory_xact_lock(${chainLock})`.execute(transaction);
    const last = await transaction
      .selectFrom("audit")
      .select(["number", "hash"])
      .orderBy("number", "desc")
      .limit(1)
      .executeTakeFirst();
    const number = Number(last?.number ?? 0) + 1;
    const at = new Date(clock.nowMs());
    const entry = { ...fact, v: 1 as const, number, at: at.toISOString(), previous: last?.hash ?? firstPrevious };
    const body = entryText(entry);
    const { request, action, outcome, organisation, project } = fact;
    const row = { number, request, at, actor: fact.actor.name, action, outcome, organisation, project, body };
    await transaction
      .insertInto("audit")
      .values({ ...row, hash: hashOf(body) })
      .execute();
  };
  return {
    append: (fact) => db.transaction().execute((transaction) => appendIn(transaction, fact)),
    appendIn,
    async list(filter, page) {
      const rows = await db
        .selectFrom("audit")
        .select(["number", "body", "hash"])
        .$if(page.after !== undefined, (query) => query.where("number", "<", numberIn(page)))
        .$if(filter.organisation !== undefined, (query) => query.where("organisation", "=", filter.organisation!))
        .$if(filter.project !== undefined, (query) => query.where("project", "=", filter.project!))
        .$if(filter.actor !== undefined, (query) => query.where("actor", "=", filter.actor!))
        .$if(filter.action !== undefined, (query) => query.where("action", "=", filter.action!))
        .$if(filter.since !== undefined, (query) => query.where("at", ">=", new Date(filter.since!)))
        .$if(filter.until !== undefined, (query) => query.where("at", "<", new Date(filter.until!)))
        .where((entry) =>
          entry.or([
            entry("audit.outcome", "not in", ["asked", "begun"]),
            entry.not(
              entry.exists(
                entry
                  .selectFrom("audit as later")
                  .select("later.number")
                  .whereRef("later.request", "=", "audit.request")
                  .whereRef("later.number", ">", "audit.number")
                  .where("later.outcome", "<>", "asked"),
              ),
            ),
          ]),
        )
        .orderBy("number", "desc")
        .limit(page.limit + 1)
        .execute();
      return listOf(rows, page);
    },
    async all(page) {
      const rows = await db
        .selectFrom("audit")
        .select(["number", "body", "hash"])
        .$if(page.after !== undefined, (query) => query.where("number", ">", numberIn(page)))
        .orderBy("number")
        .limit(page.limit + 1)
        .execute();
      return listOf(rows, page);
    },
  };
}

function listOf(rows: readonly { number: string; body: string; hash: string }[], page: Page): List<AuditEntry> {
  const shown = rows.slice(0, page.limit);
  const items = shown.map(({ body, hash }) => ({ ...(JSON.parse(body) as AuditEntry), hash }));
  return { items, next: rows.length > page.limit ? (shown.at(-1)?.number ?? null) : null };
}

function numberIn({ after }: Page): string {
  if (after !== undefined && /^\d{1,15}$/.test(after)) return after;
  throw new RefusalError(refuse("invalid_request", "This is not the `next` of a list.", { param: "after" }));
}
