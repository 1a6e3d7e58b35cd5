import type { Amount } from "../base/index.ts";

/** A version of the price book as the settings state it; amounts are decimal strings a million tokens. */
export interface PriceVersion {
  readonly version: string;
  /** ISO 8601: a date (midnight UTC) or an instant in UTC. */
  readonly effectiveFrom: string;
  readonly currency: string;
  readonly models: Readonly<
    Record<
      string,
      {
        readonly inputPerMillion: string;
        readonly cachedInputPerMillion?: string | undefined;
        readonly outputPerMillion: string;
        readonly reasoningPerMillion?: string | undefined;
      }
    >
  >;
}

/** What a model's tokens cost at a moment. */
export interface Price {
  readonly version: string;
  readonly currency: string;
  readonly inputPerMillion: Amount;
  readonly cachedInputPerMillion: Amount;
  readonly outputPerMillion: Amount;
  readonly reasoningPerMillion: Amount;
}

export interface PriceBook {
  /** ISO 4217. */
  readonly currency: string;
  /** The price in force at `timeMs`; undefined where no version holds yet, or none names the model or "*". */
  at(timeMs: number, model: string): Price | undefined;
  /**
   * The first SKU of what a request can use that its customer's bill has no price for, whatever it is listed at; undefined: each has one.
   */
  unpriced(timeMs: number, used: UsedTokens): string | undefined;
}

/** Whose tokens of which model, of answers or of embeddings. */
export interface UsedTokens {
  readonly customer: string;
  readonly model: string;
  readonly isEmbedding: boolean;
}
