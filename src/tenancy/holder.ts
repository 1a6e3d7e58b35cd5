import { createSecretKey, type KeyObject } from "node:crypto";
import type { Kysely, Selectable } from "kysely";
import type { Amount, KeyId, KeyPermission, KeyReach, OrganisationId, ProjectId, Tier } from "../base/index.ts";
import type { DataOwner } from "../policy/index.ts";
import type { Database, ProjectTable } from "../store/index.ts";
import { budgetOf, type LimitRow } from "./limits.ts";

/** What one level of the chain key, project, organisation may use; undefined is no limit of its own. */
export interface ScopeLimits {
  readonly id: string;
  readonly level: "key" | "project" | "organisation";
  readonly models: readonly string[] | undefined;
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  readonly monthlyBudget: Amount | undefined;
}

/** Who a key belongs to, and everything that holds for a request with it. */
export interface Holder {
  readonly key: {
    readonly id: KeyId;
    readonly name: string;
    /** What it may do beside, or instead of, asking models. */
    readonly permissions: ReadonlySet<KeyPermission>;
    readonly reach: KeyReach;
  };
  /** What it says of where its data may be is as policy takes it. */
  readonly project: DataOwner & {
    readonly id: ProjectId;
    readonly name: string;
    readonly unsupported: "refuse" | "warn";
    readonly tier: Tier;
    /** What it has of a pool that is short, beside a project of weight 1. */
    readonly weight: number;
    /** For how long content is kept; undefined: it is not. */
    readonly keepContentSeconds: number | undefined;
    /** What digests in its receipts are salted with. */
    readonly digestKey: { readonly id: string; readonly secret: KeyObject };
  };
  readonly organisation: { readonly id: OrganisationId; readonly name: string };
  /** The key's, its project's, its organisation's: all of them hold. */
  readonly limits: readonly ScopeLimits[];
  /** The earliest end of the three, in milliseconds since 1970. */
  readonly expiresAtMs: number | undefined;
  readonly isRevoked: boolean;
}

/**
 * Every key's holder by the hex SHA-256 of its secret, and the epoch of keys, in one snapshot. Keys revoked before
 * `revokedSince` are left out: they are unknown by then, so that what is held in memory does not grow for ever.
 */
export async function readHolders(
  db: Kysely<Database>,
  revokedSince: Date,
): Promise<{ readonly epoch: number; readonly holders: ReadonlyMap<string, Holder> }> {
  return db
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute(async (transaction) => {
      const epoch = await transaction
        .selectFrom("epochs")
        .select("number")
        .where("name", "=", "keys")
        .executeTakeFirstOrThrow();
      const organisations = await transaction.selectFrom("organisations").selectAll().execute();
      const projects = await transaction.selectFrom("projects").selectAll().execute();
      const digestKeys = await transaction
        .selectFrom("digestKeys")
        .selectAll()
        .where("secret", "is not", null)
        .orderBy("createdAt")
        .orderBy("id")
        .execute();
      const keys = await transaction
        .selectFrom("keys")
        .selectAll()
        .where((key) => key.or([key("revokedAt", "is", null), key("revokedAt", ">=", revokedSince)]))
        .execute();
      const organisationOf = new Map(organisations.map((row) => [row.id, row]));
      // The newest comes last, and stays.
      const secretOf = new Map(
        digestKeys.map((row) => [row.project, { id: row.id, secret: createSecretKey(row.secret!) }]),
      );
      const projectOf = new Map(projects.map((row) => [row.id, row]));
      const holders = new Map<string, Holder>();
      for (const key of keys) {
        const project = projectOf.get(key.project)!;
        // Nobody asks for it any more, and its digests have no key.
        if (project.erasedAt !== null) continue;
        const organisation = organisationOf.get(project.organisation)!;
        const digestKey = secretOf.get(project.id);
        if (digestKey === undefined) throw new Error(`project ${project.id} has no digest key`);
        holders.set(key.secretHash.toString("hex"), {
          key: { id: key.id, name: key.name, permissions: new Set(key.permissions), reach: key.reach },
          project: {
            id: project.id,
            name: project.name,
            organisation: organisation.id,
            dataClass: project.dataClass,
            processing: project.processing,
            ...residencyOf(project),
            unsupported: project.unsupported,
            tier: project.tier,
            weight: project.weight,
            keepContentSeconds: project.keepContentSeconds === null ? undefined : Number(project.keepContentSeconds),
            digestKey,
          },
          organisation: { id: organisation.id, name: organisation.name },
          limits: [limitsOf("key", key), limitsOf("project", project), limitsOf("organisation", organisation)],
          expiresAtMs: earliest([key.expiresAt, project.expiresAt, organisation.expiresAt]),
          isRevoked: key.revokedAt !== null,
        });
      }
      return { epoch: Number(epoch.number), holders };
    });
}

/** What a project need not say stands in no member: policy tells "nothing was said" from "said to be empty". */
function residencyOf({ storage, regimes, country, exported }: Residency) {
  return {
    ...(storage === null ? {} : { storage }),
    ...(regimes === null ? {} : { regimes }),
    ...(country === null ? {} : { country }),
    ...(exported === null ? {} : { exported }),
  };
}

type Residency = Pick<Selectable<ProjectTable>, "storage" | "regimes" | "country" | "exported">;

function limitsOf(level: ScopeLimits["level"], row: LimitRow & { readonly id: string }): ScopeLimits {
  return {
    id: row.id,
    level,
    models: row.models ?? undefined,
    requestsPerMinute: row.requestsPerMinute === null ? undefined : Number(row.requestsPerMinute),
    tokensPerMinute: row.tokensPerMinute === null ? undefined : Number(row.tokensPerMinute),
    monthlyBudget: row.monthlyBudget === null ? undefined : budgetOf(row.monthlyBudget),
  };
}

function earliest(times: readonly (Date | null)[]): number | undefined {
  const known = times.flatMap((time) => (time === null ? [] : [time.getTime()]));
  return known.length === 0 ? undefined : Math.min(...known);
}
