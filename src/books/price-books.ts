import { createHash } from "node:crypto";
import type { Transaction } from "kysely";
import { type CanonicalValue, canonicalJson, refuse, type Refusal, RefusalError, refusing } from "../base/index.ts";
import { type RatedBook, readBook, unboundedFor } from "../ledger/index.ts";
import { applyVersion, findVersion, historyOf, told, type VersionTold } from "../residency/index.ts";
import { type Database, type List, type Page, takeLedger } from "../store/index.ts";
import type { BooksContext } from "./context.ts";
import { contradictions } from "./contradictions.ts";
import { customersOf, namedToday } from "./naming.ts";
import { gapsIn } from "./price-gaps.ts";
import { type KeptBook, resolved } from "./prices.ts";

export interface PriceBookKept extends VersionTold {
  /** As it would be applied today: organisations have the names of today. Of version 0 the settings' prices. */
  readonly document: Record<string, unknown>;
  /** The ids of those organisations that it calls by name. */
  readonly customers: Record<string, string>;
  readonly warnings: string[];
}

/** A change that stands on a version. */
export interface PriceBookChange {
  readonly basedOn: number;
  readonly document: Record<string, unknown>;
  readonly note?: string | undefined;
  readonly by: string;
}

const nothing: KeptBook = { document: {}, customers: {} };

/** Version 0 are the settings' prices, written as a price book: what the first one that is applied goes on from. */
export async function showPriceBook({ db, prices }: BooksContext, version?: number): Promise<PriceBookKept | Refusal> {
  const found = await findVersion(db, "prices", version);
  if (found === undefined && version !== undefined) {
    return refuse("not_found", `There is no version ${version} of the price book.`, { param: "version" });
  }
  const settings = { document: prices.settings as Record<string, unknown>, customers: {} };
  const { document, customers } =
    found === undefined ? settings : await namedToday(db, JSON.parse(found.body) as KeptBook);
  return { ...told(found, digestOf(nothing)), document, customers: { ...customers }, warnings: [] };
}

export function priceBookHistory({ db }: BooksContext, page: Page): Promise<List<VersionTold>> {
  return historyOf(db, "prices", page);
}

/**
 * Applies a price book, whole. What is not valid changes nothing; neither does one that would change what something costs that was used
 * already: new prices begin later. What is unrated for want of a price may be given one that began before.
 */
export async function applyPriceBook(context: BooksContext, change: PriceBookChange): Promise<PriceBookKept | Refusal> {
  const { db, clock, prices } = context;
  return refusing(async () => {
    const { basedOn, document, note, by } = change;
    const kept = await db.transaction().execute((transaction) => keptOf(transaction, document));
    const book = checkedBook(kept, prices.currency);
    const sha256 = digestOf(kept);
    const applied = await applyVersion(db, clock, {
      kind: "prices",
      body: JSON.stringify(kept),
      sha256,
      note,
      basedOn,
      author: by,
      check: async (transaction) => {
        const { closedUntilMs } = await takeLedger(transaction);
        const change = { before: await prices.bookBefore(transaction), after: book };
        const contradicted = await contradictions(context, transaction, change, closedUntilMs);
        if (contradicted.length > 0) throw invalid(contradicted, keepUsed);
        const unbounded = await prepaidReasons(transaction, book, clock.nowMs());
        if (unbounded.length > 0) throw invalid(unbounded);
      },
    });
    await prices.refresh();
    return {
      ...told(applied, sha256),
      document,
      customers: { ...kept.customers },
      warnings: gapsIn(book, clock.nowMs()),
    };
  });
}

function digestOf(kept: KeptBook): string {
  return createHash("sha256")
    .update(canonicalJson(JSON.parse(JSON.stringify(kept)) as CanonicalValue))
    .digest("hex");
}

const keepUsed =
  "Go on from the price book in force (bailiwick price-book show writes it): keep what it says of the time before, and begin new prices in a version that is later.";

function invalid(reasons: readonly string[], hint = ""): RefusalError {
  const more = reasons.length === 1 ? "" : ` (and ${reasons.length - 1} more)`;
  const message = `The price book is not valid: ${reasons[0]}${more}. ${hint}`.trimEnd();
  return new RefusalError(refuse("document_invalid", message, { reasons: reasons.slice(0, 50) }));
}

/** Whom it names, by the ids that stay. */
async function keptOf(transaction: Transaction<Database>, document: Record<string, unknown>): Promise<KeptBook> {
  const named = ["contracts", "customers"].flatMap((list) =>
    Array.isArray(document[list]) ? (document[list] as readonly unknown[]) : [],
  );
  const customers = named.flatMap((each) => {
    const customer = (each as Partial<Record<string, unknown>> | null)?.["customer"];
    return typeof customer === "string" ? [customer] : [];
  });
  const newest = await findVersion(transaction, "prices");
  const before = newest === undefined ? nothing : (JSON.parse(newest.body) as KeptBook);
  const { customers: ids, reasons } = await customersOf(transaction, [...new Set(customers)], before);
  if (reasons.length > 0) throw invalid(reasons);
  return { document, customers: ids };
}

function checkedBook(kept: KeptBook, currency: string): RatedBook {
  const read = readBook(resolved(kept));
  if (read.outcome === "invalid") {
    throw invalid(read.problems.map(({ path, message }) => `${path === "" ? "the document" : `${path}:`} ${message}`));
  }
  const { book } = read;
  const reasons = [
    ...(book.currency === currency
      ? []
      : [
          `currency: is ${book.currency}, but budgets and receipts of this cloud are in ${currency} (the settings' prices)`,
        ]),
    ...[...book.list, ...[...book.contracts.values()].flat()]
      .filter(({ fromMs, toMs }) => [fromMs, toMs].some((atMs) => Number.isFinite(atMs) && atMs % 1_000 !== 0))
      .map(({ version }) => `version ${version}: begins and ends at whole seconds`),
  ];
  if (reasons.length > 0) throw invalid(reasons);
  return book;
}

/** Whom its wallet would no longer keep from using more than it has. */
async function prepaidReasons(
  transaction: Transaction<Database>,
  book: RatedBook,
  nowMs: number,
): Promise<readonly string[]> {
  const prepaid = await transaction
    .selectFrom("organisations")
    .select(["id", "name"])
    .where("isPrepaid", "=", true)
    .orderBy("id")
    .execute();
  return prepaid.flatMap(({ id, name }) =>
    unboundedFor(book, id, nowMs).map((reason) => `${name} is prepaid: ${reason}`),
  );
}
