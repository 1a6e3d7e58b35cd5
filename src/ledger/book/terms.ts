import type { BookVersion, ContractVersion, RatedBook, SkuPrice } from "./book.ts";

/** Under which versions a customer's usage of a while is priced: within it, none of them changes. */
export interface Terms {
  readonly fromMs: number;
  readonly toMs: number;
  readonly contract: ContractVersion | undefined;
  readonly list: BookVersion | undefined;
}

/** A price and where it comes from. */
export interface FoundPrice {
  readonly price: SkuPrice;
  readonly version: BookVersion;
  readonly isContract: boolean;
}

/** Why something has no price; no reason is ever a price of zero. */
export type PriceMissing = "no_price" | "no_version" | "other_currency";

/** The terms of each customer, whole and without a gap, from the earliest on. */
export class AllTerms {
  readonly #book: RatedBook;
  readonly #listed: readonly Terms[];
  readonly #byCustomer = new Map<string, readonly Terms[]>();

  constructor(book: RatedBook) {
    this.#book = book;
    this.#listed = termsOf(book.list, []);
  }

  of(customer: string): readonly Terms[] {
    const contracts = this.#book.contracts.get(customer);
    if (contracts === undefined) return this.#listed;
    let terms = this.#byCustomer.get(customer);
    if (terms === undefined) this.#byCustomer.set(customer, (terms = termsOf(this.#book.list, contracts)));
    return terms;
  }

  at(customer: string, atMs: number): Terms {
    return this.of(customer).findLast(({ fromMs }) => fromMs <= atMs)!;
  }

  /** The contract's own price before the list's; by the SKU's name before "*" in the product's place. */
  price({ contract, list }: Terms, sku: string): FoundPrice | PriceMissing {
    if (contract === undefined && list === undefined) return "no_version";
    const agreed = contract === undefined ? undefined : priceIn(contract, sku);
    if (agreed !== undefined) return { price: agreed, version: contract!, isContract: true };
    const listed = list === undefined ? undefined : priceIn(list, sku);
    if (listed === undefined) return "no_price";
    if (contract !== undefined && contract.currency !== this.#book.currency) return "other_currency";
    return { price: listed, version: list!, isContract: false };
  }
}

/** By its name, or by "*" in its product's place. */
export function priceIn({ prices }: BookVersion, sku: string): SkuPrice | undefined {
  return prices.get(sku) ?? prices.get(`*${sku.slice(sku.lastIndexOf("/"))}`);
}

function termsOf(list: readonly BookVersion[], contracts: readonly ContractVersion[]): readonly Terms[] {
  const changes = [...list, ...contracts].flatMap(({ fromMs, toMs }) => [fromMs, toMs]);
  const bounds = [...new Set([-Infinity, ...changes, Infinity])].toSorted((a, b) => (a < b ? -1 : 1));
  return bounds.slice(0, -1).map((fromMs, index) => ({
    fromMs,
    toMs: bounds[index + 1]!,
    contract: contracts.find((version) => holds(version, fromMs)),
    list: list.find((version) => holds(version, fromMs)),
  }));
}

function holds({ fromMs, toMs }: BookVersion, atMs: number): boolean {
  return fromMs <= atMs && atMs < toMs;
}
