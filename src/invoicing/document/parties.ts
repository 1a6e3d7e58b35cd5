import { z } from "zod";
import { documentProblems, type MemberProblem } from "../../base/index.ts";
import { buyer, party, partyText, payment } from "./party.ts";

const prefix = z.string().regex(/^[A-Z][A-Z0-9-]{0,9}$/, 'must be 1 to 10 capitals, digits and hyphens, such as "INV"');

const numbers = z.strictObject({ invoice: prefix.default("INV"), creditNote: prefix.default("CN") });

/** Why there is no tax where the price book has no rate: exempt (E), or outside the scope of the tax (O). */
const exemption = z.strictObject({ category: z.enum(["E", "O"]), reason: partyText });

/** Who sells, who buys, and how invoices between them are numbered and paid, as a file has it. */
const partiesDocument = z.strictObject({
  seller: party,
  payment: payment.optional(),
  terms: partyText.optional(),
  dueDays: z.int().min(0, "must be from 0").max(3_650, "must be 3650 at most").default(30),
  note: partyText.optional(),
  numbers: numbers.default({ invoice: "INV", creditNote: "CN" }),
  exemption: exemption.optional(),
  buyers: z.array(buyer).max(1_000_000),
});

export type Parties = z.output<typeof partiesDocument>;
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
