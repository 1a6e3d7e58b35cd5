import type { BookVersion, RatedBook } from "./book.ts";
import { priceIn } from "./terms.ts";

/** A SKU that a version does not price, and the version before it does. */
export interface LeftOut {
  readonly sku: string;
  /** The version as people name it. */
  readonly in: string;
  readonly message: string;
}

/** More would be read by nobody. */
const toldMost = 50;

/**
 * What later versions leave unpriced, each SKU by name: a version is the whole list, so what it does not repeat has no price from then on. Of
 * those that hold after `nowMs`. Contracts in the book's currency have the list behind them, and are not looked at.
 */
export function leftOut({ currency, list, contracts }: RatedBook, nowMs = -Infinity): readonly LeftOut[] {
  const alone = [...contracts.values()].map((versions) =>
    versions
      .filter((version) => version.currency !== currency)
      .map((version) => ({ version, name: `contract ${version.contract}/${version.version}` })),
  );
  return [list.map((version) => ({ version, name: `version ${version.version}` })), ...alone].flatMap((versions) =>
    versions.slice(1).flatMap(({ version, name }, at) => {
      const before = versions[at]!;
      if (version.toMs <= nowMs) return [];
      return missing(before.version, version).map((sku) => ({
        sku,
        in: name,
        message: `${sku} has no price in ${name}, and had one in ${before.name}: what is used of it from then on stays unrated`,
      }));
    }),
  );
}

/** The same in words, the first ones where there are many. */
export function leftOutText(all: readonly LeftOut[]): readonly string[] {
  const more = all.length - toldMost;
  return [
    ...all.slice(0, toldMost).map(({ message }) => message),
    ...(more > 0 ? [`${more} more SKUs have no price in a version, and had one in the version before it`] : []),
  ];
}

function missing(before: BookVersion, after: BookVersion): readonly string[] {
  return [...before.prices.keys()].filter((sku) => priceIn(after, sku) === undefined);
}
