import {
  type Ending,
  formatAmount,
  type GatewayId,
  type KeyId,
  type OrganisationId,
  parseAmount,
  type ProjectId,
  type ReceiptId,
  type Usage,
} from "../base/index.ts";
import type { Price, TokenBound } from "../ledger/index.ts";

/**
 * What the journal's intents and settlements say, as JSON (docs/reference/journal.md). An intent holds everything that
 * is needed to settle the request without the process that took it; a settlement everything that is shipped.
 */
export interface IntentBody {
  readonly v: 1;
  readonly receivedAtMs: number;
  readonly organisation: OrganisationId;
  readonly project: ProjectId;
  readonly key: KeyId;
  readonly endpoint: string;
  readonly model: string;
  readonly stream: boolean;
  readonly destination: { readonly kind: "host" | "upstream"; readonly name: string };
  readonly site: { readonly name: string; readonly jurisdiction: string | null };
  readonly engine: { readonly name: string; readonly build: string };
  readonly sha256: string | null;
  readonly policy: {
    readonly digest: string;
    readonly epoch: number;
    readonly dataClass: string;
    readonly processing: readonly string[];
    readonly rejected: readonly { readonly name: string; readonly reason: string }[];
  };
  readonly price: PriceBody | null;
  readonly bound: TokenBound;
  readonly request: { readonly digestKey: string; readonly digest: string; readonly bytes: number };
}

/** Decimal strings a million tokens. */
export interface PriceBody {
  readonly version: string;
  readonly currency: string;
  readonly input: string;
  readonly cachedInput: string;
  readonly output: string;
  readonly reasoning: string;
}

export interface SettlementBody {
  readonly v: 1;
  readonly gateway: GatewayId;
  readonly receipt: ReceiptId;
  readonly organisation: OrganisationId;
  readonly project: ProjectId;
  readonly key: KeyId;
  readonly endpoint: string;
  readonly model: string;
  readonly site: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly ending: Ending;
  /** null: it cannot be known. */
  readonly usage: Usage | null;
  /** Why there is no amount; null: there is one. */
  readonly unrated: string | null;
  /** The most tokens that it can have used; stands where the usage does not. */
  readonly upperBoundTokens: number | null;
  /** Decimal string, unrounded. */
  readonly listAmount: string | null;
  readonly currency: string | null;
  readonly priceVersion: string | null;
}

export function parseIntent(body: string): IntentBody {
  return JSON.parse(body) as IntentBody;
}

export function parseSettlement(body: string): SettlementBody {
  return JSON.parse(body) as SettlementBody;
}

// A price is written and read for every request and changes a few times a year: each is converted once.
const bodies = new WeakMap<Price, PriceBody>();
const prices = new WeakMap<PriceBody, Price>();

/** A price as an intent fixes it. */
export function priceBody(price: Price): PriceBody {
  const known = bodies.get(price);
  if (known !== undefined) return known;
  const body = {
    version: price.version,
    currency: price.currency,
    input: formatAmount(price.inputPerMillion),
    cachedInput: formatAmount(price.cachedInputPerMillion),
    output: formatAmount(price.outputPerMillion),
    reasoning: formatAmount(price.reasoningPerMillion),
  };
  bodies.set(price, body);
  prices.set(body, price);
  return body;
}

/** The price that an intent fixed, whatever the price book says by now. */
export function priceIn(body: PriceBody): Price {
  return (
    prices.get(body) ?? {
      version: body.version,
      currency: body.currency,
      inputPerMillion: parseAmount(body.input)!,
      cachedInputPerMillion: parseAmount(body.cachedInput)!,
      outputPerMillion: parseAmount(body.output)!,
      reasoningPerMillion: parseAmount(body.reasoning)!,
    }
  );
}
