import { CamelCasePlugin, Kysely, PostgresDialect } from "kysely";
import { Pool, type PoolConfig, TypeOverrides } from "pg";
import type { EmbeddedConnection } from "./embedded/index.ts";
import type { Log } from "./log.ts";
import type { Database } from "./schema.ts";

/** `postgres://user:password@host/database?sslmode=...`, or the embedded one's socket. */
export type DatabaseConnection = { readonly url: string } | EmbeddedConnection;

export interface ConnectOptions {
  readonly connection: DatabaseConnection;
  readonly log: Log;
  /** Connections at most. */
  readonly connections: number;
  /** Milliseconds a statement may take; 0: as long as it needs (migrations, dumps). */
  readonly statementTimeoutMs: number;
}

/** How long to wait for a connection, a free one of the pool or a new one, before saying that the database is away. */
const connectTimeoutMs = 5_000;

/** A pool that connects when asked and connects anew after the database was away. */
export function connect(options: ConnectOptions): Kysely<Database> {
  const pool = new Pool(poolSettings(options));
  // Unheard, either event would end the process. The pool drops a connection that breaks while it idles; of one that
  // is lent out it does not hear, and there the statement under way, or the next one, rejects.
  pool.on("error", (error) => {
    // One that is being closed may still hear how its server ends.
    if (!pool.ending) options.log("warn", `A connection to PostgreSQL broke: ${error.message}`);
  });
  pool.on("connect", (client) => {
    client.on("error", (error) => options.log("debug", `A connection to PostgreSQL broke: ${error.message}`));
  });
  return new Kysely<Database>({
    dialect: new PostgresDialect({ pool }),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });
}

function poolSettings(options: ConnectOptions): PoolConfig {
  const { connection, statementTimeoutMs } = options;
  const where: PoolConfig =
    "url" in connection
      ? { connectionString: connection.url }
      : {
          host: connection.host,
          port: connection.port,
          user: connection.user,
          password: connection.password,
          database: connection.database,
          ssl: false,
        };
  return {
    ...where,
    max: options.connections,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: "bailiwick",
    types: typeParsers,
    ...(statementTimeoutMs === 0
      ? {}
      : {
          statement_timeout: statementTimeoutMs,
          lock_timeout: statementTimeoutMs,
          idle_in_transaction_session_timeout: statementTimeoutMs,
          // The server may be gone without a word, and then its own timeout never comes.
          query_timeout: statementTimeoutMs + 5_000,
        }),
  };
}

const dateType = 1082;

/** pg's parsers, except that a date stays "2026-11-24": pg makes it midnight in the machine's own time zone. */
const typeParsers = new TypeOverrides();
typeParsers.setTypeParser(dateType, (value: string) => value);

/** Whether an error says that all connections stayed lent out for as long as one is waited for: PostgreSQL is there. */
export function isDatabaseBusy(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message.startsWith(noneFree) || (error.cause !== undefined && isDatabaseBusy(error.cause));
}

/** What pg's pool says where none of its connections became free; of one that cannot be made it says something else. */
const noneFree = "timeout exceeded when trying to connect";

/** SQLSTATE classes and codes that say nothing about the statement, only that the server is not there for it. */
const awayStates = /^(08...|57P0[1-5]|53300|25P03)$/;
const awayCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);
const awayMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout|Postgres connection has been discarded)/;

/**
 * Whether an error says that PostgreSQL cannot be reached or is going down, so that trying again makes sense. The
 * outcome of a transaction that failed so while committing is unknown.
 */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError && error.errors.some((inner) => isDatabaseAway(inner))) return true;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (awayStates.test(code) || awayCodes.has(code) || awayMessages.test(error.message)) return true;
  return error.cause !== undefined && isDatabaseAway(error.cause);
}
