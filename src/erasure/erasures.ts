import type { Selectable } from "kysely";
import {
  type Clock,
  type ErasureId,
  type Ids,
  isId,
  type ProjectId,
  refuse,
  type Refusal,
  RefusalError,
  refusing,
} from "../base/index.ts";
import { signedFile, type SigningKeys } from "../receipt/index.ts";
import { behind, type ErasureTable, type List, type Page, pageOf } from "../store/index.ts";
import type { Contents } from "../contents/index.ts";
import type { LedgerEntry } from "./ledger.ts";
import { begun, type ErasureKind, type Erasing, type Progress } from "./progress.ts";
import { blind, erasureType, statementOf } from "./statement.ts";
import { stepsOf, type Stores } from "./steps.ts";

export interface ErasuresContext {
  readonly stores: Stores & { readonly contents: Pick<Contents, "subjectTag"> };
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomBytes: (count: number) => Buffer;
  readonly signing: Pick<SigningKeys, "sign">;
  readonly installation: string;
  /** Where backups were written that hold what was there before. */
  readonly backups: () => Promise<readonly string[]>;
  /** Writes an erasure down outside of the database, whose backups do not know it yet. */
  readonly keepForRestores: (entry: LedgerEntry) => Promise<void>;
  readonly onFailure: (error: unknown, erasure: string) => void;
}

export interface ErasureInput {
  readonly organisation: string;
  readonly project: string | null;
  readonly request?: string | undefined;
  readonly subject?: string | undefined;
  readonly reason: string | null;
  readonly by: string;
}

export interface ErasureTold {
  readonly id: string;
  readonly kind: ErasureKind;
  readonly organisation: string;
  readonly project: string | null;
  readonly askedAt: string;
  readonly askedBy: string;
  readonly reason: string | null;
  readonly state: "running" | "done";
  /** The steps that are over. */
  readonly steps: string[];
  readonly finishedAt: string | null;
  /** The key by which the statement's ids are blinded, hex. */
  readonly blinding: string;
  /** The signed statement's exact text; null until everything is gone. */
  readonly statement: string | null;
}

interface Scope {
  readonly organisation?: string | undefined;
  readonly project?: string | undefined;
}

export interface Erasures {
  /** Begins it, and resolves when it is over, or after `waitMs` while it goes on. */
  erase(input: ErasureInput, waitMs: number): Promise<ErasureTold | Refusal>;
  list(scope: Scope, page: Page): Promise<List<ErasureTold>>;
  show(erasure: string, scope: Scope): Promise<ErasureTold | Refusal>;
  /** Goes on with what an earlier process has left; resolves when none is left. */
  resume(): Promise<void>;
  /**
   * Has erasures that this database does not know done again, by `resume`; how many these are. What was made after the
   * database's own time is not there, and need not go.
   */
  replay(entries: readonly LedgerEntry[]): Promise<number>;
}

/** Of one organisation at once. */
const waitingMax = 50;

