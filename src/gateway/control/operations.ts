import type { z } from "zod";
import type { KeyPermission, KeyReach, Refusal } from "../../base/index.ts";
import type { Catalog } from "../../catalog/index.ts";
import type { limitChanges } from "./fields.ts";
import type {
  Accounts,
  ClosedPeriod,
  FinalizedPeriod,
  IssuedDocument,
  Party,
  Unbilled,
  Invoice,
  LedgerPeriods,
  LedgerTransaction,
  Metered,
  PreviewedInvoice,
  PriceBook,
  RatedLater,
  Reasons,
  Recorded,
  SettledInvoice,
  TrialBalance,
  ToldUsage,
  Unrated,
  WholeInvoice,
} from "./books-wire.ts";
import type { AlertTold, Wallet, WalletGrant, WalletMovementTold } from "./wallet-wire.ts";
import type { PoolStatus } from "./pool-wire.ts";
import type {
  AuditEntry,
  CreatedOperator,
  Erasure,
  Exit,
  Grant,
  Operator,
  StoredContent,
  StoredListing,
} from "./rights-wire.ts";
import type {
  Backup,
  CloudStatus,
  CreatedHostToken,
  CreatedReservation,
  DestinationStatus,
  Explanation,
  Facts,
  Host,
  HostToken,
  Key,
  LogStatus,
  ModelPrice,
  NetworkConnections,
  Organisation,
  Placements,
  Policies,
  Project,
  RecordedRefusal,
  Reservation,
  ReservationUsageRow,
  SigningKey,
  UsageRow,
  Version,
} from "./wire.ts";

/** The part of a list that is asked for: at most `limit` items, those behind `after`. */
export interface Page {
  readonly limit: number;
  /** The opaque `next` of the part before. */
  readonly after: string | undefined;
}

export interface List<Item> {
  readonly items: Item[];
  readonly next: string | null;
}

export type LimitChanges = z.output<typeof limitChanges>;

/** A project's rules: what is left out keeps its value, or its default in a new project. */
export interface ProjectRules {
  readonly dataClass?: Project["dataClass"] | undefined;
  readonly processing?: readonly string[] | undefined;
  readonly storage?: readonly string[] | null | undefined;
  readonly regimes?: readonly string[] | null | undefined;
  readonly country?: string | null | undefined;
  readonly exported?: Project["exported"] | undefined;
  readonly unsupported?: Project["unsupported"] | undefined;
  readonly tier?: Project["tier"] | undefined;
  readonly weight?: number | undefined;
  readonly keepContentSeconds?: number | "default" | null | undefined;
}

/**
 * Who is who, over the store. References are names or ids, a project's also organisation/project; one that names
 * nothing, or several, is refused.
 */
export interface TenancyOperations {
  listOrganisations(page: Page): Promise<List<Organisation>>;
  showOrganisation(organisation: string): Promise<Organisation | Refusal>;
  createOrganisation(input: {
    readonly name: string;
    readonly prepaid?: boolean | undefined;
    readonly limits: LimitChanges;
  }): Promise<Organisation | Refusal>;
  updateOrganisation(
    organisation: string,
    changes: {
      readonly name?: string | undefined;
      readonly prepaid?: boolean | undefined;
      readonly limits: LimitChanges;
    },
  ): Promise<Organisation | Refusal>;

  listProjects(filter: { readonly organisation: string | undefined }, page: Page): Promise<List<Project> | Refusal>;
  showProject(project: string): Promise<Project | Refusal>;
  createProject(
    input: { readonly organisation: string; readonly name: string; readonly limits: LimitChanges } & ProjectRules,
  ): Promise<Project | Refusal>;
  updateProject(
    project: string,
    changes: { readonly name?: string | undefined; readonly limits: LimitChanges } & ProjectRules,
  ): Promise<Project | Refusal>;
  /** Erases the key that digests in the project's receipts are salted with, for ever, and makes a new one. */
  eraseDigestKey(project: string): Promise<{ readonly project: Project; readonly erased: string } | Refusal>;

