import { isDeepStrictEqual } from "node:util";
import type { Transaction } from "kysely";
import type { OrganisationId } from "../base/index.ts";
import {
  add,
  AllTerms,
  compare,
  type Fraction,
  lineOf,
  linesOf,
  none,
  type Period,
  type RatedBook,
  trueUpSku,
} from "../ledger/index.ts";
import { type Database, findSums, firstPeriod, type SumRow, type UsedTerms, usedTerms } from "../store/index.ts";
import { findVersion } from "../residency/index.ts";
import type { BooksContext } from "./context.ts";
import { firstOrganisation } from "./organisations.ts";
import { rebook } from "./rebooking.ts";
import { termsFromOf, usageSums } from "./sum-rows.ts";

/** A price book, and the one that is to take its place. */
interface Change {
  readonly before: RatedBook;
  readonly after: RatedBook;
}

/**
 * Why a price book cannot take the place of another one: what was used stays priced as it was, and a closed period owes what it owed, also
 * where nothing was used, because late usage stands on it. None: it can, and what was used is in its periods, at its prices.
 */
export async function contradictions(
  context: BooksContext,
  transaction: Transaction<Database>,
  change: Change,
  closedUntilMs: number | undefined,
): Promise<readonly string[]> {
  if ((await firstPeriod(transaction)) === undefined) return [];
  const changed = calendarReasons(change);
  const reasons = changed.length > 0 ? changed : await termsReasons(transaction, change, closedUntilMs);
  if (reasons.length === 0) return [];
  const isOwn = await isOwnUse(transaction);
  if (changed.length === 0 && !isOwn) return reasons;
  const done = await rebook(context, transaction, change, isOwn);
  if (done === "moved") return [];
  return isOwn && done.length > 0 ? done : [...reasons, ...done];
}

/**
 * Whether it is the first price book, and nobody has used anything but the organisation that every cloud begins with, which asked the
 * start's own question at the settings' prices: that was the operator, and costs what the operator says.
 */
async function isOwnUse(transaction: Transaction<Database>): Promise<boolean> {
  if ((await findVersion(transaction, "prices")) !== undefined) return false;
  const first = await firstOrganisation(transaction);
  return (await findSums(transaction)).every(({ organisation }) => organisation === first);
}

async function termsReasons(
  transaction: Transaction<Database>,
  change: Change,
  closedUntilMs: number | undefined,
): Promise<readonly string[]> {
  const used = await usedTerms(transaction);
  // Each looks at less than the one before, and goes on from what that has found to be the same.
  for (const reasons of [
    () => priceReasons(change, used),
    () => shareReasons(transaction, change, used, closedUntilMs),
    () => commitmentReasons(transaction, change, closedUntilMs),
  ]) {
    const found = await reasons();
    if (found.length > 0) return found;
  }
  return [];
}

function calendarReasons({ before, after }: Change): readonly string[] {
  const whole = {
    timeZone: [before, after].map(({ calendar }) => calendar.timeZone),
    period: [before, after].map(({ calendar }) => calendar.length),
    rounding: [before, after].map(({ rounding }) => rounding),
  };
  return Object.entries(whole)
    .filter(([, [was, is]]) => was !== is)
    .map(([name, [was, is]]) => `${name}: is ${was} by what is in the books, and cannot become ${is}`);
}

/** Of all that was used the same price has to hold, at least up to the last time. */
function priceReasons({ before, after }: Change, used: readonly UsedTerms[]): readonly string[] {
  const [old, now] = [new AllTerms(before), new AllTerms(after)];
  return used.flatMap(({ organisation, sku, termsFrom, lastAtMs }) => {
    const [was, is] = [old, now].map((terms) => {
      const held = terms.at(organisation, termsFrom);
      const found = terms.price(held, sku);
      const { contract } = held;
      const agreed = contract && [contract.currency, contract.discount, contract.commitment];
      const price = typeof found === "string" ? found : [found.price, found.isContract];
      return { from: termsFromOf(held), agreed, price, holds: held.toMs > lastAtMs };
    });
    if (isDeepStrictEqual(is, { ...was, holds: true })) return [];
    return [
      `${sku} was used by ${organisation} up to ${new Date(lastAtMs).toISOString()}, and would cost something else`,
    ];
  });
}

/**
 * Terms that end at another moment of a period than before have another share of it, and with it of grants and minimums: what was used
 * must cost the same by it, and once the period is closed whatever is still to come must, too.
 */
