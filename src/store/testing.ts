/** For tests: one PostgreSQL in a temporary folder, and as many empty databases in it as are asked for. */
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RawBuilder, sql } from "kysely";
import { type Clock, createIds, type ReceiptId, systemClock } from "../base/index.ts";
import type { SettlementFacts } from "./batch.ts";
import { connect } from "./connect.ts";
import { openStore, type Store } from "./store.ts";
import { type EmbeddedConnection, type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded/index.ts";

export interface TemporaryPostgres {
  readonly postgres: EmbeddedPostgres;
  readonly folder: string;
  emptyDatabase(): Promise<EmbeddedConnection>;
  /** Another database with all that this one holds, which nobody is connected to. */
  copyOf(connection: EmbeddedConnection): Promise<EmbeddedConnection>;
  drop(connection: EmbeddedConnection): Promise<void>;
  remove(): Promise<void>;
}

export async function temporaryPostgres(): Promise<TemporaryPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-store-"));
  await chmod(folder, 0o711); // As root PostgreSQL runs as another account, which must be let in.
  const postgres = await startEmbeddedPostgres({
    dataFolder: folder,
    installation: "inst_TEST",
    clock: systemClock,
    randomBytes,
    log: () => {},
    socketParents: [tmpdir(), "/tmp"],
    systemFolder: join(folder, "system"),
  });
  const run = async (statement: RawBuilder<unknown>): Promise<void> => {
    const db = connect({ connection: postgres.connection, log: () => {}, connections: 1, statementTimeoutMs: 0 });
    await statement.execute(db);
    await db.destroy();
  };
  let databases = 0;
  const next = (): EmbeddedConnection => {
    databases += 1;
    return { ...postgres.connection, database: `test_${databases}` };
  };
  return {
    postgres,
    folder,
    async emptyDatabase() {
      const made = next();
      await run(sql`CREATE DATABASE ${sql.id(made.database)}`);
      return made;
    },
    async copyOf({ database }) {
      const made = next();
      await run(sql`CREATE DATABASE ${sql.id(made.database)} TEMPLATE ${sql.id(database)}`);
      return made;
    },
    drop: ({ database }) => run(sql`DROP DATABASE ${sql.id(database)}`),
    async remove() {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A store in an empty database of it, with the newest schema; the caller closes it. */
export async function temporaryStore(temporary: TemporaryPostgres, clock: Clock): Promise<Store> {
  const installation = createIds(clock).mint("inst");
  const opened = await openStore({
    connection: await temporary.emptyDatabase(),
    installation,
    clock,
    log: () => undefined,
  });
  if (opened.outcome === "refused") throw new Error(opened.message);
  return opened;
}

/** What a settlement says of a request that ended at noon, of no tier that anybody noted. */
export function settlementFacts(receipt: ReceiptId, more: Partial<SettlementFacts> = {}): SettlementFacts {
  const noon = Date.UTC(2026, 10, 24, 12);
  return {
    receipt,
    organisation: "org_A",
    project: "prj_A",
    key: "key_A",
    endpoint: "chat.completions",
    model: "smollm2-135m-instruct",
    site: "local",
    startedAtMs: noon,
    endedAtMs: noon + 900,
    ending: "stop",
    usage: { inputTokens: 30, cachedInputTokens: 10, outputTokens: 5, reasoningTokens: 0 },
    unrated: null,
    upperBoundTokens: null,
    amountBound: null,
    listAmount: "0.125",
    currency: "EUR",
    priceVersion: "2026-01",
    tier: null,
    objective: null,
    decision: "d1",
    destination: "host_A",
    placement: { question: { model: "m" }, candidates: [] },
    ...more,
  };
}
