import { documentProblems, type MemberProblem, memberPath, nearest } from "../../base/index.ts";
import type { BookVersion, ContractVersion, OffPeak, RatedBook } from "./book.ts";
import { Calendar, isTimeZone } from "./calendar.ts";
import { currencies, minorUnitDecimals } from "./currency.ts";
import { bookDocument, type BookDocument, knownKeys, type VersionDocument, weekdayOf } from "./document.ts";
import { none, share } from "./fraction.ts";
import { pricesOf } from "./reading-prices.ts";
import { type Report, reportRepeated } from "./report.ts";

export type ReadBook =
  | { readonly outcome: "read"; readonly book: RatedBook }
  /** At least one problem, at most 50. */
  | { readonly outcome: "invalid"; readonly problems: readonly MemberProblem[] };

const problemsKept = 50;

/** What a price book's document (YAML or JSON) means; all that is wrong with it is told at once. */
export function readBook(value: unknown): ReadBook {
  const parsed = bookDocument.safeParse(value);
  if (!parsed.success) {
    return { outcome: "invalid", problems: documentProblems(parsed.error.issues, "a price book", knownKeys) };
  }
  const problems: MemberProblem[] = [];
  const report: Report = (path, message) => void problems.push({ path: memberPath([...path]), message });
  const book = interpret(parsed.data, report);
  return book === undefined || problems.length > 0
    ? { outcome: "invalid", problems: problems.slice(0, problemsKept) }
    : { outcome: "read", book };
}

function interpret(document: BookDocument, report: Report): RatedBook | undefined {
  const { currency, timeZone, period, rounding } = document;
  checkCurrency(currency, ["currency"], report);
  if (!isTimeZone(timeZone)) {
    report(["timeZone"], `there is no time zone "${timeZone}"; they are called such as Europe/Paris`);
    return undefined;
  }
  const calendar = new Calendar(timeZone, period);
  const at = (moment: string): number => instantOf(moment, calendar);
  const list = versionsOf(document.versions, ["versions"], at, report);
  const contracts = contractsOf(document, at, report);
  reportRepeated(
    document.customers.map(({ customer }) => customer),
    ["customers"],
    "customer",
    report,
  );
  const starts = document.taxes.map(({ jurisdiction, effectiveFrom = "" }) => `${jurisdiction} ${effectiveFrom}`);
  reportRepeated(starts, ["taxes"], "jurisdiction", report);
  return {
    name: document.name,
    currency,
    calendar,
    rounding,
    offPeak: offPeakOf(document, report),
    list,
    contracts,
    taxes: document.taxes.map(({ effectiveFrom, ...rate }) => ({
      ...rate,
      fromMs: effectiveFrom === undefined ? -Infinity : at(effectiveFrom),
    })),
    jurisdiction: document.jurisdiction,
    customers: new Map(document.customers.map(({ customer, ...standing }) => [customer, standing])),
  };
}

function checkCurrency(currency: string, path: readonly PropertyKey[], report: Report): void {
  if (minorUnitDecimals(currency) !== undefined) return;
  const meant = nearest(currency, currencies());
  report(path, `"${currency}" is no currency of ISO 4217${meant === undefined ? "" : `; did you mean ${meant}?`}`);
}

/** A day is its midnight on the calendar's clock. */
function instantOf(moment: string, calendar: Calendar): number {
  return moment.length === 10 ? calendar.instantMs(Date.parse(`${moment}T00:00:00Z`)) : Date.parse(moment);
}

/** In the order of time. A version without an end holds until the next one begins. */
function versionsOf(
  documents: readonly VersionDocument[],
  path: readonly PropertyKey[],
  at: (moment: string) => number,
  report: Report,
): readonly BookVersion[] {
  reportRepeated(
    documents.map(({ version }) => version),
    path,
    "version",
    report,
  );
  const begun = documents
    .map((document, index) => ({ document, path: [...path, index], fromMs: at(document.effectiveFrom) }))
    .toSorted((a, b) => a.fromMs - b.fromMs);
  return begun.map(({ document, path, fromMs }, index) => {
    const next = begun[index + 1];
    const ends = document.effectiveTo === undefined ? undefined : at(document.effectiveTo);
    if (ends !== undefined && ends <= fromMs) report([...path, "effectiveTo"], "is not behind effectiveFrom");
    if (next !== undefined && (next.fromMs === fromMs || (ends ?? fromMs) > next.fromMs)) {
      report(
        [...next.path, "effectiveFrom"],
        `version ${next.document.version} begins while version ${document.version} holds: they overlap`,
      );
    }
    return {
      version: document.version,
      fromMs,
      toMs: ends ?? next?.fromMs ?? Infinity,
      prices: pricesOf(document, path, report),
    };
  });
}

function contractsOf(
  { contracts, currency: listed }: BookDocument,
  at: (moment: string) => number,
  report: Report,
): ReadonlyMap<string, readonly ContractVersion[]> {
  reportRepeated(
    contracts.map(({ contract }) => contract),
    ["contracts"],
    "contract",
    report,
  );
  const byCustomer = new Map<string, ContractVersion[]>();
  contracts.forEach(({ contract, customer, currency = listed, versions }, index) => {
    const path = ["contracts", index];
    checkCurrency(currency, [...path, "currency"], report);
    const held = byCustomer.get(customer) ?? [];
    byCustomer.set(customer, held);
    for (const version of versionsOf(versions, [...path, "versions"], at, report)) {
      const other = held.find((each) => each.contract !== contract && overlap(each, version));
      if (other !== undefined) {
        report(path, `version ${version.version} overlaps with version ${other.version} of contract ${other.contract}`);
      }
      const { discountPercent = none, commitment } = versions.find((each) => each.version === version.version)!;
      held.push({ ...version, contract, currency, discount: share(discountPercent), commitment });
    }
    held.sort((a, b) => a.fromMs - b.fromMs);
  });
  return byCustomer;
}

function overlap(a: BookVersion, b: BookVersion): boolean {
  return a.fromMs < b.toMs && b.fromMs < a.toMs;
}

function offPeakOf({ offPeak, versions, contracts }: BookDocument, report: Report): OffPeak | undefined {
  if (offPeak === undefined) {
    const all = [...versions, ...contracts.flatMap((contract) => contract.versions)];
    const isMeant = all.some(({ prices }) => prices.some((price) => price.offPeakDiscountPercent !== undefined));
    if (isMeant) report(["offPeak"], "is required where a price has an offPeakDiscountPercent");
    return undefined;
  }
  const { from, to, days } = offPeak;
  if ((from === undefined) !== (to === undefined)) report(["offPeak"], "from and to belong together");
  if (from === undefined && days.length === 0) report(["offPeak"], "has neither hours nor days");
  const hours =
    from === undefined || to === undefined ? undefined : { fromMinute: minuteOf(from), toMinute: minuteOf(to) };
  if (hours !== undefined && hours.fromMinute === hours.toMinute) report(["offPeak", "to"], "is the same as from");
  return { hours, weekdays: new Set(days.map(weekdayOf)) };
}

function minuteOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
}
