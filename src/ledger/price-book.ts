import { type Amount, parseAmount } from "../base/index.ts";

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
}

const anyModel = "*";

/** Throws where an amount is no decimal string or two versions begin at once: the settings' schema lets neither pass. */
export function createPriceBook(versions: readonly PriceVersion[]): PriceBook {
  const book = versions
    .map((version) => ({ fromMs: Date.parse(version.effectiveFrom), prices: pricesOf(version) }))
    .toSorted((a, b) => b.fromMs - a.fromMs);
  if (new Set(book.map(({ fromMs }) => fromMs)).size !== book.length)
    throw new Error("two price versions begin at once");
  return {
    currency: versions[0]?.currency ?? "EUR",
    at(timeMs, model) {
      const held = book.find(({ fromMs }) => fromMs <= timeMs);
      return held?.prices.get(model) ?? held?.prices.get(anyModel);
    },
  };
}

function pricesOf({ version, currency, models }: PriceVersion): ReadonlyMap<string, Price> {
  return new Map(
    Object.entries(models).map(([model, price]) => [
      model,
      {
        version,
        currency,
        inputPerMillion: amount(price.inputPerMillion),
        cachedInputPerMillion: amount(price.cachedInputPerMillion ?? price.inputPerMillion),
        outputPerMillion: amount(price.outputPerMillion),
        reasoningPerMillion: amount(price.reasoningPerMillion ?? price.outputPerMillion),
      },
    ]),
  );
}

function amount(text: string): Amount {
  const parsed = parseAmount(text);
  if (parsed === undefined || parsed < 0n) throw new Error(`a price is a decimal string from 0, not ${text}`);
  return parsed;
}
