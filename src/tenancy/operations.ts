import { createHash } from "node:crypto";
import type { Kysely, Transaction } from "kysely";
import {
  type Clock,
  type Ids,
  isId,
  type KeyPermission,
  type KeyReach,
  type ProjectId,
  refuse,
  type Refusal,
  RefusalError,
  refusing,
} from "../base/index.ts";
import { behind, change, type Database, type List, type Page, pageOf } from "../store/index.ts";
import { type LimitChanges, type LimitRow, mergeLimits, refusePast, withinParent } from "./limits.ts";
import { refuseCrowd, refuseOpening } from "./own-approval.ts";
import { findKey, findOrganisation, findProject, keys, projects, refuseErased } from "./references.ts";
import { firstRules, type KnownNames, type ProjectRules, rulesOf } from "./rules.ts";
import { keyTold, organisationTold, type OrganisationTold, projectTold } from "./told.ts";

export interface TenancyContext {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomBytes: (count: number) => Buffer;
  /** The groups of places and the regimes that projects can name. */
  readonly known: () => KnownNames;
  /** Called after every change that was committed, which stands whatever comes of it. */
  readonly onChange: () => Promise<void>;
  /** What `onChange` rejected with. */
  readonly onFailure: (error: unknown) => void;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export type Tenancy = ReturnType<typeof createTenancy>;

/** Organisations, projects and keys over the store. References are names or ids, a project's also organisation/project. */
export function createTenancy(context: TenancyContext) {
  const { db, randomBytes: draw } = context;
  const changed = async <Result>(
    work: (transaction: Transaction<Database>) => Promise<Result>,
  ): Promise<Result | Refusal> => {
    const result = await refusing(() => change(db, "keys", work));
    // A key's secret is told this once: that the directory could not be refreshed yet must not swallow it.
    if (!isRefusal(result)) await context.onChange().catch(context.onFailure);
    return result;
  };
  const now = (): Date => new Date(context.clock.nowMs());
  /** Limits as they are asked for, alone. */
  const asked = (changes: LimitChanges): LimitRow => {
    const limits = mergeLimits(undefined, changes);
    refusePast(limits.expiresAt, now());
    return limits;
  };
  const newDigestKey = async (transaction: Transaction<Database>, project: ProjectId): Promise<void> => {
    const row = { id: context.ids.mint("dgk"), project, secret: draw(32), createdAt: now() };
    await transaction.insertInto("digestKeys").values(row).execute();
  };

  return {
    async listOrganisations(page: Page): Promise<List<OrganisationTold>> {
      const rows = await db
        .selectFrom("organisations")
        .selectAll()
        .where("id", ">", behind("org", page))
        .orderBy("id")
        .limit(page.limit + 1)
        .execute();
      return pageOf(rows, page, organisationTold);
    },
    showOrganisation: (reference: string) =>
      refusing(async () => organisationTold(await findOrganisation(db, reference))),
    createOrganisation: (input: {
      readonly name: string;
      readonly prepaid?: boolean | undefined;
      readonly limits: LimitChanges;
    }) =>
      changed(async (transaction) => {
        const row = {
          id: context.ids.mint("org"),
          name: nameOf(input.name),
          createdAt: now(),
          isPrepaid: input.prepaid ?? false,
          ...asked(input.limits),
        };
        await unique(transaction.insertInto("organisations").values(row).execute(), input.name);
        return organisationTold(await findOrganisation(transaction, row.id));
      }),
    updateOrganisation: (
      reference: string,
      changes: {
        readonly name?: string | undefined;
        readonly prepaid?: boolean | undefined;
        readonly limits: LimitChanges;
      },
    ) =>
      changed(async (transaction) => {
        const row = refuseErased(await findOrganisation(transaction, reference));
        const name = changes.name === undefined ? row.name : nameOf(changes.name);
        asked(changes.limits);
        const isPrepaid = changes.prepaid ?? row.isPrepaid;
        const values = { name, isPrepaid, ...mergeLimits(row, changes.limits) };
        await unique(transaction.updateTable("organisations").set(values).where("id", "=", row.id).execute(), name);
        return organisationTold(await findOrganisation(transaction, row.id));
      }),

    listProjects: (filter: { readonly organisation: string | undefined }, page: Page) =>
      refusing(async () => {
        const organisation =
          filter.organisation === undefined ? undefined : await findOrganisation(db, filter.organisation);
        const rows = await projects(db)
          .where("projects.id", ">", behind("prj", page))
          .$if(organisation !== undefined, (query) => query.where("projects.organisation", "=", organisation!.id))
          .orderBy("projects.id")
          .limit(page.limit + 1)
          .execute();
        return pageOf(rows, page, projectTold);
      }),
    showProject: (reference: string) => refusing(async () => projectTold(await findProject(db, reference))),
    createProject: (
      input: { readonly organisation: string; readonly name: string; readonly limits: LimitChanges } & ProjectRules,
    ) =>
      changed(async (transaction) => {
        const organisation = refuseErased(await findOrganisation(transaction, input.organisation));
        const limits = asked(input.limits);
        withinParent(limits, organisation, "organisation");
        const id = context.ids.mint("prj");
        const row = {
          id,
          organisation: organisation.id,
          name: nameOf(input.name),
          createdAt: now(),
          ...rulesOf(input, firstRules, context.known()),
          ...limits,
        };
        await unique(transaction.insertInto("projects").values(row).execute(), input.name);
        await newDigestKey(transaction, id);
        return projectTold(await findProject(transaction, id));
      }),
    updateProject: (
      reference: string,
      changes: { readonly name?: string | undefined; readonly limits: LimitChanges } & ProjectRules,
    ) =>
      changed(async (transaction) => {
        const row = refuseErased(await findProject(transaction, reference));
        const limits = mergeLimits(row, changes.limits);
        // Only what is asked for: a parent may have been lowered since, and a new name is no reason to refuse then.
        withinParent(asked(changes.limits), await findOrganisation(transaction, row.organisation), "organisation");
        const name = changes.name === undefined ? row.name : nameOf(changes.name);
        const values = { name, ...rulesOf(changes, row, context.known()), ...limits };
        await unique(transaction.updateTable("projects").set(values).where("id", "=", row.id).execute(), name);
        return projectTold(await findProject(transaction, row.id));
      }),
    eraseDigestKey: (reference: string) =>
      changed(async (transaction) => {
        const project = refuseErased(await findProject(transaction, reference));
        await transaction
          .updateTable("digestKeys")
          .set({ secret: null, erasedAt: now() })
          .where("project", "=", project.id)
          .where("secret", "is not", null)
          .execute();
        await newDigestKey(transaction, project.id);
        return { project: projectTold(await findProject(transaction, project.id)), erased: project.digestKey };
      }),

    listKeys: (filter: { readonly project: string | undefined }, page: Page) =>
      refusing(async () => {
        const project = filter.project === undefined ? undefined : await findProject(db, filter.project);
        const rows = await keys(db)
          .where("keys.id", ">", behind("key", page))
          .$if(project !== undefined, (query) => query.where("keys.project", "=", project!.id))
          .orderBy("keys.id")
          .limit(page.limit + 1)
          .execute();
        return pageOf(rows, page, keyTold);
      }),
    showKey: (reference: string) => refusing(async () => keyTold(await findKey(db, reference))),
    createKey: (input: {
      readonly project: string;
      readonly name: string | undefined;
      readonly limits: LimitChanges;
      readonly permissions?: readonly KeyPermission[] | undefined;
      readonly reach?: KeyReach | undefined;
      /** Whether the tenant makes it, with a key of its own. */
      readonly isOwn?: boolean | undefined;
    }) =>
      changed(async (transaction) => {
        const project = refuseErased(await findProject(transaction, input.project));
        const permissions = [...new Set(input.permissions ?? (["use"] as const))];
        if (input.isOwn === true) await refuseCrowd(transaction, project.organisation);
        else await refuseOpening(transaction, project.organisation, permissions, context.clock.nowMs());
        const limits = asked(input.limits);
        withinParent(limits, project, "project");
        withinParent(limits, await findOrganisation(transaction, project.organisation), "organisation");
        const id = context.ids.mint("key");
        const secret = `bwk_${draw(32).toString("base64url")}`;
        const row = {
          id,
          project: project.id,
          name: nameOf(input.name ?? `key-${id.slice(-8).toLowerCase()}`),
          prefix: secret.slice(0, 8),
          secretHash: createHash("sha256").update(secret).digest(),
          createdAt: now(),
          permissions,
          reach: input.reach ?? ("project" as const),
          ...limits,
        };
        await unique(transaction.insertInto("keys").values(row).execute(), row.name);
        return { ...keyTold(await findKey(transaction, id)), key: secret };
      }),
    updateKey: (reference: string, changes: { readonly name?: string | undefined; readonly limits: LimitChanges }) =>
      changed(async (transaction) => {
        const row = await findKey(transaction, reference);
        const limits = mergeLimits(row, changes.limits);
        const wanted = asked(changes.limits);
        const project = await findProject(transaction, row.project);
        withinParent(wanted, project, "project");
        withinParent(wanted, await findOrganisation(transaction, project.organisation), "organisation");
        const name = changes.name === undefined ? row.name : nameOf(changes.name);
        await unique(
          transaction
            .updateTable("keys")
            .set({ name, ...limits })
            .where("id", "=", row.id)
            .execute(),
          name,
        );
        return keyTold(await findKey(transaction, row.id));
      }),
    revokeKey: (reference: string) =>
      changed(async (transaction) => {
        const row = await findKey(transaction, reference);
        if (row.revokedAt === null) {
          await transaction.updateTable("keys").set({ revokedAt: now() }).where("id", "=", row.id).execute();
        }
        return keyTold(await findKey(transaction, row.id));
      }),
  };
}

function isRefusal(result: unknown): result is Refusal {
  return typeof result === "object" && result !== null && "outcome" in result && result.outcome === "refused";
}

function nameOf(name: string): string {
  const isLikeAnId = isId("org", name) || isId("prj", name) || isId("key", name);
  if (namePattern.test(name) && !isLikeAnId) return name;
  const message = isLikeAnId
    ? "A name must not look like an id: nobody could tell which of the two is meant."
    : "A name has 1 to 64 letters, digits, dots, underscores and hyphens, and begins with a letter or digit.";
  throw new RefusalError(refuse("invalid_request", message, { param: "name" }));
}

/** PostgreSQL's unique_violation as a refusal. */
async function unique(work: Promise<unknown>, name: string): Promise<void> {
  try {
    await work;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "23505") throw error;
    throw new RefusalError(refuse("name_taken", `The name "${name}" is taken.`, { param: "name" }));
  }
}
