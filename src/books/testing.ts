/** For tests: books over a database of their own, with a clock that stands still. */
import { createHash } from "node:crypto";
import {
  createIds,
  type InstallationId,
  ManualClock,
  type Refusal,
  systemClock,
  type Tier,
  type Usage,
} from "../base/index.ts";
import {
  type Balance,
  balances,
  type DatabaseConnection,
  openStore,
  type Position,
  type Settlement,
  ship,
  type ShipOutcome,
} from "../store/index.ts";
import type { TemporaryPostgres } from "../store/testing.ts";
import { applyVersion } from "../residency/index.ts";
import { accrue, hold } from "./accruing.ts";
import type { BooksContext } from "./context.ts";
import { createPricesInForce, type KeptBook } from "./prices.ts";
import type { Recorded } from "./recording.ts";
import { servedUsage } from "./served.ts";

export interface TestBooks extends BooksContext {
  readonly connection: DatabaseConnection;
  readonly installation: InstallationId;
  readonly clock: ManualClock;
  /** The id of an organisation of this name, made where there is none. */
  organisation(name: string): Promise<string>;
  /** Applies a price book without looking at it. */
  applyPrices(document: object): Promise<void>;
  balances(): Promise<Record<string, string>>;
  close(): Promise<void>;
}

interface TestBooksOptions extends Partial<Pick<BooksContext, "internal" | "issuer" | "lateUsage">> {
  /** The settings' prices, which hold until a price book is applied. */
  readonly settings?: Parameters<typeof createPricesInForce>[0]["settings"];
}

export async function testBooks(temporary: TemporaryPostgres, more: TestBooksOptions = {}): Promise<TestBooks> {
  const installation = createIds(systemClock).mint("inst");
  return booksIn({ connection: await temporary.emptyDatabase(), installation }, more);
}

/** Books that are there already, for a process of its own. */
export async function booksIn(
  { connection, installation }: Pick<TestBooks, "connection" | "installation">,
  more: TestBooksOptions = {},
): Promise<TestBooks> {
  const { settings = [], ...context } = more;
  const clock = new ManualClock(Date.parse("2026-04-02T00:00:00Z"));
  const store = await openStore({ connection, installation, clock, log: () => undefined });
  if (store.outcome === "refused") throw new Error(store.message);
  const { db } = store;
  const ids = createIds(clock);
  const prices = await createPricesInForce({
    db,
    clock,
    settings,
    onFailure: (error) => {
      throw error;
    },
  });
  const known = new Map<string, string>();
  return {
    connection,
    installation,
    db,
    clock,
    ids,
    prices,
    internal: [],
    issuer: { dueDays: 30, numbers: { invoice: "INV", creditNote: "CN" } },
    lateUsage: "next-period",
    ...context,
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
        sha256: createHash("sha256").update(body).digest("hex"),
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

/** A request that was served here, as far as bills know it. */
export interface Served {
  /** Its id. */
  readonly organisation: string;
  readonly model: string;
  readonly atMs: number;
  /** null: nobody has counted. */
  readonly usage: Usage | null;
  /** Left out: an earlier release took it, which did not say. */
  readonly tier?: Tier | null;
  readonly endpoint?: string;
}

export function settlementOf({ ids }: Pick<BooksContext, "ids">, { atMs, usage, ...served }: Served): Settlement {
  const body = JSON.stringify({
    receipt: ids.mint("rcpt"),
    project: "prj_A",
    key: "key_A",
    endpoint: "chat.completions",
    site: "here",
    startedAtMs: atMs,
    endedAtMs: atMs + 900,
    ending: "stop",
    usage,
    unrated: usage === null ? "the host did not come back" : null,
    upperBoundTokens: null,
    amountBound: null,
    listAmount: usage === null ? null : "0.35",
    currency: "EUR",
    priceVersion: "1",
    decision: "d",
    destination: "h",
    placement: null,
    ...served,
  });
  return { request: ids.mint("req"), position: { segment: 1, offset: 0 }, body };
}

/** Ships a stretch of a gateway's journal into the database and the books, as a running cloud does. */
export function shipServed(
  books: BooksContext,
  settlements: readonly Settlement[],
  { from, to }: { readonly from: Position | undefined; readonly to: Position },
): Promise<ShipOutcome> {
  const batch = { gateway: "gw_A" as const, from, to, isDurable: true, settlements, receiptBatches: [], refusals: [] };
  const place = ({ segment, offset }: Position): string => `${segment}:${offset}`;
  const reference = `shipment gw_A ${place(from ?? { segment: 1, offset: 0 })} ${place(to)}`;
  return ship(books.db, batch, async (transaction, used) => {
    const held = await hold(books, transaction);
    await accrue(books, transaction, { events: servedUsage(used), reference, held });
    return held.closedUntilMs;
  });
}

/** What taking records answers, where nothing of them is odd. */
export function recorded(accepted: number, duplicates: number, more: Partial<Recorded> = {}): Recorded {
  return { accepted, duplicates, unrated: 0, late: 0, warnings: [], ...more };
}

/** What was not refused. */
export function taken<Result extends object>(result: Result | Refusal): Result {
  if ("outcome" in result && result.outcome === "refused") throw new Error(result.message);
  return result as Result;
}