async function shareReasons(
  transaction: Transaction<Database>,
  { before, after }: Change,
  used: readonly UsedTerms[],
  closedUntilMs = -Infinity,
): Promise<readonly string[]> {
  const [old, now] = [new AllTerms(before), new AllTerms(after)];
  const cut = used.flatMap(({ organisation, sku, termsFrom, lastAtMs }) => {
    const period = after.calendar.periodAt(lastAtMs);
    const held = now.at(organisation, termsFrom);
    const ends = [old.at(organisation, termsFrom).toMs, held.toMs];
    if (ends[0] === ends[1] || Math.min(...ends) >= period.endMs) return [];
    const found = now.price(held, sku);
    const isShared = typeof found !== "string" && [found.price.freeGrant, found.price.minimum].some(isPositive);
    return isShared ? [{ organisation, sku, period }] : [];
  });
  const [closed, open] = [cut.filter(isClosed), cut.filter((each) => !isClosed(each))];
  const dearer = await dearerOf(transaction, { before, after }, open);
  return [...closed.map((each) => ({ ...each, period: each.period.name })), ...dearer].map(
    ({ organisation, sku, period }) =>
      `${sku} was used by ${organisation} in ${period}, and would cost something else by another part of it`,
  );

  function isClosed({ period }: { readonly period: Period }): boolean {
    return period.endMs <= closedUntilMs;
  }
}

/** Which of these sums cost something else. */
async function dearerOf(
  transaction: Transaction<Database>,
  { before, after }: Change,
  cut: readonly { readonly organisation: OrganisationId; readonly period: Period }[],
) {
  if (cut.length === 0) return [];
  const rows = await findSums(transaction, {
    organisations: [...new Set(cut.map(({ organisation }) => organisation))],
    periods: [...new Set(cut.map(({ period }) => period.name))],
  });
  const [was, is] = [before, after].map((book) =>
    [...Map.groupBy(rows, ({ period }) => period).values()].flatMap((some) =>
      usageSums(some, book).map((sum) => lineOf(sum, book)),
    ),
  ) as [ReturnType<typeof lineOf>[], ReturnType<typeof lineOf>[]];
  return is
    .filter(({ amount }, at) => compare(amount, was[at]!.amount) !== 0)
    .map(({ customer, sku, period }) => ({ organisation: customer, sku, period: period.name }));
}

/** What closed periods owe for commitments, also of customers that have used nothing: nobody bills it any more, or again. */
async function commitmentReasons(
  transaction: Transaction<Database>,
  { before, after }: Change,
  closedUntilMs: number | undefined,
): Promise<readonly string[]> {
  if (closedUntilMs === undefined) return [];
  const customers = [...new Set([...before.contracts.keys(), ...after.contracts.keys()])].filter(
    (customer) => !isDeepStrictEqual(before.contracts.get(customer), after.contracts.get(customer)),
  );
  const [old, now] = [before, after].map((book) => withContractsOf(book, customers)) as [RatedBook, RatedBook];
  const periods = committedPeriods([old, now], closedUntilMs);
  if (periods.length === 0) return [];
  const rows = await findSums(transaction, {
    organisations: customers,
    periods: periods.map(({ name }) => name),
  });
  const { calendar } = after;
  const billed = rows.filter(({ billedIn }) => calendar.periodOf(billedIn)!.endMs <= closedUntilMs);
  return periods.flatMap((period) => {
    const mine = billed.filter((row) => row.period === period.name);
    const [was, is] = [trueUpsOf(mine, period, old), trueUpsOf(mine, period, now)];
    return [...new Set([...was.keys(), ...is.keys()])]
      .filter((key) => compare(was.get(key) ?? none, is.get(key) ?? none) !== 0)
      .map(
        (key) => `${key.split(" ")[0]} would owe something else for its commitment in ${period.name}, which is closed`,
      );
  });
}

/** A price book with the contracts of some customers alone: nobody else's commitments are looked at. */
export function withContractsOf(book: RatedBook, customers: readonly string[]): RatedBook {
  const contracts = customers.flatMap((customer) => {
    const versions = book.contracts.get(customer);
    return versions === undefined ? [] : [[customer, versions] as const];
  });
  return { ...book, contracts: new Map(contracts) };
}

/** From the first period that a contract commits somebody to something in. */
function committedPeriods(books: readonly RatedBook[], untilMs: number): readonly Period[] {
  const firstMs = Math.min(...books.map(committedFrom));
  const { calendar } = books[0]!;
  const periods: Period[] = [];
  for (let atMs = firstMs; atMs < untilMs; atMs = periods.at(-1)!.endMs) periods.push(calendar.periodAt(atMs));
  return periods;
}

/** From when on somebody is committed to something; Infinity: nobody is. */
export function committedFrom({ contracts }: RatedBook): number {
  const committed = [...contracts.values()].flat().filter(({ commitment = none }) => isPositive(commitment));
  return committed.reduce((first, { fromMs }) => Math.min(first, fromMs), Infinity);
}

/** By customer and currency. */
function trueUpsOf(rows: readonly SumRow[], period: Period, book: RatedBook): ReadonlyMap<string, Fraction> {
  const owed = new Map<string, Fraction>();
  for (const { sku, customer, currency, amount } of linesOf(usageSums(rows, book), [period], book)) {
    const key = `${customer} ${currency}`;
    if (sku === trueUpSku) owed.set(key, add(owed.get(key) ?? none, amount));
  }
  return owed;
}

function isPositive(value: Fraction): boolean {
  return compare(value, none) > 0;
}
