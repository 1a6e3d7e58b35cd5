import type { ColumnType, GeneratedAlways } from "kysely";
import type {
  ContentKeyId,
  Ending,
  ErasureId,
  ExitId,
  GatewayId,
  GrantId,
  HostId,
  HostTokenId,
  InstallationId,
  InvoiceId,
  KeyId,
  KeyPermission,
  KeyReach,
  OperatorId,
  OrganisationId,
  ProjectId,
  ReceiptId,
  RequestId,
  ReservationId,
  Tier,
} from "../base/index.ts";

/** bigint and numeric columns are decimal strings in JavaScript: a number would round them. */
type Whole = ColumnType<string, number | string, number | string>;
type WholeOrNull = ColumnType<string | null, number | string | null | undefined, number | string | null>;
type Decimal = ColumnType<string, string, string>;
type DecimalOrNull = ColumnType<string | null, string | null | undefined, string | null>;
type Time = ColumnType<Date, Date, Date>;
type TimeOrNull = ColumnType<Date | null, Date | null | undefined, Date | null>;
type TextOrNull = ColumnType<string | null, string | null | undefined, string | null>;

/** What organisations, projects and keys each may hold; null is no limit of their own. */
export interface LimitColumns {
  models: ColumnType<string[] | null, readonly string[] | null | undefined, readonly string[] | null>;
  requestsPerMinute: WholeOrNull;
  tokensPerMinute: WholeOrNull;
  monthlyBudget: DecimalOrNull;
  expiresAt: TimeOrNull;
}

export interface InstallationTable {
  singleton: ColumnType<boolean, never, never>;
  id: InstallationId;
  createdAt: Time;
}

export type EpochName = "hosts" | "keys" | "policy" | "prices" | "reservations";

export interface EpochTable {
  name: EpochName;
  number: Whole;
}

export interface OrganisationTable extends LimitColumns {
  id: OrganisationId;
  name: string;
  createdAt: Time;
  erasedAt: TimeOrNull;
  /** Whether it runs nothing that its wallet cannot pay for. */
  isPrepaid: ColumnType<boolean, boolean | undefined, boolean>;
}

export interface ProjectTable extends LimitColumns {
  id: ProjectId;
  organisation: OrganisationId;
  name: string;
  createdAt: Time;
  dataClass: string;
  /** Jurisdictions and groups of them; empty: not restricted. */
  processing: ColumnType<string[], readonly string[] | undefined, readonly string[]>;
  unsupported: ColumnType<"refuse" | "warn", "refuse" | "warn" | undefined, "refuse" | "warn">;
  tier: ColumnType<Tier, Tier | undefined, Tier>;
  weight: ColumnType<number, number | undefined, number>;
  /** Where data may rest; null: where it may be processed. */
  storage: ColumnType<string[] | null, readonly string[] | null | undefined, readonly string[] | null>;
  /** At least one; null: those of its data class. */
  regimes: ColumnType<string[] | null, readonly string[] | null | undefined, readonly string[] | null>;
  country: TextOrNull;
  exported: ColumnType<ExportedFigures | null, string | null | undefined, string | null>;
  /** For how long what is asked and answered is kept, in seconds; null: it is not. */
  keepContentSeconds: WholeOrNull;
  erasedAt: TimeOrNull;
}

/** What a tenant declares to have exported from China in a calendar year. */
export interface ExportedFigures {
  readonly year: number;
  readonly individuals: number;
  readonly sensitiveIndividuals: number;
  readonly mechanisms: ("security-assessment" | "standard-contract" | "certification")[];
  readonly isCriticalInfrastructure: boolean;
  readonly hasImportantData: boolean;
}

export interface KeyTable extends LimitColumns {
  id: KeyId;
  project: ProjectId;
  name: string;
  /** The key's first characters, for people. */
  prefix: string;
  /** SHA-256 of the key, 32 bytes. */
  secretHash: Buffer;
  createdAt: Time;
  revokedAt: TimeOrNull;
  permissions: ColumnType<KeyPermission[], readonly KeyPermission[] | undefined, readonly KeyPermission[]>;
  reach: ColumnType<KeyReach, KeyReach | undefined, KeyReach>;
}

/** A named member of the operator's staff. */
export interface OperatorTable {
  id: OperatorId;
  name: string;
  /** Where this person works: ISO 3166; null: nobody has said. */
  country: TextOrNull;
  /** SHA-256 of the token, 32 bytes. */
  tokenHash: Buffer;
  createdAt: Time;
  createdBy: string;
  revokedAt: TimeOrNull;
}

