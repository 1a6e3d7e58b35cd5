import type { Kysely, Selectable } from "kysely";
import { type Clock, type Ids, isId, refuse, type Refusal, RefusalError, refusing } from "../base/index.ts";
import { behind, type Database, type GrantTable, type List, type Page, pageOf } from "../store/index.ts";
import { firstOperator, type Operators } from "./operators.ts";

export interface GrantTold {
  readonly id: string;
  readonly organisation: string;
  readonly project: string;
  readonly operator: string;
  readonly reason: string;
  readonly seconds: number;
  readonly askedAt: string;
  readonly askedBy: string;
  readonly approvedAt: string | null;
  readonly approvedBy: string | null;
  /** Its time runs from the approval. */
  readonly until: string | null;
  readonly endedAt: string | null;
  readonly endedBy: string | null;
  readonly state: "asked" | "active" | "over" | "ended";
}

interface GrantScope {
  readonly organisation?: string | undefined;
  readonly project?: string | undefined;
}

export interface Grants {
  ask(input: {
    readonly organisation: string;
    readonly project: string;
    readonly operator: string;
    readonly reason: string;
    readonly seconds: number;
    readonly by: string;
  }): Promise<GrantTold | Refusal>;
  list(scope: GrantScope, page: Page): Promise<List<GrantTold>>;
  show(grant: string, scope: GrantScope): Promise<GrantTold | Refusal>;
  /** By the tenant's key; its time runs from now on. Approving one that was approved changes nothing. */
  approve(grant: string, scope: GrantScope, by: string): Promise<GrantTold | Refusal>;
  /** By either side, at once and for ever. */
  end(grant: string, scope: GrantScope, by: string): Promise<GrantTold | Refusal>;
  /** Whether a member of staff may look at a project's data now, as far as grants go. */
  holds(operator: string, project: string): Promise<boolean>;
}

export function createGrants(context: {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly operators: Pick<Operators, "show">;
}): Grants {
  const { db, clock, ids, operators } = context;
  const now = (): Date => new Date(clock.nowMs());
  const told = (row: Selectable<GrantTable>): GrantTold => grantTold(row, clock.nowMs());
  const scoped = ({ organisation, project }: GrantScope) =>
    db
      .selectFrom("grants")
      .selectAll()
      .$if(organisation !== undefined, (query) => query.where("organisation", "=", organisation as never))
      .$if(project !== undefined, (query) => query.where("project", "=", project as never));
  const found = async (grant: string, scope: GrantScope) => {
    const row = isId("grt", grant) ? await scoped(scope).where("id", "=", grant).executeTakeFirst() : undefined;
    if (row !== undefined) return row;
    throw new RefusalError(refuse("not_found", `There is no grant "${grant.slice(0, 200)}".`, { param: "grant" }));
  };
  return {
    ask: ({ organisation, project, operator, reason, seconds, by }) =>
      refusing(async () => {
        const member = operator === firstOperator ? undefined : await operators.show(operator);
        if (member !== undefined && "outcome" in member) throw new RefusalError(member);
        if (member === undefined || member.revokedAt !== null) {
          const message =
            member === undefined ? "Tenants' data is looked at by name: add an operator." : `${operator} is revoked.`;
          throw new RefusalError(refuse("invalid_request", message, { param: "operator" }));
        }
        const row = {
          id: ids.mint("grt"),
          organisation: organisation as never,
          project: project as never,
          operator: member.name,
          reason,
          seconds,
          askedAt: now(),
          askedBy: by,
        };
        await db.insertInto("grants").values(row).execute();
        return told(await found(row.id, {}));
      }),
    async list(scope, page) {
      const rows = await scoped(scope)
        .where("id", ">", behind("grt", page))
        .orderBy("id")
        .limit(page.limit + 1)
        .execute();
      return pageOf(rows, page, told);
    },
    show: (grant, scope) => refusing(async () => told(await found(grant, scope))),
    approve: (grant, scope, by) =>
      refusing(async () => {
        const row = await found(grant, scope);
        if (row.endedAt !== null) throw new RefusalError(refuse("grant_over", `The grant ${row.id} was ended.`));
        const approvedAt = now();
        const until = new Date(approvedAt.getTime() + Number(row.seconds) * 1_000);
        await db
          .updateTable("grants")
          .set({ approvedAt, approvedBy: by, until })
          .where("id", "=", row.id)
          .where("approvedAt", "is", null)
          .where("endedAt", "is", null)
          .execute();
        return told(await found(row.id, scope));
      }),
    end: (grant, scope, by) =>
      refusing(async () => {
        const { id } = await found(grant, scope);
        await db
          .updateTable("grants")
          .set({ endedAt: now(), endedBy: by })
          .where("id", "=", id)
          .where("endedAt", "is", null)
          .execute();
        return told(await found(id, scope));
      }),
    async holds(operator, project) {
      const row = await db
        .selectFrom("grants")
        .select("id")
        .where("operator", "=", operator)
        .where("project", "=", project as never)
        .where("until", ">", now())
        .where("endedAt", "is", null)
        .executeTakeFirst();
      return row !== undefined;
    },
  };
}

function grantTold(row: Selectable<GrantTable>, nowMs: number): GrantTold {
  const { id, organisation, project, operator, reason, askedBy, approvedBy, endedBy } = row;
  const text = (time: Date | null): string | null => time?.toISOString() ?? null;
  const isOver = row.until !== null && row.until.getTime() <= nowMs;
  const state = row.endedAt !== null ? "ended" : isOver ? "over" : row.until === null ? "asked" : "active";
  return {
    id,
    organisation,
    project,
    operator,
    reason,
    askedBy,
    approvedBy,
    endedBy,
    seconds: Number(row.seconds),
    askedAt: row.askedAt.toISOString(),
    approvedAt: text(row.approvedAt),
    until: text(row.until),
    endedAt: text(row.endedAt),
    state,
  };
}
