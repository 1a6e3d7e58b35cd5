/** The SKU of the line that makes up for what was committed to and not used. */
export const trueUpSku = "commitment/true-up";

/** The SKU of credits that are bought for a wallet. */
export const creditsSku = "wallet/credits";

const own: ReadonlySet<string> = new Set([trueUpSku, creditsSku]);

/** Whether it names a line that the books write themselves: nobody uses it, and no price book prices it. */
export function isOwnSku(sku: string): boolean {
  return own.has(sku);
}