/** One entry of the audit log; none is ever changed. */
export interface AuditTable {
  number: Whole;
  request: string;
  at: Time;
  actor: string;
  action: string;
  outcome: string;
  organisation: TextOrNull;
  project: TextOrNull;
  /** Canonical JSON, which holds all of the above and the hash of the entry before. */
  body: string;
  /** SHA-256 of `body`, lower-case hex. */
  hash: string;
}

export interface DigestKeyTable {
  id: string;
  project: ProjectId;
  /** null once erased. */
  secret: Buffer | null;
  createdAt: Time;
  erasedAt: TimeOrNull;
}

export interface UsageTable {
  request: RequestId;
  gateway: GatewayId;
  segment: Whole;
  recordOffset: Whole;
  organisation: OrganisationId;
  project: ProjectId;
  key: KeyId;
  model: string;
  endpoint: string;
  site: string;
  ending: Ending;
  startedAt: Time;
  endedAt: Time;
  /** UTC day of admission, "2026-11-24". */
  day: GeneratedAlways<string>;
  inputTokens: WholeOrNull;
  cachedInputTokens: WholeOrNull;
  outputTokens: WholeOrNull;
  reasoningTokens: WholeOrNull;
  /** Why there is no amount; null: it is rated. */
  unrated: TextOrNull;
  upperBoundTokens: WholeOrNull;
  /** The most that it can have cost, where it is not known what it did. */
  amountBound: DecimalOrNull;
  listAmount: DecimalOrNull;
  currency: TextOrNull;
  priceVersion: TextOrNull;
  /** What it was held to, and what that promised then; null: a release that did not say has taken it. */
  tier: ColumnType<Tier | null, Tier | null | undefined, Tier | null>;
  ttftMs: WholeOrNull;
  tpotMs: WholeOrNull;
  receipt: ColumnType<ReceiptId | null, ReceiptId | null | undefined, ReceiptId | null>;
  /** Whether it came when its period was closed, and is billed with a later one. */
  isLate: ColumnType<boolean, boolean | undefined, boolean>;
  /** The digest of the decision by which it ran; null: a release that did not say has taken it. */
  decision: TextOrNull;
  /** Where it ran: a host's id, or an upstream's name. */
  destination: TextOrNull;
}

/** What was asked of policy, once for each decision; the newest only. */
export interface DecisionTable {
  digest: string;
  number: ColumnType<string, number | undefined, never>;
  /** JSON: question and candidates. */
  body: string;
}

/** What the receipts of one group commit share, under the place in its gateway's journal where that batch begins. */
export interface ReceiptBatchTable {
  gateway: GatewayId;
  segment: Whole;
  recordOffset: Whole;
  /** Of its leaves in their order, 32 bytes each. */
  hashes: Buffer;
  seal: string;
}

export interface ReceiptTable {
  id: ReceiptId;
  project: ProjectId;
  payload: string;
  /** Where its batch begins. */
  gateway: GatewayId;
  segment: Whole;
  recordOffset: Whole;
  /** Its place among its batch's leaves. */
  leaf: Whole;
}

export interface WatermarkTable {
  gateway: GatewayId;
  segment: Whole;
  recordOffset: Whole;
}

export interface RefusalTable {
  gateway: GatewayId;
  segment: Whole;
  recordOffset: Whole;
  number: ColumnType<string, number | undefined, never>;
  at: Time;
  project: TextOrNull;
  key: TextOrNull;
  code: string;
  body: string;
}

/** What a tenant has reserved: a device, or a share of the pool. */
export interface ReservationTable {
  id: ReservationId;
  project: ProjectId;
  device: TextOrNull;
  /** Above 0 and at most 1. */
  share: DecimalOrNull;
  startsAt: Time;
  /** Excluded. */
  untilAt: Time;
  createdAt: Time;
  /** When it was ended before its time. */
  endedAt: TimeOrNull;
  note: TextOrNull;
  /** When it holds, as PostgreSQL writes a range of times; empty where it was ended before it began. */
  period: GeneratedAlways<string>;
}

export type DocumentKind = "facts" | "policies" | "prices";

/** A version of what residency is decided by, or of the price book; the highest number of a kind holds, and none is ever changed. */
export interface DocumentTable {
  kind: DocumentKind;
  version: Whole;
  /** JSON. */
  body: string;
  /** Lower-case hex; what its kind says it is over. */
  sha256: string;
  author: string;
  createdAt: Time;
  note: TextOrNull;
}

