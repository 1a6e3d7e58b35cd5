import { z } from "zod";
import { documentProblems, type MemberProblem } from "../../base/index.ts";
import { buyer, type Party, party, partyText, payment } from "./party.ts";

const prefix = z.string().regex(/^[A-Z][A-Z0-9-]{0,9}$/, 'must be 1 to 10 capitals, digits and hyphens, such as "INV"');

const numbers = z.strictObject({
  invoice: prefix.default("INV").describe("What invoices' numbers begin with."),
  creditNote: prefix.default("CN").describe("What credit notes' numbers begin with."),
});

/** Why there is no tax where the price book has no rate: exempt (E), or outside the scope of the tax (O). */
const exemption = z.strictObject({
  category: z.enum(["E", "O"]).describe("E: exempt; O: outside the scope of the tax."),
  reason: partyText.describe("As the law wants it on the invoice."),
});

/** Who sells, and how its invoices are numbered and paid. */
export const issuerShape = {
  seller: party.describe("Who issues invoices; left out: none becomes final."),
  payment: payment.optional().describe("Where invoices are paid to, by credit transfer."),
  terms: partyText.optional().describe("Terms of payment, in words."),
  dueDays: z
    .int()
    .min(0, "must be from 0")
    .max(3_650, "must be 3650 at most")
    .default(30)
    .describe("Days from an invoice's issue until it is due."),
  note: partyText.optional().describe("What else stands on every invoice."),
  numbers: numbers.prefault({}).describe("How numbers begin; a year and six digits follow."),
  exemption: exemption.optional().describe("Why there is no tax where the price book has no rate."),
};

/** Who sells, who buys, and how invoices between them are numbered and paid, as a file has it. */
const partiesDocument = z.strictObject({ ...issuerShape, buyers: z.array(buyer).max(1_000_000) });

export type Parties = z.output<typeof partiesDocument>;
/** The same without who buys; without a seller nothing is issued. */
export type Issuer = Omit<Parties, "buyers" | "seller"> & { readonly seller?: Party | undefined };
export type Buyer = Parties["buyers"][number];
export type Exemption = NonNullable<Parties["exemption"]>;

export type ReadParties =
  | { readonly outcome: "read"; readonly parties: Parties }
  /** At least one problem, at most 50. */
  | { readonly outcome: "invalid"; readonly problems: readonly MemberProblem[] };

const knownKeys = [partiesDocument, party, buyer, payment, numbers, exemption].flatMap(({ shape }) =>
  Object.keys(shape),
);

/** What a document of parties (YAML or JSON) means; all that is wrong with it is told at once. */
export function readParties(value: unknown): ReadParties {
  const parsed = partiesDocument.safeParse(value);
  if (!parsed.success) {
    return { outcome: "invalid", problems: documentProblems(parsed.error.issues, "parties", knownKeys) };
  }
  const seen = new Set<string>();
  for (const [index, { customer }] of parsed.data.buyers.entries()) {
    if (seen.has(customer)) {
      const message = `"${customer}" is there a second time`;
      return { outcome: "invalid", problems: [{ path: `buyers[${index}].customer`, message }] };
    }
    seen.add(customer);
  }
  return { outcome: "read", parties: parsed.data };
}

export type ReadBuyer =
  | { readonly outcome: "read"; readonly buyer: Buyer }
  | { readonly outcome: "invalid"; readonly problems: readonly MemberProblem[] };

/** What one buyer's document means; which customer it is of is known already. */
export function readBuyer(customer: string, value: object): ReadBuyer {
  const parsed = buyer.safeParse({ ...value, customer });
  if (parsed.success) return { outcome: "read", buyer: parsed.data };
  return { outcome: "invalid", problems: documentProblems(parsed.error.issues, "party", knownKeys) };
}
