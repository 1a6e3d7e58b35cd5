import { refuse, type Refusal } from "../base/index.ts";
import type { BooksContext } from "../books/index.ts";
import { unboundedFor } from "../ledger/index.ts";
import type { Tenancy } from "../tenancy/index.ts";

type Changing = Pick<Tenancy, "createOrganisation" | "updateOrganisation">;

interface Parts {
  readonly tenancy: Changing & Pick<Tenancy, "showOrganisation">;
  readonly ledger: Pick<BooksContext, "prices" | "clock">;
}

/** Organisations are made prepaid only where what their requests cost is bounded by what these are listed at: by that their wallets are held. */
export function prepaidOrganisations({ tenancy, ledger: { prices, clock } }: Parts): Changing {
  const refused = (organisation: string): Refusal | undefined => {
    const reasons = unboundedFor(prices.book, organisation, clock.nowMs());
    if (reasons.length === 0) return undefined;
    const message = `The organisation cannot be prepaid: ${reasons[0]}${reasons.length === 1 ? "" : ` (and ${reasons.length - 1} more)`}.`;
    return refuse("prepaid_unbounded", message, { param: "prepaid", reasons: reasons.slice(0, 50) });
  };
  return {
    async createOrganisation(input) {
      // No contract is anybody's who is not there yet.
      const refusal = input.prepaid === true ? refused("") : undefined;
      return refusal ?? tenancy.createOrganisation(input);
    },
    async updateOrganisation(reference, changes) {
      if (changes.prepaid === true) {
        const organisation = await tenancy.showOrganisation(reference);
        if ("outcome" in organisation) return organisation;
        const refusal = refused(organisation.id);
        if (refusal !== undefined) return refusal;
      }
      return tenancy.updateOrganisation(reference, changes);
    },
  };
}