export interface ErasureTable {
  id: ErasureId;
  organisation: OrganisationId;
  /** null: all of the organisation's. */
  project: ColumnType<ProjectId | null, ProjectId | null, never>;
  kind: "request" | "subject" | "project" | "organisation";
  askedAt: Time;
  askedBy: string;
  reason: TextOrNull;
  /** 32 bytes, hex. */
  blinding: string;
  /** JSON: what is to go, as far as that is not over. */
  progress: string;
  /** Those that are over. */
  steps: ColumnType<string[], readonly string[] | undefined, readonly string[]>;
  finishedAt: TimeOrNull;
  /** Signed; null until everything is gone. */
  statement: TextOrNull;
}

/** A tenant that leaves. */
export interface ExitTable {
  id: ExitId;
  organisation: OrganisationId;
  noticedAt: Time;
  noticeUntil: Time;
  transitionUntil: Time;
  retrievalUntil: Time;
  askedBy: string;
  finishedAt: TimeOrNull;
  erasure: ColumnType<ErasureId | null, ErasureId | null | undefined, ErasureId | null>;
}

/** What lets a member of staff look at a project's data. */
export interface GrantTable {
  id: GrantId;
  organisation: OrganisationId;
  project: ProjectId;
  /** An operator's name. */
  operator: string;
  reason: string;
  /** How long it holds from its approval on. */
  seconds: Whole;
  askedAt: Time;
  askedBy: string;
  approvedAt: TimeOrNull;
  /** The id of a key of the tenant's. */
  approvedBy: TextOrNull;
  until: TimeOrNull;
  endedAt: TimeOrNull;
  endedBy: TextOrNull;
}

/** What was asked and answered, sealed. */
export interface ContentTable {
  request: RequestId;
  organisation: OrganisationId;
  project: ProjectId;
  at: Time;
  /** When it goes. */
  until: Time;
  dataClass: string;
  model: string;
  endpoint: string;
  contentKey: ContentKeyId;
  /** By which a person's records are found; null: none was named. */
  subjectTag: TextOrNull;
  wrappedKey: Buffer;
  sealed: Buffer;
}

/** A host on another machine. Its key and its site never change. */
export interface HostTable {
  id: HostId;
  site: string;
  /** Of its public key: base64url. */
  fingerprint: string;
  /** host:port, where the gateway reaches it. */
  address: string;
  joinedAt: Time;
  revokedAt: TimeOrNull;
  /** What it last said that it is and has, as JSON: known also while it is away. */
  told: TextOrNull;
}

/** By which a machine can become a host, once. */
export interface HostTokenTable {
  id: HostTokenId;
  /** Lower-case hex. */
  secretSha256: string;
  site: string;
  createdAt: Time;
  expiresAt: Time;
  revokedAt: TimeOrNull;
  /** The host that joined with it. */
  host: ColumnType<HostId | null, HostId | null | undefined, HostId | null>;
}

/** What makes a record of another service's usage the same one when it is told again. */
export interface UsageRecordTable {
  organisation: OrganisationId;
  source: string;
  id: string;
  /** SHA-256 of what it means, 32 bytes. */
  digest: Buffer;
  receivedAt: Time;
  /** The call that it came with. */
  reference: string;
}

/** What such a record says of one SKU. */
export interface UsageEventTable {
  organisation: OrganisationId;
  source: string;
  id: string;
  sku: string;
  at: Time;
  /** null: nobody has counted. */
  quantity: DecimalOrNull;
  isBatch: boolean;
}

/** Usage that is priced at once. */
export interface UsageSumTable {
  /** The period on whose invoice it stands: a later one than `period` where that was closed before the usage came. */
  billedIn: string;
  organisation: OrganisationId;
  sku: string;
  period: string;
  /** Milliseconds since 1970 from when on its prices hold. */
  termsFrom: Whole;
  currency: string;
  quantity: Decimal;
  batch: Decimal;
  offPeak: Decimal;
  events: Whole;
  /** What of it is in the ledger. */
  accrued: Decimal;
  /** Whether it is there as what one's own group pays. */
  isInternal: boolean;
  lastAt: Time;
}

