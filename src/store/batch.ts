import type {
  Ending,
  GatewayId,
  KeyId,
  Objective,
  OrganisationId,
  ProjectId,
  ReceiptId,
  RequestId,
  Tier,
  Usage,
} from "../base/index.ts";

/** A place in a gateway's journal. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

/** A stretch of one gateway's journal: all that it holds from one position to another. */
export interface Batch {
  readonly gateway: GatewayId;
  /** Where the shipper believes the watermark to be; undefined: nothing was ever shipped. */
  readonly from: Position | undefined;
  readonly to: Position;
  /**
   * Whether its commit must outlive a crash of PostgreSQL, and all commits before it with it. One that need not spares
   * the disk a sync.
   */
  readonly isDurable: boolean;
  readonly settlements: readonly Settlement[];
  readonly receiptBatches: readonly ReceiptBatch[];
  readonly refusals: readonly RefusalRow[];
}

export interface Settlement {
  readonly request: RequestId;
  readonly position: Position;
  /** JSON text that says the `SettlementFacts`, as it stands in the journal. */
  readonly body: string;
  /** Absent where it was written down without one. */
  readonly receipt?: {
    /** Where its batch begins. */
    readonly batch: Position;
    /** Its place among the batch's leaves. */
    readonly leaf: number;
    /** The signed statement's exact text. */
    readonly payload: string;
  };
}

/** The members of a settlement's body that the tables take, by their names there; a body may say more. */
export interface SettlementFacts {
  readonly receipt: ReceiptId;
  readonly organisation: OrganisationId;
  readonly project: ProjectId;
  readonly key: KeyId;
  readonly model: string;
  /** e.g. "chat.completions". */
  readonly endpoint: string;
  readonly site: string;
  readonly ending: Ending;
  /** Whole milliseconds since 1970 UTC, both. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** null where nothing proves it; then `unrated` says why. */
  readonly usage: Usage | null;
  /** Why there is no amount: the usage or the price is not known. */
  readonly unrated: string | null;
  /** Tokens that an unknown usage cannot have exceeded. */
  readonly upperBoundTokens: number | null;
  /** Exact decimal string: the most that it can have cost, where there is a price and no amount. */
  readonly amountBound: string | null;
  /** Exact decimal string, not rounded. */
  readonly listAmount: string | null;
  /** Also for an unrated row where the intent fixed it: rows of one currency are added up together. */
  readonly currency: string | null;
  readonly priceVersion: string | null;
  /** What it was held to, and what that promised then; null: nobody noted it. */
  readonly tier: Tier | null;
  readonly objective: Objective | null;
  /** The digest of the decision by which it ran, and where. */
  readonly decision: string;
  readonly destination: string;
  /** What was asked of policy; null where a settlement before it said so, or where it is too long to be kept. */
  readonly placement: object | null;
}

/** What the receipts of one group commit have in common. */
export interface ReceiptBatch {
  /** Where it begins. */
  readonly start: Position;
  /** Of its leaves in their order, 32 bytes each. */
  readonly hashes: Buffer;
  /** The batch's signature, as text. */
  readonly seal: string;
}

export interface RefusalRow {
  readonly position: Position;
  readonly atMs: number;
  readonly project?: string;
  readonly key?: string;
  readonly code: string;
  readonly body: string;
}
