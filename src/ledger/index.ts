/**
 * ledger: what usage costs. Owns the price book, the rating of one request, and the budgets' reservations; postings,
 * wallets and invoices find their place here later. Does not own: counting tokens (stages), storing usage (store).
 * Invariants: money is bigint, and nothing is rounded here; settled plus reserved never exceeds a budget; a model
 * without a price has none (its usage is unrated), never the price zero.
 */
export { Budgets, type Reservation } from "./budgets.ts";
export { type Price, type PriceBook, createPriceBook } from "./price-book.ts";
export { bound, rate, type TokenBound } from "./rating.ts";
