/**
 * ledger: what usage costs. Owns the price of one request (price-book, rating), the budgets' reservations, price books
 * as bills follow them (book), and sums, lines, bills and tax (bill); postings, wallets and invoices find their place here later.
 * Does not own: counting tokens (stages), reading usage (metering), storing it (store). Invariants: money is bigint; only
 * a bill's line and its tax are rounded, once, and the residual is kept; settled plus reserved never exceeds a budget;
 * what has no price is unrated, never of the price zero.
 */
export { Budgets, type Reservation } from "./budgets.ts";
export { type Bill, type Billing, billsOf } from "./bill/bill.ts";
export { type Line, trueUpSku } from "./bill/line.ts";
export { moneyText, ratedUsage, type RatedUsage } from "./bill/rated-usage.ts";
export { type UsageEvent, UsageSums } from "./bill/sums.ts";
export type { Tax } from "./bill/tax.ts";
export type { RatedBook } from "./book/book.ts";
export { minorUnitDecimals } from "./book/currency.ts";
export {
  add,
  compare,
  decimalText,
  divide,
  type Fraction,
  fraction,
  isDecimal,
  multiply,
  parseFraction,
  round,
  share,
  subtract,
} from "./book/fraction.ts";
export { type Dimension, parseQuantity, type Quantity, skuOf, unitOf } from "./book/quantity.ts";
export { readBook } from "./book/reading.ts";
export { type Price, type PriceBook, createPriceBook } from "./price-book.ts";
export { bound, rate, type TokenBound } from "./rating.ts";
