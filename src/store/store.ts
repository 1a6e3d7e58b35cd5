import { type Kysely, sql } from "kysely";
import type { Clock, InstallationId } from "../base/index.ts";
import { connect, type DatabaseConnection } from "./connect.ts";
import type { Log } from "./log.ts";
import { appliedMigrations, latestSchema, migrate, migrations } from "./migrations/index.ts";
import type { Database } from "./schema.ts";

export interface StoreOptions {
  readonly connection: DatabaseConnection;
  readonly installation: InstallationId;
  readonly clock: Clock;
  readonly log: Log;
  /** Connections at most; default 8. */
  readonly connections?: number;
  /** Milliseconds; default 30,000. */
  readonly statementTimeoutMs?: number;
}

export interface Store {
  readonly outcome: "opened";
  readonly db: Kysely<Database>;
  /** The last applied migration. */
  readonly schema: string;
  close(): Promise<void>;
}

/** A database, or a dump, that this installation must not work with. */
export interface StoreRefusal {
  readonly outcome: "refused";
  readonly reason: "newer_schema" | "foreign_database" | "not_empty" | "damaged_dump";
  readonly message: string;
  /** What to do about it. */
  readonly next: string;
}

/**
 * Connects, brings the schema up to date, and shakes hands: a database belongs to one installation, the first that
 * opens it. Rejects where PostgreSQL cannot be reached (see `isDatabaseAway`).
 */
export async function openStore(options: StoreOptions): Promise<Store | StoreRefusal> {
  const refusal = await prepare(options);
  if (refusal !== undefined) return refusal;
  const db = connect({
    connection: options.connection,
    log: options.log,
    connections: options.connections ?? 8,
    statementTimeoutMs: options.statementTimeoutMs ?? 30_000,
  });
  return { outcome: "opened", db, schema: latestSchema, close: () => db.destroy() };
}

/** Runs work on a connection of its own that is closed afterwards, without the limits of serving. */
export async function withOwnConnection<Result>(
  connection: DatabaseConnection,
  log: Log,
  work: (db: Kysely<Database>) => Promise<Result>,
): Promise<Result> {
  const db = connect({ connection, log, connections: 1, statementTimeoutMs: 0 });
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

async function prepare(options: StoreOptions): Promise<StoreRefusal | undefined> {
  return withOwnConnection(options.connection, options.log, async (db) => {
    const newer = refuseNewer(await appliedMigrations(db));
    if (newer !== undefined) return newer;
    const applied = await migrate(db);
    if (applied.length > 0) options.log("info", `The database's schema was brought to ${latestSchema}.`);
    return shakeHands(db, options);
  });
}

/** A schema that only a newer release knows: this one would misread it. */
export function refuseNewer(applied: readonly string[]): StoreRefusal | undefined {
  const unknown = applied.filter((name) => !(name in migrations));
  if (unknown.length === 0) return undefined;
  return {
    outcome: "refused",
    reason: "newer_schema",
    message: `The database's schema is ${unknown.at(-1)}, and this release knows it up to ${latestSchema} only.`,
    next: "Start the newer release, or restore the backup that was taken before the upgrade.",
  };
}

async function shakeHands(db: Kysely<Database>, options: StoreOptions): Promise<StoreRefusal | undefined> {
  const createdAt = new Date(options.clock.nowMs());
  await db
    .insertInto("installation")
    .values({ id: options.installation, createdAt })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { id } = await db.selectFrom("installation").select("id").executeTakeFirstOrThrow();
  if (id === options.installation) return undefined;
  return {
    outcome: "refused",
    reason: "foreign_database",
    message: `The database belongs to installation ${id}, and this is ${options.installation}.`,
    next: "Give this installation a database of its own, or restore the backup whose database this is.",
  };
}

/** Whether PostgreSQL answers; for readiness and metrics. Rejects where it does not. */
export async function ping(db: Kysely<Database>): Promise<void> {
  await sql`SELECT 1`.execute(db);
}
