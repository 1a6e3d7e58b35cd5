import { moneyText } from "../../ledger/index.ts";
import { dayAfter } from "./days.ts";
import type { Invoice, Totals } from "./invoice.ts";
import { amountsOf, type Draft, netOf, numbered, partyOf, wordsOf } from "./issue.ts";
import type { Buyer, Issuer } from "./parties.ts";
import type { Party } from "./party.ts";
import { categoryOf, missingOf } from "./taxation.ts";

/**
 * What a draft would say if it became final on a day, as far as that is known. It has no number and is no invoice, which its
 * type says too: no format for machines takes it.
 */
export interface Preview extends Omit<Invoice, "kind" | "number" | "seller" | "buyer" | "tax" | "totals"> {
  readonly kind: "draft";
  readonly number: null;
  /** null: nobody has said who sells. */
  readonly seller: Party | null;
  /** null: nobody has said who buys. */
  readonly buyer: Party | null;
  /** What the customer is called here. */
  readonly customerName: string;
  readonly net: string;
  /** null: nobody knows a rate of tax, and so not what is to be paid. */
  readonly tax: Invoice["tax"] | null;
  readonly totals: Totals | null;
  /** What keeps it from becoming final, in sentences; empty: nothing does. */
  readonly missing: readonly string[];
}

/** What a draft does not say. */
export interface Previewing {
  readonly issueDate: string;
  readonly timeZone: string;
  readonly issuer: Issuer;
  readonly buyer: Buyer | undefined;
  readonly customerName: string;
  /** Which side nobody has named. */
  readonly missing: readonly string[];
}

/** The same draft and the same `previewing` make the same preview. */
export function previewOf(draft: Draft, previewing: Previewing): Preview {
  const { customer, currency, period, standing } = draft;
  const { issueDate, timeZone, issuer, buyer, customerName } = previewing;
  const seller = issuer.seller ?? null;
  const lines = numbered(draft.lines);
  const taxation = categoryOf(standing, issuer.exemption);
  const isTaxed = !("outcome" in taxation);
  const asked = isTaxed && seller !== null && buyer !== undefined ? missingOf(taxation, { seller, buyer }) : undefined;
  const net = netOf(lines, currency);
  const known = isTaxed ? amountsOf(lines, taxation, { currency, prepaid: 0n, tax: draft.tax }) : undefined;
  return {
    kind: "draft",
    number: null,
    currency,
    issueDate,
    dueDate: dayAfter(issueDate, issuer.dueDays),
    timeZone,
    period,
    customer,
    customerName,
    seller,
    buyer: buyer === undefined ? null : partyOf(buyer),
    ...wordsOf(issuer, buyer),
    preceding: null,
    lines,
    net: moneyText(net, currency),
    tax: known?.tax ?? null,
    totals: known?.totals ?? null,
    missing: [
      ...previewing.missing,
      ...(isTaxed ? [] : [taxation.message]),
      ...(asked === undefined ? [] : [asked]),
      ...(net < 0n ? ["It comes to less than 0."] : []),
    ],
  };
}
