/**
 * store: PostgreSQL: the embedded one, or one by URL; its schema and migrations; the writes that must be one
 * transaction (a shipped batch with its watermark, a change with its epoch); sums over usage; dump and restore.
 *
 * It does not decide who may do what, reads no journal file and rates nothing. Invariants: a database belongs to one
 * installation; a batch is in the tables exactly once; a dump is one moment's state.
 */
export {
  type EmbeddedConnection,
  type EmbeddedOptions,
  type EmbeddedPostgres,
  type PostgresState,
  startEmbeddedPostgres,
} from "./embedded/index.ts";
export type { Batch, Position, ReceiptBatch, RefusalRow, Settlement, SettlementFacts } from "./batch.ts";
export { type DatabaseConnection, isDatabaseAway, isDatabaseBusy } from "./connect.ts";
export {
  factsBefore,
  ranReport,
  type RanSum,
  type RefusalRecord,
  refusalRecords,
  type RequestRecord,
  requestRecords,
} from "./disclosed.ts";
export { dump, type DumpedTable, type DumpManifest, type DumpOptions, type DumpOutcome } from "./dump.ts";
export { change, type Epochs, readEpochs } from "./epochs.ts";
export { Following, type FollowingOptions } from "./following.ts";
export {
  addInvoices,
  closePeriod,
  type DraftInvoice,
  findPeriod,
  firstPeriod,
  isEmptyFirst,
  type InvoiceRow,
  invoicesPage,
  type InvoiceTotal,
  invoiceTotals,
  untaxedDrafts,
  openBefore,
} from "./invoices.ts";
export {
  addEntries,
  type Balance,
  balances,
  closedUntil,
  type Entry,
  holdLedger,
  type LedgerPeriod,
  type LedgerStanding,
  openPeriods,
  type Posting,
  takeLedger,
  tryClosing,
} from "./ledger.ts";
export {
  type MeteredQuestion,
  meteredRecords,
  gatewaysAmong,
  meteredRequests,
  type MeteredRow,
  type PostingRow,
  type TransactionRow,
  transactions,
} from "./ledger-reading.ts";
export type { Log } from "./log.ts";
export {
  addDocument,
  type DocumentQuestion,
  countIssued,
  draftsOf,
  findCredit,
  findInvoice,
  findParty,
  issuedDocuments,
  lastCreditNote,
  setFinal,
  setInvoiceState,
  setParty,
  takeInvoice,
  takeSeries,
} from "./issuing.ts";
export { acceleratorTime, type AcceleratorHour, addAcceleratorTime } from "./accelerator-time.ts";
export { latestSchema } from "./migrations/index.ts";
export { behind, type List, type Page, pageOf } from "./pages.ts";
export { addPayment, findPayments, invoiceBalance, type PaymentRow } from "./payments.ts";
export { type PlacementReport, placementReport, type PlacementSum } from "./placements.ts";
export { findReceipt, type ShippedReceipt } from "./receipts.ts";
export { restore, type RestoreOptions, type RestoreOutcome } from "./restore.ts";
export type {
  Database,
  DigestKeyTable,
  DocumentKind,
  ErasureTable,
  ExitTable,
  EpochName,
  ExportedFigures,
  GrantTable,
  HostTable,
  HostTokenTable,
  KeyTable,
  LimitColumns,
  OperatorTable,
  OrganisationTable,
  ProjectTable,
  ReservationTable,
} from "./schema.ts";
export type { UsedTokens } from "./settlements.ts";
export { type PostUsed, readWatermark, refusalsKept, ship, type ShipOutcome } from "./ship.ts";
export {
  balancesUntil,
  quantitiesByDimension,
  revenueCurrencies,
  revenueSums,
  type RevenueSum,
  servedRevenue,
} from "./revenue.ts";
export { openStore, ping, type Store, type StoreOptions, type StoreRefusal } from "./store.ts";
export { toldUsage, type ToldUsage } from "./told-usage.ts";
export {
  addUnrated,
  type Dropped,
  findSettled,
  countUnrated,
  findUnrated,
  setDropped,
  setRated,
  type UnratedEvent,
  type UnratedRow,
} from "./unrated.ts";
export { addRecords, type ToldRecord } from "./usage-records.ts";
export {
  addMonths,
  clearSums,
  findSums,
  holdSums,
  type SumKey,
  type SumRow,
  isUsageAlone,
  organisationsBilled,
  type UsedTerms,
  usedSpan,
  usedTerms,
  writeSums,
} from "./usage-sums.ts";
export {
  type MonthlySpending,
  type Spent,
  spentThisMonth,
  type UsageDimension,
  type UsageQuestion,
  usageReport,
  type UsageReport,
  type UsageSum,
} from "./usage.ts";
export {
  addGrant,
  addMovements,
  findGrants,
  type GrantRow,
  type NewGrant,
  type MovementRow,
  movementsPage,
  type Unbilled,
  type WalletKey,
  type WalletMovement,
  walletOwners,
  type WalletStanding,
  walletStanding,
} from "./wallets.ts";
