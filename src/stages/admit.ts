import { type Exact, refuse, type Refusal, type Tier, zero } from "../base/index.ts";
import { tierOf } from "../gateway/index.ts";
import { bound, type Price, type Reservation, type TokenBound, type WalletReservation } from "../ledger/index.ts";
import type { DataClass, Narrowing } from "../policy/index.ts";
import type { Holder } from "../tenancy/index.ts";
import type { Call, Cloud } from "./cloud.ts";
import { asked } from "./question.ts";

/** A request that may run, with what it can cost at most set aside. */
export interface Admitted {
  readonly outcome: "admitted";
  readonly call: Call;
  readonly holder: Holder;
  readonly tier: Tier;
  /** What its headers ask of where it may run. */
  readonly narrowing: Narrowing | undefined;
  readonly tokenBound: TokenBound;
  /** What the destination is told to keep to, where the client set no limit. */
  readonly maxTokens: number | undefined;
  /** The price that the intent fixes; undefined: the model has none, and the request will be unrated. */
  readonly price: Price | undefined;
  /** The most that it can cost. */
  readonly amountBound: Exact;
  readonly reservation: Reservation;
  readonly walletReservation: WalletReservation;
  readonly rate: RateTaken;
}

/** What the rate limits gave, until the request's true tokens are known. */
export interface RateTaken {
  readonly outcome: "taken";
  /** Header names and values in turn. */
  readonly headers: readonly string[];
  /** Corrects the tokens taken in advance by those that were used. */
  settle(usedTokens: number): void;
}

/** Tokens that a chat template can add to a prompt, beside one for every byte of the body at most. */
const templateTokens = 512;
/** What an answer without a limit of its own is taken for where not even the model's context is known. */
const unlimitedAnswerTokens = 8_192;

/** Who asks is known; may they, now, for this model, at this rate, within their budgets and their wallet. */
export function admit(call: Call, cloud: Cloud): Admitted | Refusal {
  if (cloud.draining()) return refuse("draining", "The server is stopping.", { retryAfterSeconds: 5 });
  if (cloud.books.behind)
    return refuse("books_behind", "Too much usage waits for the database.", { retryAfterSeconds: 5 });
  if (cloud.meters.inFlight >= cloud.limits.requestsInFlight) {
    return refuse("overloaded", "Too many requests are running.", { retryAfterSeconds: 1 });
  }
  const { holder } = call;
  const { model } = call.body.fields;
  const outOfScope = holder.limits.find(({ models }) => models !== undefined && !models.includes(model));
  if (outOfScope !== undefined) {
    return refuse("model_not_permitted", `The ${outOfScope.level} may not use "${model.slice(0, 200)}".`, {
      param: "model",
    });
  }
  const narrowed = asked(call, cloud);
  if (narrowed.outcome === "refused") return narrowed;
  const stale = staleFor(narrowed.dataClasses, cloud);
  if (stale !== undefined) return stale;
  const contextTokens = contextOf(call, cloud);
  const tokenBound = boundOf(call, contextTokens, cloud);
  const price = cloud.prices.at(call.receivedAtMs, model);
  const budgeted = holder.limits.find(({ monthlyBudget }) => monthlyBudget !== undefined);
  if (price === undefined && budgeted !== undefined) {
    return refuse("budget_exceeded", `"${model.slice(0, 200)}" has no price, and the ${budgeted.level} has a budget.`);
  }
  if (cloud.wallets.isPrepaid(holder.organisation.id)) {
    const unpriced = price === undefined ? model : unpricedFor(call, cloud);
    if (unpriced !== undefined) {
      return refuse("wallet_exhausted", `"${unpriced.slice(0, 200)}" has no price, and the organisation is prepaid.`);
    }
  }
  const rate = cloud.rateLimits.take(holder, tokenBound.inputTokens + tokenBound.outputTokens);
  if (rate.outcome === "refused") return rate;
  const amountBound = price === undefined ? (zero as bigint as Exact) : bound(tokenBound, price);
  const reserved = reserve(holder, amountBound, cloud);
  if (reserved.outcome === "refused") {
    rate.settle(0);
    return reserved;
  }
  const maxTokens = limitFor(call, contextTokens, cloud);
  const tier = tierOf(call.body.fields.serviceTier, holder.project.tier);
  const { narrowing } = narrowed;
  return {
    outcome: "admitted",
    call,
    holder,
    tier,
    narrowing,
    tokenBound,
    maxTokens,
    price,
    amountBound,
    reservation: reserved.reservation,
    walletReservation: reserved.walletReservation,
    rate,
  };
}

/** What the list's price of something else stands in for is on no bill: a wallet would not pay for it, and be overdrawn once somebody rates it. */
function unpricedFor({ holder, body, endpoint, receivedAtMs }: Call, { prices }: Cloud): string | undefined {
  const customer = holder.organisation.id;
  return prices.unpriced(receivedAtMs, {
    customer,
    model: body.fields.model,
    isEmbedding: endpoint.action === "embed",
  });
}

/** Sets a request's bound aside under every budget and in the wallet, or nowhere. */
function reserve({ limits, organisation }: Holder, amountBound: Exact, { budgets, wallets }: Cloud) {
  const reservation = budgets.reserve(limits, amountBound);
  if (reservation.outcome === "refused") return reservation;
  const walletReservation = wallets.reserve(organisation.id, amountBound, organisation.name);
  if (walletReservation.outcome === "refused") {
    reservation.release();
    return walletReservation;
  }
  return { outcome: "reserved", reservation, walletReservation } as const;
}

/** Keys and policy have to be confirmed and the log to be writable, or else each class served without. */
function staleFor(dataClasses: readonly DataClass[], { directory, inForce, transparency }: Cloud): Refusal | undefined {
  for (const dataClass of dataClasses) {
    const stale = directory.mayServe(dataClass) ?? inForce.mayServe(dataClass) ?? transparency.mayServe(dataClass);
    if (stale !== undefined) return stale;
  }
  return undefined;
}

/**
 * The operator's own limit; and where not even the model's context is known and somebody's money or tokens are limited,
 * what the request was taken for: a bound that nobody keeps to is none.
 */
function limitFor({ endpoint, holder }: Call, contextTokens: number | undefined, cloud: Cloud): number | undefined {
  if (cloud.limits.defaultMaxTokens !== undefined || contextTokens !== undefined) return cloud.limits.defaultMaxTokens;
  const isLimited =
    cloud.wallets.isPrepaid(holder.organisation.id) ||
    holder.limits.some(
      ({ monthlyBudget, tokensPerMinute }) => monthlyBudget !== undefined || tokensPerMinute !== undefined,
    );
  return isLimited && endpoint.maxTokensFields.length > 0 ? unlimitedAnswerTokens : undefined;
}

/** What the model's context holds, where the place that is asked first knows it. */
function contextOf({ body }: Call, { destinations }: Cloud): number | undefined {
  const [first] = destinations.offering(body.fields.model);
  return first?.offer(body.fields.model)?.contextTokens;
}

/** At most a token for every byte of the body and what a template adds; as many out as asked for, for every answer. */
function boundOf(call: Call, contextTokens: number | undefined, cloud: Cloud): TokenBound {
  const { fields, bytes } = call.body;
  const inputTokens = bytes.length + templateTokens;
  if (call.endpoint.maxTokensFields.length === 0) return { inputTokens, outputTokens: 0 };
  const context = contextTokens ?? unlimitedAnswerTokens;
  const asked = fields.maxTokens ?? cloud.limits.defaultMaxTokens ?? context;
  return { inputTokens, outputTokens: Math.min(asked, context) * fields.answers };
}
