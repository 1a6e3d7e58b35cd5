/** Who buys in the quarter: fifty customers in four countries, a part of the operator's own group, and the operator itself. */
export interface Customer {
  readonly name: string;
  readonly country: "DE" | "FR" | "NL" | "US";
  readonly reverseCharge: boolean;
  /** As its invoices name it. */
  readonly party: object;
}

const places = {
  DE: { city: "Hamburg", postCode: "20095", street: "Am Hafen" },
  FR: { city: "Lyon", postCode: "69001", street: "Quai Saint-Vincent" },
  NL: { city: "Utrecht", postCode: "3511 AA", street: "Oudegracht" },
  US: { city: "Denver", postCode: "80202", street: "Market Street" },
} as const;

export const internal = "research";

/** Who has a contract of its own: off the list, with a commitment for two years, for a device that it has to itself. */
export const contracts = { framework: "customer-01", committed: "customer-02", reserved: "customer-09" } as const;

/** Who has bought credits before it used any. */
export const prepaid = "customer-05";

export const customers: readonly Customer[] = Array.from({ length: 50 }, (_each, at) =>
  customerOf(`customer-${String(at + 1).padStart(2, "0")}`, at),
);

/** The others that owe something: their own group, and the default organisation, in which a start asks itself once. */
export const ours: readonly Customer[] = [
  { ...customerOf(internal, 0), reverseCharge: false },
  { ...customerOf("default", 0), reverseCharge: false },
];

function customerOf(name: string, at: number): Customer {
  const country = (["DE", "FR", "NL", "US"] as const)[at % 4]!;
  const { street, city, postCode } = places[country];
  // Who has a VAT identifier elsewhere in the Union owes the tax itself.
  const reverseCharge = country === "FR" || country === "NL";
  const digits = String(100_000_000 + at * 7_919);
  const vatId = { DE: `DE${digits}`, FR: `FR40${digits}`, NL: `NL${digits}B01`, US: undefined }[country];
  const party = {
    name: `${name.replace(/^c/, "C").replace("-", " ")} Ltd.`,
    street: `${street} ${at + 1}`,
    city,
    postCode,
    country,
    ...(vatId === undefined ? { legalRegistration: digits } : { vatId }),
    electronicAddress: { scheme: "EM", id: `invoices@${name}.example` },
    reference: `PO-${at + 1}`,
  };
  return { name, country, reverseCharge, party };
}
