/**
 * ledger: what usage costs. Owns the price of one request (price-book, rating), the budgets' reservations, price books
 * as bills follow them (book), sums, lines, bills and tax (bill), and which postings they make in which accounts (entry).
 * Owns wallets too (wallet): grants, what is drawn from them and what that earns.
 * Does not own: counting tokens (stages), reading usage (metering), storing it (store), when it is posted (books). Invariants: money is bigint; only
 * a bill's line and its tax are rounded, once, and the residual is kept; settled plus reserved never exceeds a budget;
 * what has no price is unrated, never of the price zero.
 */
export { Budgets, type Reservation } from "./budgets.ts";
export { type Bill, type Billing, billsOf, billsWith, grownBy, linesOf } from "./bill/bill.ts";
export { type Line, lineOf } from "./bill/line.ts";
export {
  billDocument,
  type BillDocument,
  moneyText,
  ratedUsage,
  type RatedUsage,
  taxedDocument,
} from "./bill/rated-usage.ts";
export { type UnratedReason, type UsageEvent, type UsageSum, UsageSums } from "./bill/sums.ts";
export { type BookVersion, isOffPeak, type RatedBook, type SkuPrice } from "./book/book.ts";
export {
  add,
  ceiling,
  compare,
  decimalText,
  divide,
  type Fraction,
  fraction,
  multiply,
  none,
  parseFraction,
  round,
  share,
  subtract,
  total,
} from "./book/fraction.ts";
export type { Definition } from "./revenue/definitions.ts";
export { type QuarterRevenue, revenueFigures } from "./revenue/revenue.ts";
export { Calendar, isTimeZone, type Period } from "./book/calendar.ts";
export { listBook, listDocument } from "./book/list-book.ts";
export { listPrices } from "./book/list-prices.ts";
export { leftOut, leftOutText } from "./book/left-out.ts";
export { creditsSku, isOwnSku, trueUpSku } from "./book/own-skus.ts";
export { AllTerms, type Terms } from "./book/terms.ts";
export { type AccountKind, accountKinds, kindOf, products, revenueAccount, revenueOf } from "./entry/accounts.ts";
export {
  accrual,
  billing,
  crediting,
  paying,
  ledgerAmount,
  ledgerUnits,
  minorAmount,
  minorText,
  type Movement,
  reversal,
  taxing,
} from "./entry/postings.ts";
export {
  canBeUsed,
  type Dimension,
  parseQuantity,
  type Quantity,
  quantityText,
  skuOf,
  unitOf,
} from "./book/quantity.ts";
export { type Tax, taxOf } from "./bill/tax.ts";
export { minorUnitDecimals } from "./book/currency.ts";
export { readBook } from "./book/reading.ts";
export { plainText, type WrittenTransaction } from "./entry/plain-text.ts";
export type { Price, PriceBook } from "./price-book.ts";
export { foreseenAt } from "./wallet/available.ts";
export { drawing, earned, lapsing, liabilityOf, purchase } from "./wallet/entries.ts";
export { type PurchaseDocument, purchaseDocument } from "./wallet/purchase.ts";
export { type KnownWallet, type WalletReservation, Wallets } from "./wallets.ts";
export { unboundedFor } from "./wallet/unbounded.ts";
export { balanceAt, draw, expire, type Grant } from "./wallet/grant.ts";
export { bound, rate, type TokenBound } from "./rating.ts";
