/**
 * control: the API by which an operator runs the cloud (/control/v1), with its OpenAPI document and the metrics beside
 * it. Owns its routes, who may use each, the shapes on the wire. Does not own what they act on: that comes as
 * `Operations`. Invariants: a route declares its permission or cannot be registered; what a schema does not name is
 * refused on the way in and does not leave on the way out; every list is bounded; a secret leaves once.
 */
export type { Identities } from "./access.ts";
export { type Control, type ControlOptions, createControl } from "./control.ts";
export { describeModel, pullLines } from "./model-routes.ts";
export type {
  BooksOperations,
  CloudOperations,
  LimitChanges,
  List,
  LogOperations,
  Operations,
  Page,
  ProjectRules,
  HostOperations,
  ReservationInput,
  ReservationOperations,
  ResidencyOperations,
  TenancyOperations,
  UsageFilter,
  UsageOperations,
} from "./operations.ts";
export type {
  AuditEntry,
  CreatedOperator,
  Erasure,
  Exit,
  Grant,
  Operator,
  StoredContent,
  StoredListing,
} from "./rights-wire.ts";
export type {
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
export type { AlertTold, Wallet, WalletGrant, WalletMovementTold } from "./wallet-wire.ts";
export type { DevicePool, PooledHost, PooledModel, PoolStatus } from "./pool-wire.ts";
export type {
  Backup,
  CatalogueModel,
  ChangedKey,
  ChangedOrganisation,
  ChangedProject,
  CloudStatus,
  CreatedKey,
  CreatedHostToken,
  CreatedReservation,
  DestinationStatus,
  Explanation,
  Facts,
  Host,
  HostToken,
  Key,
  LogStatus,
  Model,
  ModelPrice,
  NetworkConnections,
  Organisation,
  Placements,
  Policies,
  Project,
  PullLine,
  RecordedRefusal,
  Reservation,
  ReservationUsageRow,
  ShownStatus,
  SigningKey,
  UsageRow,
  Version,
} from "./wire.ts";
