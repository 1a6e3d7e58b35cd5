/**
 * books: usage on its way into money. Owns the price book in force, taking usage of other services, adding what was used to
 * its sums and posting what they come to, all in the transaction that writes the usage; closing periods with their invoices, which wallets pay first; wallets' grants;
 * credits of invoices, their payments and refunds; what is asked of the ledger. Does not own: what something costs and which postings that makes (ledger), the tables and their
 * guards (store), the documents' versions (residency), counting what was served (stages).
 * Invariants: usage is in exactly one of invoiced, unbilled, unrated and dropped; what is posted of a sum is what it costs, to the
 * last decimal; a closed period never changes; the same (organisation, source, id) counts once, for ever.
 */
export { accrue, hold } from "./accruing.ts";
export { close } from "./closing.ts";
export type { BooksContext } from "./context.ts";
export { credit, type Credit, makeVoid } from "./crediting.ts";
export { finalize, finalizePeriod } from "./issuing.ts";
export { organisationNames, unknownInternal } from "./organisations.ts";
export { usageOfLine } from "./line-usage.ts";
export { applyParty, partyOf } from "./parties.ts";
export { pay, refund } from "./payments.ts";
export { preview } from "./previewing.ts";
export { applyPriceBook, priceBookHistory, showPriceBook } from "./price-books.ts";
export { createPricesInForce } from "./prices.ts";
export { accounts, entries, metered, noPeriod, periods, trialBalance, why } from "./reading.ts";
export { record } from "./recording.ts";
export { servedUsage } from "./served.ts";
export { type WalletNow, walletsNow } from "./standing.ts";
export { toldUsage } from "./told.ts";
export { dropUnrated, rateUnrated, unrated } from "./unrated.ts";
export { type AskedGrant, grantCredits, walletHistory } from "./wallets.ts";
