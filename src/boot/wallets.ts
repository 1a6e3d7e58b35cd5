import type { Clock, GatewayId } from "../base/index.ts";
import { type BooksContext, walletsNow } from "../books/index.ts";
import { isBefore } from "../journal/index.ts";
import type { KnownWallet, Wallets } from "../ledger/index.ts";
import { Following, type Store, type WalletStanding, walletStanding } from "../store/index.ts";
import type { Log } from "../telemetry/index.ts";
import type { Stops } from "./database.ts";
import { messageOf } from "./words.ts";

/** Grants hold within a second, also on other gateways. */
const pollEveryMs = 500;
/** An exact product has 18 decimals, the ledger 12. */
const exactPerUnit = 10n ** 6n;

/** What prepaid organisations can still use, kept up with the books. */
export interface FollowedWallets {
  readonly wallets: Wallets;
  /** Reads anew, after a change of our own. */
  refresh(): Promise<void>;
}

interface Parts {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Pick<Store, "db">;
  readonly ledger: BooksContext;
  readonly gateway: GatewayId;
}

/** Reads what there is in the books, then keeps up with them. Rejects where the first reading fails. */
export async function followWallets(wallets: Wallets, parts: Parts, stops: Stops): Promise<FollowedWallets> {
  const { clock, log, store, ledger, gateway } = parts;
  // Of a clock that is set back no grant ends to hold.
  let latestMs = -Infinity;
  const following = new Following({
    clock,
    everyMs: pollEveryMs,
    read: async () => {
      const standing = await walletStanding(store.db, { isOpen: true });
      latestMs = Math.max(latestMs, clock.nowMs());
      const watermark = standing.watermarks.get(gateway);
      wallets.follow(
        knownOf(standing, ledger, latestMs),
        (place) => watermark !== undefined && isBefore(place, watermark),
      );
    },
    onFailure: (error) => log.warn({ reason: messageOf(error) }, "wallets cannot be confirmed with the database"),
  });
  await following.start();
  stops.push(() => following.stop());
  return { wallets, refresh: () => following.refresh() };
}

function knownOf(standing: WalletStanding, { prices }: BooksContext, nowMs: number): readonly KnownWallet[] {
  const mine = walletsNow(standing, prices.book, nowMs).filter(({ currency }) => currency === prices.currency);
  const byOwner = new Map(mine.map((wallet) => [wallet.organisation, wallet]));
  return standing.prepaid.map((organisation) => {
    const { balance = 0n, available = 0n } = byOwner.get(organisation) ?? {};
    return { organisation, balance: balance * exactPerUnit, available: available * exactPerUnit };
  });
}