/** Of sums whose periods are longer than a month: what each month has added. */
export interface UsageMonthTable extends Pick<
  UsageSumTable,
  "billedIn" | "organisation" | "sku" | "period" | "termsFrom" | "currency" | "quantity" | "accrued"
> {
  /** "2026-02": that of use, or, of what is late, that in which it came. */
  month: string;
}

/** Usage without a price, or that nobody has counted. */
export interface UnratedUsageTable {
  number: ColumnType<string, number | undefined, never>;
  organisation: OrganisationId;
  sku: string;
  at: Time;
  quantity: DecimalOrNull;
  isBatch: boolean;
  events: Whole;
  reason: string;
  /** What it came with: a shipment, a request, a record. */
  reference: string;
  /** null: it waits. */
  ratedAt: TimeOrNull;
  ratedQuantity: DecimalOrNull;
  /** Who wrote it off, and what for; null: nobody did. */
  droppedBy: TextOrNull;
  droppedFor: TextOrNull;
}

/** What a customer owes for a period in a currency. */
export interface InvoiceTable {
  id: InvoiceId;
  organisation: OrganisationId;
  period: string;
  currency: string;
  state: ColumnType<"draft" | "final" | "paid" | "void", "draft" | undefined, "final" | "paid" | "void">;
  /** JSON: the bill with its lines. */
  bill: string;
  net: Decimal;
  tax: Decimal;
  gross: Decimal;
  residual: Decimal;
  createdAt: Time;
  /** What wallets have paid of `net`. */
  drawn: ColumnType<string, string | undefined, never>;
  /** What those credits had cost; null of bills of before that was kept. */
  drawnCost: ColumnType<string | null, string | null | undefined, never>;
  /** The grant that it is the purchase of; null: it is of usage. */
  grantId: ColumnType<string | null, string | null | undefined, never>;
}

/** Credits that an organisation has bought or was given. */
export interface WalletGrantTable {
  organisation: OrganisationId;
  id: string;
  currency: string;
  credits: Decimal;
  /** 0: a gift. */
  paid: Decimal;
  priority: number;
  fromAt: Time;
  expiresAt: TimeOrNull;
  rolloverMost: DecimalOrNull;
  rolloverUntil: TimeOrNull;
  /** What is expected never to be used, in percent. */
  breakagePercent: Decimal;
  note: TextOrNull;
  /** SHA-256 of what was asked for, 32 bytes. */
  digest: Buffer;
  createdAt: Time;
  createdBy: string;
}

/** What became of a grant's credits. */
export interface WalletMovementTable {
  number: ColumnType<string, number | undefined, never>;
  organisation: OrganisationId;
  grantId: string;
  kind: "draw" | "lapse" | "return";
  credits: Decimal;
  at: Time;
  /** An invoice; of what has lapsed the period with which it did. */
  reference: string;
  createdAt: Time;
}

/** Who an organisation is on its invoices. */
export interface OrganisationPartyTable {
  organisation: OrganisationId;
  /** JSON. */
  party: string;
  changedAt: Time;
  changedBy: string;
}

/** How far invoices of one seller, kind and year have come. */
export interface InvoiceSeriesTable {
  series: string;
  last: Whole;
  newest: TextOrNull;
}

/** An invoice or a credit note as it was issued. */
export interface InvoiceDocumentTable {
  seller: string;
  number: string;
  kind: "invoice" | "credit-note";
  invoice: InvoiceId;
  /** JSON. */
  document: string;
  issueDate: string;
  dueDate: TextOrNull;
  issuedAt: Time;
  issuedBy: string;
  /** Of a credit note that was asked for under an id. */
  creditId: TextOrNull;
  /** SHA-256 of what was asked for, 32 bytes. */
  creditDigest: ColumnType<Buffer | null, Buffer | null | undefined, Buffer | null>;
}

/** What a customer has paid of an invoice, and what went back of it. */
export interface InvoicePaymentTable {
  invoice: InvoiceId;
  /** Its asker's own, or one that was minted. */
  id: string;
  kind: "payment" | "refund";
  /** Above 0, whichever it is. */
  amount: Decimal;
  /** The day that somebody named; null: that of its posting. */
  date: TextOrNull;
  /** Of a refund, the payment that did not last; null: a credit note had left it owed to the customer. */
  payment: TextOrNull;
  /** SHA-256 of what was asked for, 32 bytes; null: nobody can ask for it again. */
  digest: ColumnType<Buffer | null, Buffer | null | undefined, never>;
  /** The ledger's. */
  transaction: Whole;
  createdAt: Time;
  /** null: an earlier release did not keep it. */
  createdBy: TextOrNull;
}

