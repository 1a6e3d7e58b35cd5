import { createHash } from "node:crypto";
import type { Kysely, Transaction } from "kysely";
import { type Clock, type Ids, type ProjectId, refuse, type Refusal, RefusalError } from "../base/index.ts";
import { checkProcessing, type DataClass, isDataClass } from "../policy/index.ts";
import { change, type Database } from "../store/index.ts";
import { type LimitChanges, type LimitsTold, limitsTold, mergeLimits, withinParent } from "./limits.ts";

export interface TenancyContext {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomBytes: (count: number) => Buffer;
  /** Called after every change that was committed. */
  readonly onChange: () => Promise<void>;
}

interface Named {
  readonly id: string;
  readonly name: string;
}
export interface OrganisationTold extends Named {
  readonly createdAt: string;
  readonly limits: LimitsTold;
}
export interface ProjectTold extends Named {
  readonly organisation: Named;
  readonly dataClass: DataClass;
  readonly processing: string[];
  readonly unsupported: "refuse" | "warn";
  readonly digestKey: string;
  readonly createdAt: string;
  readonly limits: LimitsTold;
}
export interface KeyTold extends Named {
  readonly project: Named;
  readonly organisation: Named;
  readonly createdAt: string;
  readonly revokedAt: string | null;
  readonly limits: LimitsTold;
}
interface ProjectRules {
  readonly dataClass?: DataClass | undefined;
  readonly processing?: readonly string[] | undefined;
  readonly unsupported?: "refuse" | "warn" | undefined;
}
interface Page {
  readonly limit: number;
  readonly after: string | undefined;
}
interface List<Item> {
  readonly items: Item[];
  readonly next: string | null;
}
type Reader = Kysely<Database> | Transaction<Database>;

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export type Tenancy = ReturnType<typeof createTenancy>;

