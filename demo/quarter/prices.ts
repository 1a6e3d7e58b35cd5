import type { Quarter } from "./calendar.ts";
import { contracts, customers } from "./customers.ts";

/** Who sells, as the settings have it. */
export const issuer = {
  seller: {
    name: "Example Cloud GmbH",
    street: "Speicherstadt 1",
    city: "Hamburg",
    postCode: "20457",
    country: "DE",
    vatId: "DE123456789",
    electronicAddress: { scheme: "EM", id: "billing@cloud.example" },
    contactName: "Accounts",
    phone: "+49 40 000 000",
    email: "billing@cloud.example",
  },
  payment: { account: "DE89370400440532013000" },
  terms: "Within 30 days, without deduction.",
};

/** What an hour of the one device is said to cost, by the name that its host tells: as much as a node of eight would. */
export const acceleratorCostPerHour = { cpu: "44.00" };

/** What a request is listed at until the price book is in force. */
export const listPrices = [
  {
    version: "settings-1",
    effectiveFrom: "2020-01-01",
    currency: "EUR",
    models: { "*": { inputPerMillion: "0.80", cachedInputPerMillion: "0.16", outputPerMillion: "2.40" } },
  },
];

/** List prices with a tier and a grant, discounts of batches, two contracts, one of them with a commitment of two years that nobody reaches. */
export function priceBook({ startMs }: Quarter): object {
  const from = new Date(startMs).toISOString().slice(0, 10);
  const until = `${Number(from.slice(0, 4)) + 2}${from.slice(4)}`;
  return {
    name: "demo",
    currency: "EUR",
    timeZone: "UTC",
    versions: [
      {
        version: "1",
        effectiveFrom: "2020-01-01",
        prices: [
          { sku: "fake/input-tokens", pricePerMillion: "0.80" },
          { sku: "fake/cached-read-tokens", pricePerMillion: "0.16" },
          { sku: "fake/output-tokens", pricePerMillion: "2.40" },
          { sku: "fake/reasoning-tokens", pricePerMillion: "2.40" },
          { sku: "large/input-tokens", pricePerMillion: "0.80", batchDiscountPercent: 50, freeGrant: 1_000_000 },
          { sku: "large/cached-read-tokens", unitPrice: "0.00000016" },
          {
            sku: "large/output-tokens",
            graduated: [{ upTo: 20_000_000, pricePerMillion: "2.40" }, { pricePerMillion: "2.00" }],
          },
          { sku: "h800/accelerator-seconds", pricePerHour: "2.50" },
          { sku: "h800-reserved/accelerator-seconds", pricePerHour: "1.90" },
          { sku: "console/seats", unitPrice: "20" },
        ],
      },
    ],
    contracts: [
      {
        contract: "framework",
        customer: contracts.framework,
        versions: [{ version: "1", effectiveFrom: from, discountPercent: 10 }],
      },
      {
        contract: "committed",
        customer: contracts.committed,
        versions: [{ version: "1", effectiveFrom: from, effectiveTo: until, commitment: "2000" }],
      },
    ],
    jurisdiction: "DE",
    taxes: [
      { jurisdiction: "DE", name: "VAT", percent: 19 },
      { jurisdiction: "US", name: "VAT", percent: 0 },
    ],
    customers: customers
      .filter(({ country }) => country !== "DE")
      .map(({ name, country, reverseCharge }) => ({
        customer: name,
        jurisdiction: reverseCharge ? "DE" : country,
        reverseCharge,
      })),
  };
}
