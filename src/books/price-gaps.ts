import { type BookVersion, leftOut, leftOutText, type RatedBook } from "../ledger/index.ts";

/** What is used together, and priced apart. */
const pairs = [
  ["input-tokens", "cached-read-tokens"],
  ["output-tokens", "reasoning-tokens"],
] as const;

/**
 * What has no price any more, and what a receipt would list and no bill: by each version that holds from now on, since prices of another one
 * count for nothing in it.
 * A contract in a currency of its own has no list behind it.
 */
export function gapsIn(book: RatedBook, nowMs: number): string[] {
  const { currency, list, contracts } = book;
  const dropped = leftOut(book, nowMs);
  const isTold = new Set(dropped.map((each) => `${each.in} ${each.sku}`));
  const alone = [...contracts.values()].flat().filter((version) => version.currency !== currency);
  const named = [
    ...list.map((held) => ({ held, name: `version ${held.version}` })),
    ...alone.map((held) => ({ held, name: `contract ${held.contract}/${held.version}` })),
  ];
  const alike = named
    .filter(({ held }) => held.toMs > nowMs)
    .flatMap(({ held, name }) =>
      missingIn(held)
        .filter((sku) => !isTold.has(`${name} ${sku}`))
        .map((sku) => `${sku} has no price in ${name}: what is used of it stays unrated`),
    );
  return [...leftOutText(dropped), ...alike];
}

function missingIn({ prices }: BookVersion): readonly string[] {
  return pairs.flatMap(([kind, part]) =>
    [...prices.keys()]
      .filter((sku) => sku.endsWith(`/${kind}`))
      .map((sku) => `${sku.slice(0, -kind.length)}${part}`)
      .filter((sku) => !prices.has(sku) && !prices.has(`*/${part}`)),
  );
}
