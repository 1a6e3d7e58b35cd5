/**
 * The chart of accounts. What is sold has a revenue account by product, a tax one by jurisdiction; everything else is one
 * account, with the customer beside the posting.
 */
export const accountKinds = {
  cash: "asset",
  receivables: "asset",
  "unbilled-receivables": "asset",
  "contract-liabilities": "liability",
  "tax-payable": "liability",
  revenue: "income",
  intersegment: "income",
  breakage: "income",
  "rounding-residual": "income",
} as const;

export type AccountKind = (typeof accountKinds)[keyof typeof accountKinds];

export const products = ["ai-inference", "ai-training", "accelerator-time", "storage", "other"] as const;
export type Product = (typeof products)[number];

const productsByDimension: Readonly<Record<string, Product>> = {
  "input-tokens": "ai-inference",
  "cached-read-tokens": "ai-inference",
  "cache-write-tokens": "ai-inference",
  "output-tokens": "ai-inference",
  "reasoning-tokens": "ai-inference",
  "embedding-tokens": "ai-inference",
  "training-tokens": "ai-training",
  "accelerator-seconds": "accelerator-time",
  "storage-gib-hours": "storage",
};

/** Which product a SKU is of: by its dimension, the last part of its name. */
export function productOf(sku: string): Product {
  const dimension = sku.slice(sku.lastIndexOf("/") + 1);
  return Object.hasOwn(productsByDimension, dimension) ? productsByDimension[dimension]! : "other";
}

/** Where what a SKU brings in is posted; what a part of one's own group pays is no external revenue. */
export function revenueAccount(sku: string, isInternal: boolean): string {
  return `${isInternal ? "intersegment" : "revenue"}/${productOf(sku)}`;
}

/** Where what was paid in advance and will not be used is posted: of a part of one's own group it is no external revenue either. */
export function breakageAccount(isInternal: boolean): string {
  return isInternal ? "intersegment/breakage" : "breakage";
}

/** An account of revenue, taken apart; undefined: it is none. What rounding leaves is income, and no revenue of anything. */
export function revenueOf(
  account: string,
): { readonly product: string; readonly segment: "external" | "intersegment" } | undefined {
  if (account === breakageAccount(false)) return { product: "breakage", segment: "external" };
  const [first, product = ""] = account.split("/");
  if (first === "revenue") return { product, segment: "external" };
  return first === "intersegment" ? { product, segment: "intersegment" } : undefined;
}

/** Where nobody has said where a customer is taxed there is no tax, and so no posting. */
export function taxAccount(jurisdiction: string | undefined): string {
  return `tax-payable/${jurisdiction ?? "unknown"}`;
}

export function kindOf(account: string): AccountKind {
  const [first = ""] = account.split("/", 1);
  const kinds: Readonly<Record<string, AccountKind>> = accountKinds;
  return Object.hasOwn(kinds, first) ? kinds[first]! : "asset";
}
