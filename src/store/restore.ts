import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Kysely, sql, type Transaction } from "kysely";
import type { DatabaseConnection } from "./connect.ts";
import { type DumpedTable, type DumpManifest, manifestName } from "./dump.ts";
import type { Log } from "./log.ts";
import { appliedMigrations, migrate } from "./migrations/index.ts";
import type { Database } from "./schema.ts";
import { refuseNewer, type StoreRefusal, withOwnConnection } from "./store.ts";

export interface RestoreOptions {
  readonly connection: DatabaseConnection;
  /** A dump's folder. */
  readonly from: string;
  readonly log: Log;
}

export type RestoreOutcome = { readonly outcome: "restored"; readonly manifest: DumpManifest } | StoreRefusal;

/** Lines and characters of JSON sent in one statement, at most. */
const sentLines = 1_000;
const sentCharacters = 4_000_000;

/**
 * Fills an empty database from a dump, whole or not at all, and brings its schema up to date. The dump's own schema is
 * made first and its rows put into that: what later migrations do to rows is then done to these as to any others.
 */
export async function restore(options: RestoreOptions): Promise<RestoreOutcome> {
  const read = await readManifest(options.from);
  if (read.outcome === "refused") return read;
  const { manifest } = read;
  const refusal = refuseNewer([manifest.schema]) ?? (await verifyFiles(options.from, manifest));
  if (refusal !== undefined) return refusal;
  return withOwnConnection(options.connection, options.log, async (db) => {
    const occupied = await refuseOccupied(db, manifest);
    if (occupied !== undefined) return occupied;
    await migrate(db, manifest.schema);
    await db.transaction().execute((transaction) => fill(transaction, options.from, manifest));
    await migrate(db);
    return { outcome: "restored", manifest };
  });
}

function damaged(message: string): StoreRefusal {
  return { outcome: "refused", reason: "damaged_dump", message, next: "Restore another backup." };
}

async function readManifest(from: string): Promise<{ outcome: "read"; manifest: DumpManifest } | StoreRefusal> {
  const text = await readFile(join(from, manifestName), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (text === undefined) return damaged(`${from} holds no ${manifestName}: it is no dump, or one that was cut off.`);
  const manifest = parseManifest(text);
  if (manifest === undefined) return damaged(`${join(from, manifestName)} is not a dump's manifest.`);
  return { outcome: "read", manifest };
}

function parseManifest(text: string): DumpManifest | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined; // Not JSON: the caller says so.
  }
  const manifest = parsed as Partial<DumpManifest> | null;
  const isManifest =
    manifest !== null &&
    typeof manifest === "object" &&
    manifest.format === 1 &&
    typeof manifest.schema === "string" &&
    typeof manifest.installation === "string" &&
    Array.isArray(manifest.tables) &&
    manifest.tables.every((table) => isDumpedTable(table));
  return isManifest ? (manifest as DumpManifest) : undefined;
}

/** The names become part of paths and statements: nothing but plain ones is taken. */
function isDumpedTable(table: DumpedTable | null): boolean {
  return (
    typeof table === "object" &&
    table !== null &&
    /^[a-z_]{1,60}$/.test(table.name) &&
    typeof table.file === "string" &&
    basename(table.file) === table.file &&
    Number.isSafeInteger(table.rows) &&
    /^[0-9a-f]{64}$/.test(table.sha256)
  );
}

/** All files are read once before anything is written: a damaged dump must not cost an empty database. */
async function verifyFiles(from: string, manifest: DumpManifest): Promise<StoreRefusal | undefined> {
  for (const table of manifest.tables) {
    const path = join(from, table.file);
    const hash = createHash("sha256");
    try {
      for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return damaged(`${path} is missing.`);
      throw error;
    }
    if (hash.digest("hex") !== table.sha256) return damaged(`${path} is not what its manifest says.`);
  }
  return undefined;
}

/** A database that ever belonged to an installation is never written over; a restore that was cut off may go on. */
async function refuseOccupied(db: Kysely<Database>, manifest: DumpManifest): Promise<StoreRefusal | undefined> {
  const applied = await appliedMigrations(db);
  if (applied.length === 0) return undefined;
  const newer = refuseNewer(applied);
  if (newer !== undefined) return newer;
  const held = await db.selectFrom("installation").select("id").executeTakeFirst();
  if (held === undefined && applied.at(-1) === manifest.schema) return undefined;
  return {
    outcome: "refused",
    reason: "not_empty",
    message: held === undefined ? "The database is not empty." : `The database belongs to installation ${held.id}.`,
    next: "Restore into an empty database.",
  };
}

async function fill(transaction: Transaction<Database>, from: string, manifest: DumpManifest): Promise<void> {
  const names = manifest.tables.map((table) => sql.table(table.name));
  // A migration may have put rows of its own there, as the first one does with epochs: the dump has them too.
  await sql`TRUNCATE ${sql.join(names)}`.execute(transaction);
  for (const table of manifest.tables) {
    const rows = await fillTable(transaction, table.name, join(from, table.file));
    if (rows !== table.rows) throw new Error(`${table.file} holds ${rows} rows and its manifest says ${table.rows}.`);
  }
}

async function fillTable(transaction: Transaction<Database>, name: string, path: string): Promise<number> {
  const columns = await columnsOf(transaction, name);
  const list = sql.join(columns.map((column) => sql.id(column.name)));
  const table = sql.table(name);
  let sent = 0;
  let lines: string[] = [];
  let characters = 0;
  const send = async (): Promise<void> => {
    if (lines.length === 0) return;
    await sql`INSERT INTO ${table} (${list}) OVERRIDING SYSTEM VALUE
      SELECT ${list} FROM jsonb_populate_recordset(NULL::${table}, ${`[${lines.join(",")}]`}::jsonb)`.execute(
      transaction,
    );
    sent += lines.length;
    lines = [];
    characters = 0;
  };
  for await (const line of linesOf(path)) {
    lines.push(line);
    characters += line.length;
    if (lines.length >= sentLines || characters >= sentCharacters) await send();
  }
  await send();
  for (const column of columns.filter((column) => column.identity)) {
    // An identity column goes on counting behind what was put there.
    await sql`SELECT setval(pg_get_serial_sequence(${name}, ${column.name}),
      (SELECT coalesce(max(${sql.id(column.name)}), 0) + 1 FROM ${table}), false)`.execute(transaction);
  }
  return sent;
}

/** Split at line feeds only: readline also splits at U+2028, which JSON leaves as it is. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of createReadStream(path, { encoding: "utf8" })) {
    const lines = (rest + (chunk as string)).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

interface Column {
  readonly name: string;
  readonly identity: boolean;
}

/** The columns that rows can be given; a generated one is computed from the others. */
async function columnsOf(transaction: Transaction<Database>, table: string): Promise<readonly Column[]> {
  const { rows } = await sql<Column>`
    SELECT attname AS name, attidentity <> '' AS identity FROM pg_attribute
    WHERE attrelid = to_regclass(${table}) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ORDER BY attnum`.execute(transaction);
  if (rows.length === 0) throw new Error(`The dump names a table ${table} that its schema does not have.`);
  return rows;
}
