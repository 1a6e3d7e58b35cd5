import { describeInvalid, memberPath, nearest } from "../../base/index.ts";
import type { BookVersion, ContractVersion, OffPeak, RatedBook, SkuPrice } from "./book.ts";
import { Calendar, isTimeZone } from "./calendar.ts";
import type { ChargeModel, Tier } from "./charge.ts";
import { currencies, minorUnitDecimals } from "./currency.ts";
import {
  bookDocument,
  type BookDocument,
  knownKeys,
  type PriceDocument,
  type TierDocument,
  type VersionDocument,
  weekdayOf,
} from "./document.ts";
import { compare, divide, type Fraction, fraction, none } from "./fraction.ts";
import { quantityFraction } from "./quantity.ts";

/** Something that is wrong with a price book, and where: "versions[0].prices[2].unitPrice". */
export interface BookProblem {
  readonly path: string;
  readonly message: string;
}

export type ReadBook =
  | { readonly outcome: "read"; readonly book: RatedBook }
  /** At least one problem, at most 50. */
  | { readonly outcome: "invalid"; readonly problems: readonly BookProblem[] };

type Report = (path: readonly PropertyKey[], message: string) => void;

const problemsKept = 50;

/** What a price book's document (YAML or JSON) means; all that is wrong with it is told at once. */
export function readBook(value: unknown): ReadBook {
  const parsed = bookDocument.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => ({ path: memberPath([...issue.path, key]), message: unknownKey(key) }))
        : [{ path: memberPath(issue.path), message: describeInvalid("it", issue.message).replace(/\.$/, "") }],
    );
    return { outcome: "invalid", problems: problems.slice(0, problemsKept).map(inOurWords) };
  }
  const problems: BookProblem[] = [];
  const report: Report = (path, message) => void problems.push({ path: memberPath([...path]), message });
  const book = interpret(parsed.data, report);
  return book === undefined || problems.length > 0
    ? { outcome: "invalid", problems: problems.slice(0, problemsKept) }
    : { outcome: "read", book };
}

/** What a schema of ours says ("must be from 0 to 100") needs no words around it. */
function inOurWords({ path, message }: BookProblem): BookProblem {
  const own = /^it is not valid: (must be .*)$/.exec(message)?.[1];
  return { path, message: own ?? message.replace(/^it /, "") };
}

function unknownKey(key: string): string {
  const meant = nearest(key, knownKeys);
  return `is no key of a price book${meant === undefined ? "" : `; did you mean ${meant}?`}`;
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

function pricesOf(
  { prices }: VersionDocument,
  path: readonly PropertyKey[],
  report: Report,
): ReadonlyMap<string, SkuPrice> {
  reportRepeated(
    prices.map(({ sku }) => sku),
    [...path, "prices"],
    "sku",
    report,
  );
  return new Map(prices.map((price, index) => [price.sku, priceOf(price, [...path, "prices", index], report)]));
}

function priceOf(price: PriceDocument, path: readonly PropertyKey[], report: Report): SkuPrice {
  const { sku, freeGrant, batchDiscountPercent = none, offPeakDiscountPercent = none, minimum = none } = price;
  if (sku.includes("*") && !/^\*\/[^*]+$/.test(sku)) {
    report([...path, "sku"], 'a "*" stands for the whole product before the last part, as in "*/input-tokens"');
  }
  return {
    model: modelOf(price, path, report),
    freeGrant: freeGrant === undefined ? none : quantityFraction(freeGrant),
    batchDiscount: share(batchDiscountPercent),
    offPeakDiscount: share(offPeakDiscountPercent),
    minimum,
  };
}

const models = ["unitPrice", "pricePerMillion", "pricePerHour", "package", "graduated", "volume"] as const;

function modelOf(price: PriceDocument, path: readonly PropertyKey[], report: Report): ChargeModel {
  const said = models.filter((model) => price[model] !== undefined);
  if (said.length !== 1) {
    report(path, `must have exactly one of ${models.join(", ")}, and has ${said.join(" and ") || "none"}`);
  }
  if (price.package !== undefined) {
    return { kind: "package", size: quantityFraction(price.package.size), price: price.package.price };
  }
  const kind = price.graduated === undefined ? "volume" : "graduated";
  const tiers = price[kind];
  if (tiers !== undefined) return { kind, tiers: tiersOf(tiers, price.sku, [...path, kind], report) };
  return { kind: "unit", unitPrice: unitPriceOf(price, price.sku, path, report) };
}

function tiersOf(
  tiers: readonly TierDocument[],
  sku: string,
  path: readonly PropertyKey[],
  report: Report,
): readonly Tier[] {
  const made = tiers.map((tier, index) => {
    const said = [tier.unitPrice, tier.pricePerMillion, tier.pricePerHour].filter((rate) => rate !== undefined);
    if (said.length !== 1)
      report([...path, index], "must have exactly one of unitPrice, pricePerMillion, pricePerHour");
    return {
      upTo: tier.upTo === undefined ? undefined : quantityFraction(tier.upTo),
      unitPrice: unitPriceOf(tier, sku, [...path, index], report),
      flatFee: tier.flatFee ?? none,
    };
  });
  made.forEach(({ upTo }, index) => {
    const isLast = index === made.length - 1;
    const before = made[index - 1]?.upTo;
    if (isLast && upTo !== undefined) report([...path, index, "upTo"], "the last tier has no end: leave upTo out");
    if (!isLast && upTo === undefined) report([...path, index], "every tier but the last has its upTo");
    if (upTo !== undefined && before !== undefined && compare(upTo, before) <= 0) {
      report([...path, index, "upTo"], "is not above the tier before it");
    }
  });
  return made;
}

function unitPriceOf(
  { unitPrice, pricePerMillion, pricePerHour }: Pick<TierDocument, "unitPrice" | "pricePerMillion" | "pricePerHour">,
  sku: string,
  path: readonly PropertyKey[],
  report: Report,
): Fraction {
  if (pricePerHour !== undefined && !sku.endsWith("-seconds")) {
    report([...path, "pricePerHour"], `${sku} is not metered in seconds: its name does not end in "-seconds"`);
  }
  if (pricePerHour !== undefined) return divide(pricePerHour, fraction(3_600n));
  if (pricePerMillion !== undefined) return divide(pricePerMillion, fraction(1_000_000n));
  return unitPrice ?? none;
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

function share(percent: Fraction): Fraction {
  return divide(percent, fraction(100n));
}

function reportRepeated(names: readonly string[], path: readonly PropertyKey[], key: string, report: Report): void {
  const seen = new Set<string>();
  names.forEach((name, index) => {
    if (seen.has(name)) report([...path, index, key], `"${name.trim()}" is there a second time`);
    seen.add(name);
  });
}
