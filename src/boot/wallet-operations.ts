import { formatAmount, type OrganisationId, type Refusal } from "../base/index.ts";
import { grantCredits, organisationNames, walletHistory, type WalletNow, walletsNow } from "../books/index.ts";
import type { Operations } from "../gateway/index.ts";
import { behind, type GrantRow, walletOwners, walletStanding } from "../store/index.ts";
import type { OperationParts } from "./parts.ts";

type Wallets = Operations["wallets"];
type Wallet = Exclude<Awaited<ReturnType<Wallets["show"]>>, Refusal>["items"][number];

/** Wallets as the control API asks them. */
export function walletOperations(parts: OperationParts): Wallets {
  const { ledger, tenancy, store, wallets } = parts;
  const shown = async (reference: string) => {
    const found = await tenancy.showOrganisation(reference);
    return "outcome" in found ? found : { id: found.id as OrganisationId };
  };
  return {
    async list(page) {
      const owners = await walletOwners(store.db, { after: behind("org", page), limit: page.limit + 1 });
      const some = owners.slice(0, page.limit);
      return { items: await walletsOf(parts, some), next: owners.length > page.limit ? some.at(-1)! : null };
    },
    async show(organisation) {
      const found = await shown(organisation);
      return "outcome" in found ? found : { items: await walletsOf(parts, [found.id]), next: null };
    },
    async movements({ organisation, currency }, page) {
      const found = await shown(organisation);
      if ("outcome" in found) return found;
      const list = await walletHistory(ledger, { organisation: found.id, currency }, page);
      if ("outcome" in list) return list;
      return { ...list, items: list.items.map(({ at, ...row }) => ({ ...row, at: at.toISOString() })) };
    },
    async grant(asked, by) {
      const made = await grantCredits(ledger, asked, by);
      if ("outcome" in made) return made;
      // It stands whatever comes of this: the next reading has it.
      await wallets.refresh().catch(() => undefined);
      return grantTold(made);
    },
  };
}

async function walletsOf(
  { store, ledger, clock }: OperationParts,
  organisations: readonly OrganisationId[],
): Promise<Wallet[]> {
  if (organisations.length === 0) return [];
  const standing = await walletStanding(store.db, { organisations });
  const names = await organisationNames(store.db, organisations);
  const prepaid = new Set(standing.prepaid);
  return walletsNow(standing, ledger.prices.book, clock.nowMs()).map((wallet) => ({
    ...amountsOf(wallet),
    organisation: { id: wallet.organisation, name: names.get(wallet.organisation) ?? wallet.organisation },
    currency: wallet.currency,
    prepaid: prepaid.has(wallet.organisation),
    grants: wallet.grants.map(grantTold),
  }));
}

function amountsOf({ balance, unbilled, available, liability }: WalletNow) {
  return {
    balance: formatAmount(balance),
    unbilled: formatAmount(unbilled),
    available: formatAmount(available),
    liability: formatAmount(liability),
  };
}

function grantTold(row: GrantRow) {
  const { id, organisation, currency, priority, breakagePercent, createdBy, rollover, invoice } = row;
  return {
    id,
    organisation,
    currency,
    priority,
    breakagePercent,
    createdBy,
    invoice,
    credits: formatAmount(row.credits),
    paid: formatAmount(row.paid),
    drawn: formatAmount(row.drawn),
    lapsed: formatAmount(row.lapsed),
    returned: formatAmount(row.returned),
    from: new Date(row.fromMs).toISOString(),
    until: row.expiresMs === undefined ? null : new Date(row.expiresMs).toISOString(),
    rollover:
      rollover === undefined
        ? null
        : { most: formatAmount(rollover.most), until: new Date(rollover.untilMs).toISOString() },
    note: row.note ?? null,
    createdAt: new Date(row.createdAtMs).toISOString(),
  };
}
