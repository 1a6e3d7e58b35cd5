import { type Clock, refuse } from "../../base/index.ts";
import { paged } from "./fake-pages.ts";
import { instantOf } from "./fields.ts";
import type { WalletOperations } from "./operations.ts";
import type { Wallet, WalletGrant } from "./wallet-wire.ts";

/** Wallets in memory from which nothing is drawn: for tests of what asks for them. */
export function createFakeWallets(clock: Clock): WalletOperations {
  const grants: WalletGrant[] = [];
  const walletOf = (organisation: string): Wallet => {
    const mine = grants.filter((grant) => grant.organisation === organisation);
    const sum = String(mine.reduce((all, { credits }) => all + Number(credits), 0));
    return {
      organisation: { id: organisation, name: organisation },
      currency: "EUR",
      prepaid: false,
      balance: sum,
      unbilled: "0",
      available: sum,
      liability: "0",
      grants: mine,
    };
  };
  const all = (): Wallet[] => [...new Set(grants.map(({ organisation }) => organisation))].map(walletOf);
  return {
    list: (page) => Promise.resolve(paged(all(), page)),
    show: (organisation) => Promise.resolve({ items: [walletOf(organisation)], next: null }),
    movements: (_, page) => Promise.resolve(paged([], page)),
    grant: ({ organisation, id = `wgr_${grants.length + 1}`, credits, paid, note, ...more }, createdBy) => {
      if (Number(credits) <= 0) {
        return Promise.resolve(refuse("invalid_request", "A grant has more than 0 credits.", { param: "credits" }));
      }
      const at = instantOf(clock.nowMs());
      const made: WalletGrant = {
        id,
        organisation,
        currency: more.currency ?? "EUR",
        credits,
        paid,
        drawn: "0",
        lapsed: "0",
        returned: "0",
        invoice: null,
        priority: more.priority ?? 0,
        from: at,
        until: more.expiresAt ?? null,
        rollover: more.rollover ?? null,
        breakagePercent: more.breakagePercent ?? "0",
        note: note ?? null,
        createdAt: at,
        createdBy,
      };
      grants.push(made);
      return Promise.resolve(made);
    },
  };
}
