/** For tests: books over a database of their own, with a clock that stands still. */
import { createIds, ManualClock, type Refusal } from "../base/index.ts";
import { type Balance, balances, type DatabaseConnection, openStore } from "../store/index.ts";
import type { TemporaryPostgres } from "../store/testing.ts";
import { applyVersion } from "../residency/index.ts";
import type { BooksContext } from "./context.ts";
import { createPricesInForce, type KeptBook } from "./prices.ts";

export interface TestBooks extends BooksContext {
  readonly connection: DatabaseConnection;
  readonly clock: ManualClock;
  /** The id of an organisation of this name, made where there is none. */
  organisation(name: string): Promise<string>;
  /** Applies a price book without looking at it. */
  applyPrices(document: object): Promise<void>;
  balances(): Promise<Record<string, string>>;
  close(): Promise<void>;
}

export async function testBooks(
  temporary: TemporaryPostgres,
  more: Partial<Pick<BooksContext, "internal" | "issuer" | "lateUsage">> = {},
): Promise<TestBooks> {
  const clock = new ManualClock(Date.parse("2026-04-02T00:00:00Z"));
  const connection = await temporary.emptyDatabase();
  const installation = createIds(clock).mint("inst");
  const store = await openStore({ connection, installation, clock, log: () => undefined });
  if (store.outcome === "refused") throw new Error(store.message);
  const { db } = store;
  const ids = createIds(clock);
  const prices = await createPricesInForce({
    db,
    clock,
    settings: [],
    onFailure: (error) => {
      throw error;
    },
  });
  const known = new Map<string, string>();
  return {
    connection,
    db,
    clock,
    ids,
    prices,
    internal: [],
    issuer: { dueDays: 30, numbers: { invoice: "INV", creditNote: "CN" } },
    lateUsage: "next-period",
    ...more,
    async organisation(name) {
      if (!known.has(name)) {
        const id = ids.mint("org");
        await db
          .insertInto("organisations")
          .values({ id, name, createdAt: new Date(clock.nowMs()) })
          .execute();
        known.set(name, id);
      }
      return known.get(name)!;
    },
    async applyPrices(document) {
      const kept: KeptBook = { document: document as Record<string, unknown>, customers: Object.fromEntries(known) };
      const body = JSON.stringify(kept);
      const basedOn = prices.version;
      await applyVersion(db, clock, {
        kind: "prices",
        body,
        sha256: "0".repeat(64),
        note: undefined,
        basedOn,
        author: "test",
      });
      await prices.refresh();
    },
    async close() {
      prices.close();
      await store.close();
    },
    async balances() {
      const rows: readonly Balance[] = await balances(db);
      return Object.fromEntries(rows.map(({ account, currency, balance }) => [`${account} ${currency}`, balance]));
    },
  };
}

/** What was not refused. */
export function taken<Result extends object>(result: Result | Refusal): Result {
  if ("outcome" in result && result.outcome === "refused") throw new Error(result.message);
  return result as Result;
}