export function createErasures(context: ErasuresContext): Erasures {
  const { stores, clock, ids } = context;
  const { db } = stores;
  /** One after the other: two could take keys away under one another. */
  let last: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => (last = last.then(work, work));
  const scoped = ({ organisation, project }: Scope) =>
    db
      .selectFrom("erasures")
      .selectAll()
      .$if(organisation !== undefined, (query) => query.where("organisation", "=", organisation as never))
      .$if(project !== undefined, (query) => query.where("project", "=", project as never));
  const found = async (erasure: string, scope: Scope) => {
    const row = isId("ers", erasure) ? await scoped(scope).where("id", "=", erasure).executeTakeFirst() : undefined;
    if (row !== undefined) return row;
    const message = `There is no erasure "${erasure.slice(0, 200)}".`;
    throw new RefusalError(refuse("not_found", message, { param: "erasure" }));
  };

  const run = async (id: ErasureId): Promise<void> => {
    const row = await found(id, {});
    if (row.finishedAt !== null) return;
    const erasing = erasingOf(row);
    let progress = JSON.parse(row.progress) as Progress;
    if (row.steps.length === 0) await context.keepForRestores(entryOf(erasing, progress));
    for (const step of stepsOf(erasing)) {
      if (row.steps.includes(step.name)) continue;
      progress = (await step.run(erasing, progress, stores)) ?? progress;
      row.steps.push(step.name);
      const state = { progress: JSON.stringify(progress), steps: row.steps };
      await db.updateTable("erasures").set(state).where("id", "=", id).execute();
    }
    const finished = new Date(clock.nowMs());
    const more = { installation: context.installation, finishedAt: finished.toISOString() };
    const stated = statementOf(erasing, { ...progress, backups: await context.backups() }, more);
    const statement = signedFile(erasureType, stated, context.signing);
    // What was to go is named here no longer, either.
    const forgotten = JSON.stringify(begun("", "", []));
    await db
      .updateTable("erasures")
      .set({ finishedAt: finished, statement, progress: forgotten })
      .where("id", "=", id)
      .execute();
  };

  const runInTurn = (id: ErasureId): Promise<void> =>
    inTurn(() => run(id).catch((error: unknown) => context.onFailure(error, id)));

  return {
    erase: (input, waitMs) =>
      refusing(async () => {
        const { organisation, project, reason, by } = input;
        const kind = kindOf(input);
        await refuseWhereManyWait(organisation);
        const id = ids.mint("ers");
        const blinding = context.randomBytes(32).toString("hex");
        const row = {
          id,
          kind,
          organisation: organisation as never,
          project: project as ProjectId | null,
          askedAt: new Date(clock.nowMs()),
          askedBy: by,
          reason,
          blinding,
          progress: JSON.stringify(await firstProgress(input, kind, blinding)),
        };
        await db.insertInto("erasures").values(row).execute();
        const late = Promise.withResolvers<void>();
        const cancel = clock.after(waitMs, () => late.resolve());
        await Promise.race([runInTurn(id), late.promise]).finally(cancel);
        return told(await found(id, {}));
      }),
    async list(scope, page) {
      const rows = await scoped(scope)
        .where("id", ">", behind("ers", page))
        .orderBy("id")
        .limit(page.limit + 1)
        .execute();
      return pageOf(rows, page, told);
    },
    show: (erasure, scope) => refusing(async () => told(await found(erasure, scope))),
    async resume() {
      const open = await db.selectFrom("erasures").select("id").where("finishedAt", "is", null).orderBy("id").execute();
      for (const { id } of open) await runInTurn(id);
    },
    async replay(entries) {
      let replayed = 0;
      for (const entry of entries) {
        const projects = await projectsThere(entry);
        if (projects.length === 0 && entry.kind !== "organisation") continue;
        const { erasure: id, kind, of, stated, askedAt, askedBy, reason, blinding } = entry;
        const whose = { organisation: entry.organisation as never, project: entry.project as ProjectId | null };
        const progress = JSON.stringify(begun(of, stated, projects));
        const said = { askedAt: new Date(askedAt), askedBy, reason, blinding, progress };
        const { numInsertedOrUpdatedRows } = await db
          .insertInto("erasures")
          .values({ id: id as ErasureId, kind, ...whose, ...said })
          .onConflict((conflict) => conflict.column("id").doNothing())
          .executeTakeFirst();
        replayed += Number(numInsertedOrUpdatedRows ?? 0);
      }
      return replayed;
    },
  };

  /** Of those that it was about, the projects that this database knows. */
  async function projectsThere({ organisation, project }: LedgerEntry): Promise<readonly string[]> {
    const rows = await db
      .selectFrom("projects")
      .select("id")
      .where("organisation", "=", organisation as never)
      .$if(project !== null, (query) => query.where("id", "=", project as never))
      .execute();
    return rows.map(({ id }) => id);
  }

  /** All take their turns: one tenant's may not hold up everybody's for long. */
  async function refuseWhereManyWait(organisation: string): Promise<void> {
    const open = await db
      .selectFrom("erasures")
      .select("id")
      .where("organisation", "=", organisation as never)
      .where("finishedAt", "is", null)
      .limit(waitingMax)
      .execute();
    if (open.length < waitingMax) return;
    const message = `${waitingMax} erasures of this organisation are not over yet.`;
    throw new RefusalError(refuse("overloaded", message, { retryAfterSeconds: 10 }));
  }

  async function firstProgress(input: ErasureInput, kind: ErasureKind, blinding: string): Promise<Progress> {
    const { organisation, project, request, subject } = input;
    if (kind === "request") return begun(requestOf(request!), blind(blinding, request!), [project!]);
    // The pseudonym itself is written down nowhere.
    if (kind === "subject") {
      const tag = await stores.contents.subjectTag({ project: project!, organisation }, subject!);
      return begun(tag, blind(blinding, subject!), [project!]);
    }
    if (kind === "project") return begun(project!, project!, [project!]);
    const projects = await db
      .selectFrom("projects")
      .select("id")
      .where("organisation", "=", organisation as never)
      .execute();
    return begun(
      organisation,
      organisation,
      projects.map(({ id }) => id),
    );
  }
}

function entryOf(erasing: Erasing, { of, stated }: Progress): LedgerEntry {
  const { id: erasure, kind, organisation, project, askedAt, askedBy, reason, blinding } = erasing;
  return { v: 1, erasure, kind, organisation, project, of, stated, askedAt, askedBy, reason, blinding };
}

function kindOf({ project, request, subject }: ErasureInput): ErasureKind {
  if (request === undefined && subject === undefined) return project === null ? "organisation" : "project";
  if (project !== null && (request === undefined || subject === undefined)) {
    return request === undefined ? "subject" : "request";
  }
  const message = "Name a project, and of it a request or a person, not both.";
  throw new RefusalError(refuse("invalid_request", message, { param: "project" }));
}

function requestOf(text: string): string {
  if (isId("req", text)) return text;
  throw new RefusalError(refuse("invalid_request", "A request is named by its id.", { param: "request" }));
}

function erasingOf(row: Selectable<ErasureTable>): Erasing {
  const { id, kind, organisation, project, askedBy, reason, blinding } = row;
  return { id, kind, organisation, project, askedAt: row.askedAt.toISOString(), askedBy, reason, blinding };
}

function told(row: Selectable<ErasureTable>): ErasureTold {
  const { steps, statement, finishedAt } = row;
  return {
    ...erasingOf(row),
    state: finishedAt === null ? "running" : "done",
    steps,
    finishedAt: finishedAt?.toISOString() ?? null,
    statement,
  };
}