/** Organisations, projects and keys over the store. References are names or ids, a project's also organisation/project. */
export function createTenancy(context: TenancyContext) {
  const { db } = context;
  const changed = async <Result>(
    work: (transaction: Transaction<Database>) => Promise<Result>,
  ): Promise<Result | Refusal> => {
    const result = await refusing(() => change(db, "keys", work));
    await context.onChange();
    return result;
  };
  const now = (): Date => new Date(context.clock.nowMs());

  return {
    async listOrganisations(page: Page): Promise<List<OrganisationTold>> {
      const rows = await db
        .selectFrom("organisations")
        .selectAll()
        .where("id", ">", (page.after ?? "") as never)
        .orderBy("id")
        .limit(page.limit + 1)
        .execute();
      return pageOf(rows, page, organisationTold);
    },
    showOrganisation: (reference: string) =>
      refusing(async () => organisationTold(await findOrganisation(db, reference))),
    createOrganisation: (input: { readonly name: string; readonly limits: LimitChanges }) =>
      changed(async (transaction) => {
        const row = {
          id: context.ids.mint("org"),
          name: nameOf(input.name),
          createdAt: now(),
          ...mergeLimits(undefined, input.limits),
        };
        await unique(transaction.insertInto("organisations").values(row).execute(), input.name);
        return organisationTold(await findOrganisation(transaction, row.id));
      }),
    updateOrganisation: (
      reference: string,
      changes: { readonly name?: string | undefined; readonly limits: LimitChanges },
    ) =>
      changed(async (transaction) => {
        const row = await findOrganisation(transaction, reference);
        const name = changes.name === undefined ? row.name : nameOf(changes.name);
        const values = { name, ...mergeLimits(row, changes.limits) };
        await unique(transaction.updateTable("organisations").set(values).where("id", "=", row.id).execute(), name);
        return organisationTold(await findOrganisation(transaction, row.id));
      }),

    listProjects: (filter: { readonly organisation: string | undefined }, page: Page) =>
      refusing(async () => {
        const organisation =
          filter.organisation === undefined ? undefined : await findOrganisation(db, filter.organisation);
        const rows = await projects(db)
          .where("projects.id", ">", (page.after ?? "") as never)
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
        const organisation = await findOrganisation(transaction, input.organisation);
        const limits = mergeLimits(undefined, input.limits);
        withinParent(limits, organisation, "organisation");
        const id = context.ids.mint("prj");
        const row = {
          id,
          organisation: organisation.id,
          name: nameOf(input.name),
          createdAt: now(),
          ...rulesOf(input, { dataClass: "public", processing: [], unsupported: "refuse" }),
          ...limits,
        };
        await unique(transaction.insertInto("projects").values(row).execute(), input.name);
        await newDigestKey(transaction, context, id);
        return projectTold(await findProject(transaction, id));
      }),
    updateProject: (
      reference: string,
      changes: { readonly name?: string | undefined; readonly limits: LimitChanges } & ProjectRules,
    ) =>
      changed(async (transaction) => {
        const row = await findProject(transaction, reference);
        const limits = mergeLimits(row, changes.limits);
        withinParent(limits, await findOrganisation(transaction, row.organisation), "organisation");
        const name = changes.name === undefined ? row.name : nameOf(changes.name);
        const values = { name, ...rulesOf(changes, row), ...limits };
        await unique(transaction.updateTable("projects").set(values).where("id", "=", row.id).execute(), name);
        return projectTold(await findProject(transaction, row.id));
      }),
    eraseDigestKey: (reference: string) =>
      changed(async (transaction) => {
        const project = await findProject(transaction, reference);
        await transaction
          .updateTable("digestKeys")
          .set({ secret: null, erasedAt: now() })
          .where("project", "=", project.id)
          .where("secret", "is not", null)
          .execute();
        await newDigestKey(transaction, context, project.id);
        return { project: projectTold(await findProject(transaction, project.id)), erased: project.digestKey };
      }),

    listKeys: (filter: { readonly project: string | undefined }, page: Page) =>
      refusing(async () => {
        const project = filter.project === undefined ? undefined : await findProject(db, filter.project);
        const rows = await keys(db)
          .where("keys.id", ">", (page.after ?? "") as never)
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
    }) =>
      changed(async (transaction) => {
        const project = await findProject(transaction, input.project);
        const limits = mergeLimits(undefined, input.limits);
        withinParent(limits, project, "project");
        withinParent(limits, await findOrganisation(transaction, project.organisation), "organisation");
        const id = context.ids.mint("key");
        const secret = `bwk_${context.randomBytes(32).toString("base64url")}`;
        const row = {
          id,
          project: project.id,
          name: nameOf(input.name ?? `key-${id.slice(-8).toLowerCase()}`),
          prefix: secret.slice(0, 8),
          secretHash: createHash("sha256").update(secret).digest(),
          createdAt: now(),
          ...limits,
        };
        await unique(transaction.insertInto("keys").values(row).execute(), row.name);
        return { ...keyTold(await findKey(transaction, id)), key: secret };
      }),
    updateKey: (reference: string, changes: { readonly name?: string | undefined; readonly limits: LimitChanges }) =>
      changed(async (transaction) => {
        const row = await findKey(transaction, reference);
        const limits = mergeLimits(row, changes.limits);
        const project = await findProject(transaction, row.project);
        withinParent(limits, project, "project");
        withinParent(limits, await findOrganisation(transaction, project.organisation), "organisation");
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

/** Runs work that refuses by throwing, which is how a transaction is rolled back. */
async function refusing<Result>(work: () => Promise<Result>): Promise<Result | Refusal> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal;
    throw error;
  }
}

function nameOf(name: string): string {
  if (namePattern.test(name)) return name;
  const message = "A name has 1 to 64 letters, digits, dots, underscores and hyphens.";
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

function rulesOf(
  rules: ProjectRules,
  before: {
    readonly dataClass: string;
    readonly processing: readonly string[];
    readonly unsupported: "refuse" | "warn";
  },
) {
  const processing = (rules.processing ?? before.processing).map((text) => {
    const checked = checkProcessing(text);
    if (checked.outcome === "known") return checked.code;
    const hint = checked.nearest === undefined ? "" : ` Did you mean ${checked.nearest}?`;
    throw new RefusalError(refuse("invalid_request", `${checked.message}.${hint}`, { param: "processing" }));
  });
  return {
    dataClass: rules.dataClass ?? before.dataClass,
    processing,
    unsupported: rules.unsupported ?? before.unsupported,
  };
}

async function newDigestKey(transaction: Transaction<Database>, context: TenancyContext, project: ProjectId) {
  const row = {
    id: context.ids.mint("dgk"),
    project,
    secret: context.randomBytes(32),
    createdAt: new Date(context.clock.nowMs()),
  };
  await transaction.insertInto("digestKeys").values(row).execute();
}

function found<Row>(rows: readonly Row[], what: string, reference: string): Row {
  const [row, another] = rows;
  if (row === undefined) {
    throw new RefusalError(refuse("not_found", `There is no ${what} "${reference.slice(0, 200)}".`, { param: what }));
  }
  if (another !== undefined) {
    const message = `Several are called "${reference.slice(0, 200)}".`;
    throw new RefusalError(refuse("ambiguous_name", message, { param: what }));
  }
  return row;
}

async function findOrganisation(db: Reader, reference: string) {
  const column = reference.startsWith("org_") ? "id" : "name";
  const rows = await db
    .selectFrom("organisations")
    .selectAll()
    .where(column, "=", reference as never)
    .execute();
  return found(rows, "organisation", reference);
}

function projects(db: Reader) {
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
        .limit(1)
        .as("digestKey"),
    );
}

async function findProject(db: Reader, reference: string) {
  const [first = "", second] = reference.split("/");
  const query = projects(db);
  const rows = await (
    second !== undefined
      ? query
          .where("projects.name", "=", second)
          .where((all) => all.or([all("organisations.name", "=", first), all("organisations.id", "=", first as never)]))
      : query.where(first.startsWith("prj_") ? "projects.id" : "projects.name", "=", first as never)
  ).execute();
  const row = found(rows, "project", reference);
  return { ...row, digestKey: row.digestKey ?? "" };
}

function keys(db: Reader) {
  return db
    .selectFrom("keys")
    .innerJoin("projects", "projects.id", "keys.project")
    .innerJoin("organisations", "organisations.id", "projects.organisation")
    .selectAll("keys")
    .select(["projects.name as projectName", "organisations.id as organisationId"])
    .select("organisations.name as organisationName");
}

async function findKey(db: Reader, reference: string) {
  const query = keys(db);
  if (reference.startsWith("key_"))
    return found(await query.where("keys.id", "=", reference as never).execute(), "key", reference);
  const rows = await query.where("keys.name", "=", reference).execute();
  // A revoked key's name may be another's by now: the living one is meant.
  const living = rows.filter(({ revokedAt }) => revokedAt === null);
  return found(living.length > 0 ? living : rows, "key", reference);
}

function organisationTold(row: Awaited<ReturnType<typeof findOrganisation>>): OrganisationTold {
  return { id: row.id, name: row.name, createdAt: row.createdAt.toISOString(), limits: limitsTold(row) };
}

function projectTold(
  row: Omit<Awaited<ReturnType<typeof findProject>>, "digestKey"> & { readonly digestKey: string | null },
): ProjectTold {
  return {
    id: row.id,
    name: row.name,
    organisation: { id: row.organisation, name: row.organisationName },
    dataClass: isDataClass(row.dataClass) ? row.dataClass : "restricted",
    processing: row.processing,
    unsupported: row.unsupported,
    digestKey: row.digestKey ?? "",
    createdAt: row.createdAt.toISOString(),
    limits: limitsTold(row),
  };
}

function keyTold(row: Awaited<ReturnType<typeof findKey>>): KeyTold {
  return {
    id: row.id,
    name: row.name,
    project: { id: row.project, name: row.projectName },
    organisation: { id: row.organisationId, name: row.organisationName },
    createdAt: row.createdAt.toISOString(),
    revokedAt: row.revokedAt?.toISOString() ?? null,
    limits: limitsTold(row),
  };
}

function pageOf<Row extends { readonly id: string }, Item>(
  rows: readonly Row[],
  page: Page,
  told: (row: Row) => Item,
): List<Item> {
  const shown = rows.slice(0, page.limit);
  return { items: shown.map(told), next: rows.length > page.limit ? (shown.at(-1)?.id ?? null) : null };
}
