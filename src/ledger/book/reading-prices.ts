import type { SkuPrice } from "./book.ts";
import type { ChargeModel, Tier } from "./charge.ts";
import type { PriceDocument, TierDocument, VersionDocument } from "./document.ts";
import { compare, divide, type Fraction, fraction, none, share } from "./fraction.ts";
import { isOwnSku } from "./own-skus.ts";
import { quantityFraction } from "./quantity.ts";
import { type Report, reportRepeated } from "./report.ts";

/** What a version prices, by SKU, "*" among them as it is written. */
export function pricesOf(
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
  if (isOwnSku(sku)) report([...path, "sku"], `${sku} names what the books write themselves: it has no price`);
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
