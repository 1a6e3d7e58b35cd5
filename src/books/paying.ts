import type { Transaction } from "kysely";
import type { InvoiceId, OrganisationId } from "../base/index.ts";
import {
  balanceAt,
  type Bill,
  draw,
  drawing,
  earned,
  expire,
  type Grant,
  lapsing,
  ledgerAmount,
  ledgerUnits,
  type Movement,
  type Period,
} from "../ledger/index.ts";
import { type Database, type Entry, findGrants, type WalletKey, type WalletMovement } from "../store/index.ts";
import { postingsFor } from "./accruing.ts";
import { exactly, grantAsOf } from "./grants.ts";

interface Paying {
  readonly key: WalletKey;
  grants: readonly Grant[];
}

/** What credits paid of a bill, and what they had cost. */
export interface PaidByCredits {
  readonly drawn: bigint;
  readonly drawnCost: bigint;
}

const nothing: PaidByCredits = { drawn: 0n, drawnCost: 0n };

/** Wallets while a period closes: first they pay its bills, then what ends with it lapses or rolls over. */
export class PayingWallets {
  readonly #period: Period;
  readonly #wallets: ReadonlyMap<string, Paying>;
  readonly movements: WalletMovement[] = [];
  readonly entries: Entry[] = [];

  private constructor(period: Period, wallets: ReadonlyMap<string, Paying>) {
    this.#period = period;
    this.#wallets = wallets;
  }

  /** Those that have something left, as they stand behind what is closed. */
  static async of(
    transaction: Transaction<Database>,
    period: Period,
    closedUntilMs: number | undefined,
  ): Promise<PayingWallets> {
    const rows = await findGrants(transaction, { isOpen: true });
    const groups = Map.groupBy(rows, nameOf);
    return new PayingWallets(
      period,
      new Map(
        [...groups].map(([name, some]) => {
          const { organisation, currency } = some[0]!;
          return [name, { key: { organisation, currency }, grants: some.map((row) => grantAsOf(row, closedUntilMs)) }];
        }),
      ),
    );
  }

  /**
   * Pays a bill before tax, as far as its customer's credits go in amounts that can be paid, and returns how much that is and what
   * those credits had cost, in units of 10^-12. A bill that comes to less than nothing takes none.
   */
  pay(bill: Bill, invoice: InvoiceId, isInternal: boolean): PaidByCredits {
    const key = { organisation: bill.customer as OrganisationId, currency: bill.currency };
    const wallet = this.#wallets.get(nameOf(key));
    if (wallet === undefined || bill.net <= 0n) return nothing;
    const atMs = this.#period.endMs - 1;
    const minor = ledgerUnits(1n, bill.currency);
    const balance = ledgerAmount(balanceAt(wallet.grants, atMs)) / minor;
    const asked = (balance < bill.net ? balance : bill.net) * minor;
    const { drawn, grants } = draw(wallet.grants, exactly(asked), atMs);
    const sum = this.#move(key, "draw", drawn, invoice);
    if (sum === 0n) return nothing;
    const movements = drawing(bill, sum, { before: wallet.grants, after: grants, isInternal });
    this.#post("draw", key, movements, invoice);
    const cost = earned(wallet.grants, grants).ofUse;
    wallet.grants = grants;
    return { drawn: sum, drawnCost: cost };
  }

  /** Ends what expires with the period. `internal`: the parts of one's own group. */
  end(internal: ReadonlySet<string>): void {
    for (const { key, grants } of this.#wallets.values()) {
      const { lapsed, grants: after } = expire(grants, this.#period.endMs);
      const reference = `end of ${this.#period.name}`;
      this.#move(key, "lapse", lapsed, reference);
      const isInternal = internal.has(key.organisation);
      this.#post("lapse", key, lapsing(grants, after, { currency: key.currency, isInternal }), reference);
    }
  }

  #move(
    key: WalletKey,
    kind: WalletMovement["kind"],
    parts: readonly { readonly grant: string; readonly credits: Parameters<typeof ledgerAmount>[0] }[],
    reference: string,
  ): bigint {
    const atMs = this.#period.endMs - 1;
    let sum = 0n;
    for (const { grant, credits } of parts) {
      const units = ledgerAmount(credits);
      sum += units;
      this.movements.push({ ...key, grant, kind, credits: units, atMs, reference });
    }
    return sum;
  }

  #post(kind: string, { organisation }: WalletKey, movements: readonly Movement[], reference: string): void {
    if (movements.length === 0) return;
    const { name, endMs } = this.#period;
    this.entries.push({
      kind,
      period: name,
      atMs: endMs - 1,
      reference,
      postings: postingsFor(organisation, movements),
    });
  }
}

function nameOf({ organisation, currency }: WalletKey): string {
  return `${organisation}\n${currency}`;
}
