/**
 * invoicing: invoices and credit notes as documents. Owns what stands in one, or would in a draft's (document), how they are numbered, the formats
 * that others read (formats: EN 16931 as UBL and CII, PDF, Factur-X) and handing them over (delivery). Does not own: what
 * usage costs (ledger), counters and issued invoices (store), postings. Invariants: an invoice is plain data that never
 * changes; all of its sums come from its lines, and each line's net is its price times its quantity, with what is taken off and
 * put on; credit notes never give back more than is left; the same invoice has the same bytes in each format; a draft is none, and is for people to look at only.
 */
export { creditOf } from "./document/credit.ts";
export { daysOf } from "./document/days.ts";
export { type BillDrawing, draftOfBill, draftOfPurchase, invoiceOf, purchaseInvoiceOf } from "./document/issue.ts";
export type { Invoice, InvoiceLine, InvoicePeriod } from "./document/invoice.ts";
export { linePeriods } from "./document/line-period.ts";
export { decimalOf, unitsOf } from "./document/money.ts";
export { type Buyer, type Issuer, issuerShape, type Parties, readBuyer, readParties } from "./document/parties.ts";
export { type Preview, previewOf } from "./document/preview.ts";
export { type BilledLine, readBill } from "./document/read-bill.ts";
export { readInvoice } from "./document/reading.ts";
export { FolderDelivery } from "./delivery/folder-delivery.ts";
export { type Paper, type PaperFormat, paperOf } from "./formats/papers.ts";
export { draftPdfOf } from "./formats/pdf.ts";
export { mayIssue, numberIn, type Series, seriesKey } from "./numbering.ts";
