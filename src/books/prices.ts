import type { Kysely, Transaction } from "kysely";
import { listBook, listDocument, listPrices, type PriceBook, type RatedBook, readBook } from "../ledger/index.ts";
import { findVersion, findVersionBefore, type Version } from "../residency/index.ts";
import type { Clock } from "../base/index.ts";
import { type Database, Following, readEpochs } from "../store/index.ts";

type Reader = Kysely<Database> | Transaction<Database>;
type SettingsPrices = Parameters<typeof listBook>[0];

export interface PricesOptions {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  /** What holds until a price book is applied. */
  readonly settings: SettingsPrices;
  readonly onFailure: (error: unknown) => void;
}

/** The price book by which is billed, and what a single request is listed at by it: one source for both. */
export interface PricesInForce extends PriceBook {
  readonly book: RatedBook;
  /** 0: the settings' prices. */
  readonly version: number;
  /** The settings' prices, as a price book is written. */
  readonly settings: object;
  /** What holds as of an epoch that was read in this transaction, whatever was known before. */
  bookOf(epoch: number, transaction: Reader): Promise<RatedBook>;
  /** What holds while it is being changed, before the change. */
  bookBefore(transaction: Reader): Promise<RatedBook>;
  /** What held just before a moment; undefined where none was applied by then. */
  bookUntil(atMs: number): Promise<RatedBook | undefined>;
  /** Reads anew, after a change of our own. */
  refresh(): Promise<void>;
  close(): void;
}

const pollEveryMs = 250;

/** Reads what holds, then keeps up with its epoch. Rejects where the first reading fails. */
export async function createPricesInForce(options: PricesOptions): Promise<PricesInForce> {
  const follower = new Follower(options);
  await follower.start();
  return follower;
}

interface Held {
  readonly epoch: number;
  readonly version: number;
  readonly book: RatedBook;
  readonly prices: PriceBook;
}

class Follower implements PricesInForce {
  readonly settings: object;
  readonly #db: Reader;
  readonly #following: Following;
  #held: Held;

  constructor(options: PricesOptions) {
    this.settings = listDocument(options.settings);
    this.#held = { epoch: -1, version: 0, ...bothOf(listBook(options.settings)) };
    const { clock, onFailure } = options;
    this.#db = options.db;
    this.#following = new Following({
      clock,
      everyMs: pollEveryMs,
      read: async () => {
        const { prices } = await readEpochs(options.db);
        await this.bookOf(prices, options.db);
      },
      onFailure,
    });
  }

  get book(): RatedBook {
    return this.#held.book;
  }
  get version(): number {
    return this.#held.version;
  }
  get currency(): string {
    return this.#held.prices.currency;
  }

  at(timeMs: number, model: string): ReturnType<PriceBook["at"]> {
    return this.#held.prices.at(timeMs, model);
  }

  unpriced(...asked: Parameters<PriceBook["unpriced"]>): string | undefined {
    return this.#held.prices.unpriced(...asked);
  }

  async bookOf(epoch: number, reader: Reader): Promise<RatedBook> {
    if (epoch !== this.#held.epoch) {
      const found = await findVersion(reader, "prices");
      const isSame = found === undefined || found.version === this.#held.version;
      this.#held = isSame ? { ...this.#held, epoch } : { epoch, version: found.version, ...bothOf(keptBook(found)) };
    }
    return this.#held.book;
  }

  async bookBefore(reader: Reader): Promise<RatedBook> {
    const found = await findVersion(reader, "prices");
    return found === undefined || found.version === this.#held.version ? this.#held.book : keptBook(found);
  }

  async bookUntil(atMs: number): Promise<RatedBook | undefined> {
    const found = await findVersionBefore(this.#db, "prices", atMs);
    return found === undefined ? undefined : keptBook(found);
  }

  start(): Promise<void> {
    return this.#following.start();
  }
  refresh(): Promise<void> {
    return this.#following.refresh();
  }
  close(): void {
    this.#following.stop();
  }
}

function bothOf(book: RatedBook): Pick<Held, "book" | "prices"> {
  return { book, prices: listPrices(book) };
}

/** What is kept of an applied price book: as it was written, and whom it names. */
export interface KeptBook {
  readonly document: Record<string, unknown>;
  /** The ids of those organisations that it calls by name. */
  readonly customers: Readonly<Record<string, string>>;
}

/** The price book by ids: names may change, and contracts stay. */
export function resolved({ document, customers }: KeptBook): Record<string, unknown> {
  return renamed(document, (customer) => (Object.hasOwn(customers, customer) ? customers[customer]! : customer));
}

/** A document with its customers under other names. */
export function renamed(
  document: Record<string, unknown>,
  nameOf: (customer: string) => string,
): Record<string, unknown> {
  return JSON.parse(JSON.stringify(document), (key, value: unknown) =>
    key === "customer" && typeof value === "string" ? nameOf(value) : value,
  ) as Record<string, unknown>;
}

function keptBook({ version, body }: Pick<Version, "version" | "body">): RatedBook {
  const read = readBook(resolved(JSON.parse(body) as KeptBook));
  if (read.outcome === "read") return read.book;
  throw new Error(
    `version ${version} of the price book is none that this release can read: ${read.problems[0]!.message}`,
  );
}
