import { createHash } from "node:crypto";
import { mkdir, open, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Kysely, sql, type Transaction } from "kysely";
import type { Clock, InstallationId } from "../base/index.ts";
import type { DatabaseConnection } from "./connect.ts";
import type { Log } from "./log.ts";
import { appliedMigrations } from "./migrations/index.ts";
import { type Database, tables } from "./schema.ts";
import { refuseNewer, type StoreRefusal, withOwnConnection } from "./store.ts";

/** manifest.json: what a dump holds. It is written last, so that a folder without one is no dump. */
export interface DumpManifest {
  readonly format: 1;
  /** The last applied migration. */
  readonly schema: string;
  readonly installation: InstallationId;
  readonly createdAt: string;
  /** In the order in which they can be inserted. */
  readonly tables: readonly DumpedTable[];
}

export interface DumpedTable {
  readonly name: string;
  /** One JSON object a line, as PostgreSQL's to_jsonb writes the row. */
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  /** Lower-case hex, of the file's bytes. */
  readonly sha256: string;
}

export const manifestName = "manifest.json";

/** Rows held in memory at a time. */
const fetchedRows = 1_000;

export interface DumpOptions {
  readonly connection: DatabaseConnection;
  /** A folder that does not exist yet, or an empty one. */
  readonly to: string;
  readonly clock: Clock;
  readonly log: Log;
}

export type DumpOutcome = { readonly outcome: "dumped"; readonly manifest: DumpManifest } | StoreRefusal;

/**
 * Writes all tables as they are at one moment, while others go on writing. The dump holds what the database holds, key
 * hashes and the receipts' HMAC keys among it: files are 0600 and the folder 0700.
 */
export async function dump(options: DumpOptions): Promise<DumpOutcome> {
  await mkdir(options.to, { recursive: true, mode: 0o700 });
  if ((await readdir(options.to)).length > 0) {
    return {
      outcome: "refused",
      reason: "not_empty",
      message: `The folder ${options.to} is not empty.`,
      next: "Name a folder that does not exist yet.",
    };
  }
  const outcome = await withOwnConnection(options.connection, options.log, async (db) =>
    db
      .transaction()
      .setIsolationLevel("repeatable read")
      .setAccessMode("read only")
      .execute((transaction) => dumpTables(transaction, options)),
  );
  if (outcome.outcome === "refused") return outcome;
  const path = join(options.to, manifestName);
  await writeFile(`${path}.new`, `${JSON.stringify(outcome.manifest, undefined, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  const folder = await open(options.to, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  return outcome;
}

async function dumpTables(transaction: Transaction<Database>, options: DumpOptions): Promise<DumpOutcome> {
  // Within the snapshot: a migration that runs meanwhile is either wholly in it or not at all.
  const applied = await appliedMigrations(transaction);
  const schema = applied.at(-1);
  const newer = refuseNewer(applied);
  if (newer !== undefined) return newer;
  if (schema === undefined) throw new Error("The database holds no schema of ours: there is nothing to dump.");
  const { id } = await transaction.selectFrom("installation").select("id").executeTakeFirstOrThrow();
  const dumped: DumpedTable[] = [];
  for (const name of tables) dumped.push(await dumpTable(transaction, name, options.to));
  const createdAt = new Date(options.clock.nowMs()).toISOString();
  return { outcome: "dumped", manifest: { format: 1, schema, installation: id, createdAt, tables: dumped } };
}

/** A cursor hands the rows out piece by piece, so that a large table needs no more memory than a small one. */
async function dumpTable(db: Kysely<Database>, name: string, folder: string): Promise<DumpedTable> {
  const file = `${name}.ndjson`;
  const handle = await open(join(folder, file), "wx", 0o600);
  const hash = createHash("sha256");
  let rows = 0;
  let bytes = 0;
  try {
    await sql`DECLARE dumped NO SCROLL CURSOR FOR SELECT to_jsonb(t)::text AS line FROM ${sql.table(name)} t`.execute(
      db,
    );
    for (;;) {
      const fetched = await sql<{ line: string }>`FETCH ${sql.lit(fetchedRows)} FROM dumped`.execute(db);
      if (fetched.rows.length === 0) break;
      const text = Buffer.from(fetched.rows.map((row) => `${row.line}\n`).join(""), "utf8");
      hash.update(text);
      rows += fetched.rows.length;
      bytes += text.length;
      await handle.writeFile(text);
    }
    await sql`CLOSE dumped`.execute(db);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { name, file, rows, bytes, sha256: hash.digest("hex") };
}
