import type { Kysely, Selectable } from "kysely";
import { type Clock, type Ids, isId, refuse, type Refusal, RefusalError, refusing } from "../base/index.ts";
import { behind, type Database, type ExitTable, type List, type Page, pageOf } from "../store/index.ts";
import { exitDates } from "./dates.ts";

export interface ExitTold {
  readonly id: string;
  readonly organisation: string;
  readonly noticedAt: string;
  readonly noticeUntil: string;
  readonly transitionUntil: string;
  readonly retrievalUntil: string;
  readonly askedBy: string;
  /** What it costs: nothing (art. 29). */
  readonly fee: "none";
  readonly state: "notice" | "transition" | "retrieval" | "due" | "finished";
  readonly finishedAt: string | null;
  readonly erasure: string | null;
}

interface Scope {
  readonly organisation?: string | undefined;
}

export interface Exits {
  begin(input: {
    readonly organisation: string;
    readonly noticeDays: number;
    readonly transitionDays: number;
    readonly by: string;
  }): Promise<ExitTold | Refusal>;
  list(scope: Scope, page: Page): Promise<List<ExitTold>>;
  show(exit: string, scope: Scope): Promise<ExitTold | Refusal>;
  /** Erases the organisation. `isWaived`: the tenant itself does not want the days that are left. */
  finish(
    exit: string,
    scope: Scope,
    more: { readonly by: string; readonly isWaived: boolean },
  ): Promise<ExitTold | Refusal>;
}

export function createExits(context: {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Begins the erasure of an organisation; resolves to its id. */
  readonly erase: (organisation: string, by: string) => Promise<{ readonly id: string } | Refusal>;
}): Exits {
  const { db, clock, ids } = context;
  const now = (): Date => new Date(clock.nowMs());
  const told = (row: Selectable<ExitTable>): ExitTold => exitTold(row, now());
  const scoped = ({ organisation }: Scope) =>
    db
      .selectFrom("exits")
      .selectAll()
      .$if(organisation !== undefined, (query) => query.where("organisation", "=", organisation as never));
  const found = async (exit: string, scope: Scope) => {
    const row = isId("ext", exit) ? await scoped(scope).where("id", "=", exit).executeTakeFirst() : undefined;
    if (row !== undefined) return row;
    throw new RefusalError(refuse("not_found", `There is no exit "${exit.slice(0, 200)}".`, { param: "exit" }));
  };
  return {
    begin: ({ organisation, noticeDays, transitionDays, by }) =>
      refusing(async () => {
        const open = await scoped({ organisation }).where("finishedAt", "is", null).executeTakeFirst();
        // Asked for twice, it is one.
        if (open !== undefined) return told(open);
        const noticedAt = now();
        const dates = exitDates(noticedAt, { notice: noticeDays, transition: transitionDays });
        const row = { id: ids.mint("ext"), organisation: organisation as never, noticedAt, ...dates, askedBy: by };
        await db.insertInto("exits").values(row).execute();
        return told(await found(row.id, {}));
      }),
    async list(scope, page) {
      const rows = await scoped(scope)
        .where("id", ">", behind("ext", page))
        .orderBy("id")
        .limit(page.limit + 1)
        .execute();
      return pageOf(rows, page, told);
    },
    show: (exit, scope) => refusing(async () => told(await found(exit, scope))),
    finish: (exit, scope, { by, isWaived }) =>
      refusing(async () => {
        const row = await found(exit, scope);
        if (row.finishedAt !== null) return told(row);
        if (!isWaived && now() < row.retrievalUntil) {
          const until = row.retrievalUntil.toISOString();
          const message = `The tenant can fetch its data until ${until}; only it can do without, with a key of its own.`;
          throw new RefusalError(refuse("exit_not_due", message));
        }
        const erasure = await context.erase(row.organisation, by);
        if ("outcome" in erasure) throw new RefusalError(erasure);
        await db
          .updateTable("exits")
          .set({ finishedAt: now(), erasure: erasure.id as never })
          .where("id", "=", row.id)
          .execute();
        return told(await found(row.id, {}));
      }),
  };
}

function exitTold(row: Selectable<ExitTable>, now: Date): ExitTold {
  const { id, organisation, noticedAt, noticeUntil, transitionUntil, retrievalUntil, askedBy, finishedAt, erasure } =
    row;
  const running = now < noticeUntil ? "notice" : now < transitionUntil ? "transition" : "retrieval";
  return {
    id,
    organisation,
    noticedAt: noticedAt.toISOString(),
    noticeUntil: noticeUntil.toISOString(),
    transitionUntil: transitionUntil.toISOString(),
    retrievalUntil: retrievalUntil.toISOString(),
    askedBy,
    fee: "none",
    state: finishedAt !== null ? "finished" : now >= retrievalUntil ? "due" : running,
    finishedAt: finishedAt?.toISOString() ?? null,
    erasure,
  };
}
