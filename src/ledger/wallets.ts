import type { RefusedLimit } from "./budgets.ts";
import { type Exact, formatExact, refuse, type Refusal } from "../base/index.ts";

/** Where a settlement is in the journal. */
export interface Place {
  readonly segment: number;
  readonly offset: number;
}

/** A prepaid organisation's wallet as the books have it; all in units of 10^-18. */
export interface KnownWallet {
  readonly organisation: string;
  readonly balance: bigint;
  /** What more can be used, as far as the books know what was. */
  readonly available: bigint;
}

/** Credits set aside for a running request. Exactly one of the two ends it. */
export interface WalletReservation {
  readonly outcome: "reserved";
  /** The request has ended and cost this much; until the books have it, it is known by where it is in the journal. */
  settle(amount: Exact, place: Place): void;
  /** The request never ran. */
  release(): void;
}

interface Account {
  isPrepaid: boolean;
  balance: bigint;
  available: bigint;
  reserved: bigint;
  /** What has ended and is not in the books yet. */
  waiting: { readonly amount: bigint; readonly place: Place }[];
  waitingSum: bigint;
}

/**
 * What prepaid organisations can still use: what the books say is available, less what has ended since and less the bounds of what
 * runs. So however many requests run at once, no more is used than was bought. One gateway's view, which the books mend.
 */
export class Wallets {
  readonly #currency: () => string;
  readonly #accounts = new Map<string, Account>();
  readonly #refused = new Map<string, RefusedLimit>();

  /** `currency`: what requests are priced in, and so the wallets that they are paid from (ISO 4217). */
  constructor(currency: () => string) {
    this.#currency = currency;
  }

  /** What the books say now: all prepaid organisations, and of which settlements they know. */
  follow(known: readonly KnownWallet[], isKnown: (place: Place) => boolean): void {
    const wallets = new Map(known.map((wallet) => [wallet.organisation, wallet]));
    for (const id of wallets.keys()) this.#account(id);
    for (const [id, account] of this.#accounts) {
      const wallet = wallets.get(id);
      account.isPrepaid = wallet !== undefined;
      account.balance = wallet?.balance ?? 0n;
      account.available = wallet?.available ?? 0n;
      account.waiting = account.waiting.filter(({ place }) => !isKnown(place));
      account.waitingSum = account.waiting.reduce((sum, { amount }) => sum + amount, 0n);
    }
  }

  /** Adds what has ended before this process, and may not be in the books. */
  seed(organisation: string, amount: Exact, place: Place): void {
    this.#wait(this.#account(organisation), amount, place);
  }

  isPrepaid(organisation: string): boolean {
    return this.#accounts.get(organisation)?.isPrepaid ?? false;
  }

  /** Sets `bound` aside, or refuses where a prepaid organisation's wallet does not have so much; `name`: what the refusal calls it. */
  reserve(organisation: string, bound: Exact, name = organisation): WalletReservation | Refusal {
    const account = this.#account(organisation);
    const left = account.available - account.waitingSum - account.reserved;
    if (account.isPrepaid && bound > left) {
      if (!this.#refused.has(organisation)) this.#refused.set(organisation, { id: organisation, bound, left });
      return refuse("wallet_exhausted", exhausted(name, account, bound, this.#currency()));
    }
    return this.hold(organisation, bound);
  }

  /** The first refusal of each wallet since this was asked last. */
  takeRefused(): readonly RefusedLimit[] {
    const refused = [...this.#refused.values()];
    this.#refused.clear();
    return refused;
  }

  /** Sets it aside whatever there is: it runs already. */
  hold(organisation: string, bound: Exact): WalletReservation {
    const account = this.#account(organisation);
    account.reserved += bound;
    let open = true;
    const end = (): void => {
      if (!open) throw new Error("a reservation ends once");
      open = false;
      account.reserved -= bound;
    };
    return {
      outcome: "reserved",
      settle: (amount, place) => {
        end();
        this.#wait(account, amount, place);
      },
      release: end,
    };
  }

  #wait(account: Account, amount: bigint, place: Place): void {
    if (amount === 0n) return;
    account.waiting.push({ amount, place });
    account.waitingSum += amount;
  }

  #account(id: string): Account {
    let account = this.#accounts.get(id);
    if (account === undefined) {
      account = { isPrepaid: false, balance: 0n, available: 0n, reserved: 0n, waiting: [], waitingSum: 0n };
      this.#accounts.set(id, account);
    }
    return account;
  }
}

function exhausted(name: string, account: Account, bound: bigint, currency: string): string {
  const money = (exact: bigint): string => `${formatExact(exact)} ${currency}`;
  const { balance, available, reserved, waitingSum } = account;
  return (
    `This request could cost up to ${money(bound)}. The ${currency} wallet of ${name} has a balance of ${money(balance)}: ` +
    `${money(balance - available + waitingSum)} is used and not billed yet, ${money(reserved)} is reserved for requests that run. ` +
    "A lower `max_tokens` lowers what a request can cost."
  );
}