  listKeys(filter: { readonly project: string | undefined }, page: Page): Promise<List<Key> | Refusal>;
  showKey(key: string): Promise<Key | Refusal>;
  createKey(input: {
    readonly project: string;
    readonly name: string | undefined;
    readonly limits: LimitChanges;
    readonly permissions?: readonly KeyPermission[] | undefined;
    readonly reach?: KeyReach | undefined;
    /** Whether the tenant makes it, with a key of its own: an operator's cannot open content that a tenant guards. */
    readonly isOwn?: boolean | undefined;
  }): Promise<(Key & { readonly key: string }) | Refusal>;
  updateKey(
    key: string,
    changes: { readonly name?: string | undefined; readonly limits: LimitChanges },
  ): Promise<Key | Refusal>;
  /** Holds within a second on every gateway. Revoking a revoked key changes nothing. */
  revokeKey(key: string): Promise<Key | Refusal>;
}

export interface UsageFilter {
  readonly organisation: string | undefined;
  readonly project: string | undefined;
  readonly key: string | undefined;
  readonly model: string | undefined;
  /** Days in UTC, both included. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** Usage as PostgreSQL has it. */
export interface UsageOperations {
  /** Resolves once everything that is settled now is shipped (`true`), or after `waitMs` (`false`). */
  shippedUpTo(waitMs: number): Promise<boolean>;
  report(filter: UsageFilter, page: Page): Promise<List<UsageRow> | Refusal>;
  /** Refusals on record, the newest first. */
  refusals(page: Page): Promise<List<RecordedRefusal>>;
}

export interface ReservationInput {
  readonly project: string;
  readonly device?: string | undefined;
  readonly share?: number | undefined;
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly hours?: number | undefined;
  readonly note?: string | undefined;
}

/** What tenants have reserved. */
export interface ReservationOperations {
  /** Refuses what is reserved already, and says from when on it is free. `warnings`: whom it leaves with little or nothing. */
  create(input: ReservationInput): Promise<CreatedReservation | Refusal>;
  /** `active`: those that hold now; else all, those that are over too. */
  list(
    filter: { readonly project: string | undefined; readonly active: boolean },
    page: Page,
  ): Promise<List<Reservation> | Refusal>;
  /** Ending a reservation that is over changes nothing. */
  end(reservation: string): Promise<Reservation | Refusal>;
  /** Days in UTC, both included. */
  usage(days: { readonly from: string; readonly to: string }, page: Page): Promise<List<ReservationUsageRow> | Refusal>;
}

/** Hosts on other machines. */
export interface HostOperations {
  createToken(site: string, lastsSeconds: number): Promise<CreatedHostToken | Refusal>;
  listTokens(page: Page): Promise<List<HostToken> | Refusal>;
  revokeToken(token: string): Promise<HostToken | Refusal>;
  /** Those that were revoked too. */
  listHosts(page: Page): Promise<List<Host> | Refusal>;
  revokeHost(host: string): Promise<Host | Refusal>;
}

/** The transparency log, and the keys that it and receipts are signed with. */
export interface LogOperations {
  status(): LogStatus;
  /** A new key signs from now on; the one before signs beside it for so long. */
  rotateKey(overlapMs: number): Promise<LogStatus | Refusal>;
  /** Begins another log where this one cannot go on. */
  begin(): Promise<LogStatus | Refusal>;
  signingKeys(): readonly SigningKey[];
  rotateSigningKey(): Promise<readonly SigningKey[] | Refusal>;
  revokeSigningKey(key: string): Promise<readonly SigningKey[] | Refusal>;
}

/** A change of a document: the version that it was made from, and what it is for. */
interface DocumentChange {
  readonly basedOn: number;
  readonly document: Record<string, unknown>;
  readonly note?: string | undefined;
  /** Who changes it, by name. */
  readonly by: string;
}

/** The documents by which is decided where data may be. What is not valid changes nothing; its reasons say where. */
export interface ResidencyOperations {
  /** `version`: undefined is the one that holds. */
  showFacts(version?: number): Promise<Facts | Refusal>;
  /** Holds within a second on every gateway. */
  putFacts(input: DocumentChange): Promise<Facts | Refusal>;
  showPolicies(version?: number): Promise<Policies | Refusal>;
  putPolicies(
    input: DocumentChange & { readonly files: readonly { readonly name: string; readonly text: string }[] },
  ): Promise<Policies | Refusal>;
  /** Where requests ran since a time, and which policy refused, of at most so many of either; the newest. */
  placements(question: { readonly since: string | undefined; readonly newest: number }): Promise<Placements>;
  /** The newest first. */
  history(kind: "facts" | "policies", page: Page): Promise<List<Version>>;
}

/** ISO 8601; what is left out: the 30 days before `to`, and now. */
export interface AskedPeriod {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

type Written = Record<string, unknown>;

/** Reports as JSON, whole (docs/reference/reports.md): what they hold is disclosure's to say. */
export interface ReportOperations {
  sovereignty(period: AskedPeriod): Promise<Written | Refusal>;
  /** Names no other organisation. */
  processing(organisation: string, period: AskedPeriod): Promise<Written | Refusal>;
  transfers(
    question: { readonly area: string; readonly organisation: string | undefined },
    period: AskedPeriod,
  ): Promise<Written | Refusal>;
  subProcessors(since: string | undefined): Promise<Written | Refusal>;
  revenue(question: { readonly quarter: string; readonly currency: string | undefined }): Promise<Written | Refusal>;
  jurisdiction(): Written;
  /** A part of a project's log; `opening` is its first line. */
  aiActLog(
    project: string,
    period: AskedPeriod,
    page: Page,
  ): Promise<{ readonly opening: Written; readonly items: Written[]; readonly next: string | null } | Refusal>;
}

/** What runs, where, and at which price. */
export interface CloudOperations {
  status(): Promise<CloudStatus>;
  destinations(): readonly DestinationStatus[];
  /** What each host last told of its device and models, from memory: no host is asked. */
  pool(): PoolStatus;
  /** The price that holds now; undefined where the book has none. */
  priceOf(model: string): ModelPrice | undefined;
  explain(question: {
    readonly project: string;
    readonly model?: string | undefined;
    readonly action?: "infer" | "embed" | "train" | "store" | "log" | "cache" | "export" | undefined;
    readonly dataClass?: string | undefined;
  }): Promise<Explanation | Refusal>;
  /** Every address that this cloud may connect to, and what reaches it. */
  network(): Promise<NetworkConnections>;
  /** Writes a backup and resolves once it is whole. `path`: where; undefined: the data folder's own place for them. */
  backup(path: string | undefined, signal: AbortSignal): Promise<Backup | Refusal>;
}

/** The operator's people. */
export interface OperatorOperations {
  list(page: Page): Promise<List<Operator>>;
  add(input: {
    readonly name: string;
    readonly country: string | null;
    readonly by: string;
  }): Promise<CreatedOperator | Refusal>;
  revoke(operator: string): Promise<Operator | Refusal>;
  /** Whose token this is; undefined: nobody's. */
  find(token: string): Promise<{ readonly name: string; readonly country: string | null } | undefined>;
}

export type AuditFact = Omit<AuditEntry, "v" | "number" | "at" | "previous" | "hash">;

export interface AuditFilter {
  readonly organisation?: string | undefined;
  readonly project?: string | undefined;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** Who did what. */
export interface AuditOperations {
  append(fact: AuditFact): Promise<void>;
  /** The newest first. */
  list(filter: AuditFilter, page: Page): Promise<List<AuditEntry>>;
  /** All of it, the oldest first. */
  all(page: Page): Promise<List<AuditEntry>>;
}

/** Whose things, by ids; what is left out does not restrict. */
interface OwnedBy {
  readonly organisation?: string | undefined;
  readonly project?: string | undefined;
}

/** What was asked and answered, where a project has asked for it to be kept. */
export interface ContentOperations {
  list(
    filter: OwnedBy & {
      readonly subject?: string | undefined;
      readonly since?: string | undefined;
      readonly before?: string | undefined;
    },
    page: Page,
  ): Promise<List<StoredListing>>;
  show(
    request: string,
    scope: OwnedBy,
  ): Promise<
    (Omit<StoredContent, "input" | "output"> & { readonly input: Buffer; readonly output: Buffer }) | undefined
  >;
}

/** Looks of the operator's staff at tenants' data. */
export interface SupportOperations {
  ask(
    input: { readonly organisation: string; readonly project: string; readonly by: string } & Pick<
      Grant,
      "operator" | "seconds" | "reason"
    >,
  ): Promise<Grant | Refusal>;
  list(scope: OwnedBy, page: Page): Promise<List<Grant>>;
  approve(grant: string, scope: OwnedBy, by: string): Promise<Grant | Refusal>;
  end(grant: string, scope: OwnedBy, by: string): Promise<Grant | Refusal>;
  /** Why a member of staff may not look at a project's data now; undefined: it is granted, and policy permits it. */
  refusalFor(
    member: { readonly name: string; readonly country?: string | null },
    project: string,
  ): Promise<Refusal | undefined>;
}

/** What a tenant wants gone. */
export interface ErasureOperations {
  erase(
    input: {
      readonly organisation: string;
      readonly project: string | null;
      readonly request?: string | undefined;
      readonly subject?: string | undefined;
      readonly reason: string | null;
      readonly by: string;
    },
    waitMs: number,
  ): Promise<Erasure | Refusal>;
  list(scope: OwnedBy, page: Page): Promise<List<Erasure>>;
  show(erasure: string, scope: OwnedBy): Promise<Erasure | Refusal>;
}

/** What whoever asks for an export may see of a project. */
export interface ExportRights {
  /** What is stored of it, opened. */
  readonly read: (project: string) => Promise<boolean>;
  /** What its receipts' digests are salted with: whoever has it can try texts on them. */
  readonly link: (project: string) => Promise<boolean>;
}

/** Everything that a tenant owns. */
export interface ExportOperations {
  organisation(
    organisation: string,
    may: ExportRights,
    /** Projects that are left out, by name or id. */
    except?: readonly string[],
  ): Promise<{ readonly lines: AsyncIterable<{ readonly part: string; readonly row: unknown }> } | Refusal>;
}

/** A tenant's leaving. */
export interface ExitOperations {
  begin(input: {
    readonly organisation: string;
    readonly noticeDays: number;
    readonly transitionDays: number;
    readonly by: string;
  }): Promise<Exit | Refusal>;
  list(scope: OwnedBy, page: Page): Promise<List<Exit>>;
  finish(
    exit: string,
    scope: OwnedBy,
    more: { readonly by: string; readonly isWaived: boolean },
  ): Promise<Exit | Refusal>;
}

/** Everything that the control API acts on; boot.ts puts it together. */
/** The books: what usage costs, what other services metered, and the ledger. */
export interface BooksOperations {
  /** `version`: undefined is the one that holds. */
  showPriceBook(version?: number): Promise<PriceBook | Refusal>;
  /** Holds within a second on every gateway. */
  applyPriceBook(input: DocumentChange): Promise<PriceBook | Refusal>;
  /** The newest first. */
  priceBookHistory(page: Page): Promise<List<Version>>;
  /** All or nothing; `request`: the call's id. */
  recordUsage(records: readonly unknown[], request: string): Promise<Recorded | Refusal>;
  metered(
    filter: {
      readonly organisation: string | undefined;
      readonly sku: string | undefined;
      readonly from: string | undefined;
      readonly until: string | undefined;
      /** Together: what stands on this line of an invoice. */
      readonly invoice: string | undefined;
      readonly line: string | undefined;
    },
    page: Page,
  ): Promise<List<Metered> | Refusal>;
  /** Days in UTC, both included. */
  toldUsage(
    filter: {
      readonly organisation: string | undefined;
      readonly from: string | undefined;
      readonly to: string | undefined;
    },
    page: Page,
  ): Promise<List<ToldUsage> | Refusal>;
  unrated(filter: { readonly isDropped: boolean }, page: Page): Promise<List<Unrated> | Refusal>;
  /** Of what waits. */
  dropUnrated(which: {
    readonly number: number;
    readonly reason: string;
    readonly by: string;
  }): Promise<Unrated | Refusal>;
  rateUnrated(
    which: { readonly number?: number | undefined; readonly quantity?: string | undefined },
    request: string,
  ): Promise<RatedLater | Refusal>;
  periods(): Promise<LedgerPeriods>;
  /** `mayBeEmpty`: also as the first one, before which and in which nothing is in the books. */
  close(period: string, mayBeEmpty: boolean, by: string): Promise<ClosedPeriod | Refusal>;
  accounts(): Promise<Accounts>;
  trialBalance(period: string | undefined): Promise<TrialBalance | Refusal>;
  transactions(filter: { readonly period: string | undefined }, page: Page): Promise<List<LedgerTransaction> | Refusal>;
  why(posting: string): Promise<Reasons | Refusal>;
  invoices(
    filter: { readonly organisation: string | undefined; readonly period: string | undefined },
    page: Page,
  ): Promise<List<Invoice> | Refusal>;
  showInvoice(invoice: string): Promise<WholeInvoice | Refusal>;
  /** What a draft would say if it became final now. */
  preview(invoice: string): Promise<PreviewedInvoice | Refusal>;
  /** `by`: an operator's name, as below. */
  finalize(invoice: string, by: string): Promise<IssuedDocument | Refusal>;
  finalizePeriod(period: string, by: string): Promise<FinalizedPeriod | Refusal>;
  documents(
    filter: {
      readonly invoice: string | undefined;
      readonly number: string | undefined;
      readonly period: string | undefined;
      /** Of usage of this period, and of purchases that were issued in it. */
      readonly billedIn: string | undefined;
      readonly kind: IssuedDocument["kind"] | undefined;
    },
    page: Page,
  ): Promise<List<IssuedDocument> | Refusal>;
  credit(
    input: {
      /** One that was there before is not credited again. */
      readonly id: string | undefined;
      readonly invoice: string;
      readonly reason: string;
      readonly account: string | undefined;
      readonly net: string | undefined;
      readonly lines: readonly { readonly line: string; readonly amount: string }[] | undefined;
    },
    by: string,
  ): Promise<IssuedDocument | Refusal>;
  makeVoid(input: { readonly invoice: string; readonly reason: string }, by: string): Promise<IssuedDocument | Refusal>;
  /** What is open, or a part of it. */
  pay(asked: AskedPayment, by: string): Promise<SettledInvoice | Refusal>;
  /** `payment`: the one that did not last; undefined: what is owed to the customer, or a part of it. */
  refund(
    asked: AskedPayment & { readonly payment?: string | undefined },
    by: string,
  ): Promise<SettledInvoice | Refusal>;
  /** null: nobody has said who it is. */
  showParty(organisation: string): Promise<{ readonly party: Party | null } | Refusal>;
  setParty(organisation: string, party: Party, by: string): Promise<{ readonly party: Party | null } | Refusal>;
  /** What is in the ledger and on no invoice: open periods' sums. */
  unbilled(): Promise<Unbilled | Refusal>;
}

/** A payment as it is asked for; one of the same id is not noted again. */
export interface AskedPayment {
  readonly invoice: string;
  readonly id?: string | undefined;
  readonly amount?: string | undefined;
  readonly date?: string | undefined;
}

/** Credits as they are asked for. */
export interface AskedCredits {
  readonly organisation: string;
  readonly id?: string | undefined;
  readonly currency?: string | undefined;
  readonly credits: string;
  readonly paid: string;
  readonly priority?: number | undefined;
  readonly expiresAt?: string | undefined;
  readonly rollover?: { readonly most: string; readonly until: string } | undefined;
  readonly breakagePercent?: string | undefined;
  readonly note?: string | undefined;
}

/** What organisations have paid in advance, or were given. */
export interface WalletOperations {
  /** A part of the organisations at once. */
  list(page: Page): Promise<List<Wallet>>;
  show(organisation: string): Promise<List<Wallet> | Refusal>;
  movements(
    wallet: { readonly organisation: string; readonly currency: string },
    page: Page,
  ): Promise<List<WalletMovementTold> | Refusal>;
  /** Holds within a second on every gateway. */
  grant(asked: AskedCredits, by: string): Promise<WalletGrant | Refusal>;
}

/** What operators were told of money. */
export interface AlertOperations {
  /** The newest first. */
  list(page: Page): Promise<List<AlertTold>>;
}

export interface Operations {
  readonly alerts: AlertOperations;
  readonly wallets: WalletOperations;
  readonly books: BooksOperations;
  readonly tenancy: TenancyOperations;
  readonly usage: UsageOperations;
  readonly reservations: ReservationOperations;
  readonly residency: ResidencyOperations;
  readonly hosts: HostOperations;
  readonly catalog: Catalog;
  readonly cloud: CloudOperations;
  readonly log: LogOperations;
  readonly reports: ReportOperations;
  readonly operators: OperatorOperations;
  readonly audit: AuditOperations;
  readonly contents: ContentOperations;
  readonly support: SupportOperations;
  readonly erasures: ErasureOperations;
  readonly exports: ExportOperations;
  readonly exits: ExitOperations;
}