/** Postings that balance. */
export interface LedgerTransactionTable {
  number: ColumnType<string, number | undefined, never>;
  kind: string;
  period: string;
  at: Time;
  /** What it was made from: a shipment, a call, an invoice. */
  reference: string;
  createdAt: Time;
}

export interface LedgerPostingTable {
  transaction: Whole;
  line: number;
  account: string;
  organisation: ColumnType<OrganisationId | null, OrganisationId | null, never>;
  currency: string;
  /** A debit is above 0, a credit below. */
  amount: Decimal;
}

export interface LedgerPeriodTable {
  period: string;
  startsAt: Time;
  /** Excluded. */
  endsAt: Time;
  closedAt: TimeOrNull;
  closedBy: TextOrNull;
}

/** What operators are told of money. */
export interface AlertTable {
  number: ColumnType<string, number | undefined, never>;
  kind: "budget" | "wallet" | "unrated" | "refused";
  level: "organisation" | "project" | "key";
  /** Its id. */
  scope: string;
  name: string;
  /** A month, a grant: what it is told once for. */
  occasion: string;
  /** Percent; 0: there is none. */
  threshold: number;
  message: string;
  at: Time;
}

export interface AlertDeliveryTable {
  alert: ColumnType<string, string, never>;
  channel: "webhook" | "email";
  state: ColumnType<"waiting" | "delivered" | "given-up", undefined, "waiting" | "delivered" | "given-up">;
  tries: ColumnType<number, undefined, number>;
  nextAt: Time;
  problem: TextOrNull;
}

/** The tables as kysely sees them: names are camel case here, snake case in PostgreSQL. */
export interface AcceleratorTimeTable {
  hour: Time;
  host: string;
  device: string;
  upMs: Whole;
  busyMs: Whole;
}

export interface Database {
  installation: InstallationTable;
  epochs: EpochTable;
  organisations: OrganisationTable;
  projects: ProjectTable;
  keys: KeyTable;
  digestKeys: DigestKeyTable;
  usage: UsageTable;
  receiptBatches: ReceiptBatchTable;
  receipts: ReceiptTable;
  watermarks: WatermarkTable;
  refusals: RefusalTable;
  reservations: ReservationTable;
  documents: DocumentTable;
  decisions: DecisionTable;
  operators: OperatorTable;
  audit: AuditTable;
  contents: ContentTable;
  grants: GrantTable;
  erasures: ErasureTable;
  exits: ExitTable;
  hosts: HostTable;
  hostTokens: HostTokenTable;
  acceleratorTime: AcceleratorTimeTable;
  usageRecords: UsageRecordTable;
  usageEvents: UsageEventTable;
  usageSums: UsageSumTable;
  usageMonths: UsageMonthTable;
  unratedUsage: UnratedUsageTable;
  invoices: InvoiceTable;
  organisationParties: OrganisationPartyTable;
  invoiceSeries: InvoiceSeriesTable;
  invoiceDocuments: InvoiceDocumentTable;
  invoicePayments: InvoicePaymentTable;
  ledgerTransactions: LedgerTransactionTable;
  ledgerPostings: LedgerPostingTable;
  ledgerPeriods: LedgerPeriodTable;
  walletGrants: WalletGrantTable;
  walletMovements: WalletMovementTable;
  alerts: AlertTable;
  alertDeliveries: AlertDeliveryTable;
}

/** PostgreSQL's names in the order in which rows can be inserted: a table comes after those that it refers to. */
export const tables = [
  "installation",
  "epochs",
  "organisations",
  "projects",
  "keys",
  "digest_keys",
  "usage",
  "receipt_batches",
  "receipts",
  "watermarks",
  "refusals",
  "reservations",
  "documents",
  "decisions",
  "operators",
  "audit",
  "contents",
  "grants",
  "erasures",
  "exits",
  "hosts",
  "host_tokens",
  "accelerator_time",
  "usage_records",
  "usage_events",
  "usage_sums",
  "usage_months",
  "unrated_usage",
  "wallet_grants",
  "wallet_movements",
  "invoices",
  "organisation_parties",
  "invoice_series",
  "invoice_documents",
  "invoice_payments",
  "ledger_transactions",
  "ledger_postings",
  "ledger_unchecked",
  "alerts",
  "alert_deliveries",
  "ledger_periods",
] as const;
