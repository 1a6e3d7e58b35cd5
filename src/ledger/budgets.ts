import { type Amount, type Clock, type Exact, formatExact, refuse, type Refusal } from "../base/index.ts";

/** Something that money is spent under: a key, its project, its organisation. */
export interface BudgetScope {
  readonly id: string;
  /** What the refusal calls it: "key", "project" or "organisation". */
  readonly level: string;
  /** Undefined: no budget; what is spent is still counted, for the day that it gets one. */
  readonly monthlyBudget: Amount | undefined;
}

/** Money set aside for a running request. Exactly one of the two ends it. */
export interface Reservation {
  readonly outcome: "reserved";
  /** The request has ended and cost this much. */
  settle(amount: Exact): void;
  /** The request never ran. */
  release(): void;
}

/** What a limit has refused, in units of 10^-18. */
export interface RefusedLimit {
  readonly id: string;
  /** What the request could have cost, and what was left for it. */
  readonly bound: bigint;
  readonly left: bigint;
}

interface Account {
  spent: bigint;
  reserved: bigint;
}

/** An amount has 12 decimals, an exact product 18. */
const exactPerAmount = 10n ** 6n;

/**
 * Reserves before a request runs and settles after it, so that however many run at once a budget is never exceeded.
 * Budgets are per calendar month in UTC. One gateway's view: it is seeded with what was spent before it started.
 */
export class Budgets {
  readonly #clock: Clock;
  readonly #currency: string;
  readonly #accounts = new Map<string, Account>();
  readonly #refused = new Map<string, RefusedLimit & { readonly level: string }>();
  /** The first millisecond of the next month. */
  #monthEndsMs: number;

  /** `currency`: the price book's, in which every budget is (ISO 4217). */
  constructor(clock: Clock, currency: string) {
    this.#clock = clock;
    this.#currency = currency;
    this.#monthEndsMs = monthEndOf(clock.nowMs());
  }

  /** Adds what was spent this month before this process: from the database, and from what waits to get there. */
  seed(id: string, amount: Exact): void {
    this.#account(id).spent += amount;
  }

  /** Spent this month under an id, in units of 10^-18. */
  spent(id: string): Exact {
    this.#turnMonth();
    return (this.#accounts.get(id)?.spent ?? 0n) as Exact;
  }

  /** Sets `bound` aside under every scope, or refuses naming the first whose budget it would exceed. */
  reserve(scopes: readonly BudgetScope[], bound: Exact): Reservation | Refusal {
    this.#turnMonth();
    for (const { id, level, monthlyBudget } of scopes) {
      if (monthlyBudget === undefined) continue;
      const account = this.#account(id);
      const budget = monthlyBudget * exactPerAmount;
      const left = budget - account.spent - account.reserved;
      if (bound <= left) continue;
      if (!this.#refused.has(id)) this.#refused.set(id, { id, level, bound, left });
      return refuse("budget_exceeded", exceeded(level, budget, account, bound, this.#currency));
    }
    const accounts = scopes.map(({ id }) => this.#account(id));
    for (const account of accounts) account.reserved += bound;
    let open = true;
    const end = (amount: bigint): void => {
      if (!open) throw new Error("a reservation ends once");
      open = false;
      this.#turnMonth();
      for (const account of accounts) {
        account.reserved -= bound;
        account.spent += amount;
      }
    };
    return { outcome: "reserved", settle: end, release: () => end(0n) };
  }

  /** The first refusal of each budget since this was asked last. */
  takeRefused(): readonly (RefusedLimit & { readonly level: string })[] {
    const refused = [...this.#refused.values()];
    this.#refused.clear();
    return refused;
  }

  #account(id: string): Account {
    let account = this.#accounts.get(id);
    if (account === undefined) this.#accounts.set(id, (account = { spent: 0n, reserved: 0n }));
    return account;
  }

  /** A new month begins with nothing spent; what is reserved goes on, and counts in the month that it is settled in. */
  #turnMonth(): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs < this.#monthEndsMs) return;
    this.#monthEndsMs = monthEndOf(nowMs);
    for (const account of this.#accounts.values()) account.spent = 0n;
  }
}

function exceeded(
  level: string,
  budget: bigint,
  { spent, reserved }: Account,
  bound: bigint,
  currency: string,
): string {
  const money = (exact: bigint): string => `${formatExact(exact)} ${currency}`;
  return (
    `This request could cost up to ${money(bound)}. The ${level}'s monthly budget is ${money(budget)}: ` +
    `${money(spent)} is spent, ${money(reserved)} is reserved for requests that run. ` +
    "A lower `max_tokens` lowers what a request can cost."
  );
}

/** When the calendar month (UTC) that a moment lies in is over. */
function monthEndOf(timeMs: number): number {
  const moment = new Date(timeMs);
  return Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + 1);
}
