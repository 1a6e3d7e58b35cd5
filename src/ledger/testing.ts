/** For tests: a price book. */

/** Everything that a book can have, and prices that end in no minor unit. */
export const rich = {
  currency: "EUR",
  timeZone: "America/New_York",
  offPeak: { from: "20:00", to: "07:30" },
  jurisdiction: "US",
  taxes: [{ jurisdiction: "US", percent: "7.25" }],
  versions: [
    {
      version: "1",
      effectiveFrom: "2026-01-01",
      prices: [
        {
          sku: "*/input-tokens",
          pricePerMillion: "0.123456789012",
          offPeakDiscountPercent: 30,
          batchDiscountPercent: 20,
        },
        {
          sku: "m/output-tokens",
          graduated: [{ upTo: 1000, unitPrice: "0.7", flatFee: "1" }, { unitPrice: "0.000000000001" }],
          freeGrant: 77,
        },
      ],
    },
    {
      version: "2",
      effectiveFrom: "2026-02-14T12:34:56Z",
      prices: [
        { sku: "*/input-tokens", package: { size: 1000, price: "0.015" }, minimum: "9.99" },
        { sku: "m/output-tokens", volume: [{ upTo: "1000.5", unitPrice: "0.7" }, { unitPrice: "0.3" }] },
      ],
    },
  ],
  contracts: [
    {
      contract: "c",
      customer: "b",
      versions: [
        {
          version: "1",
          effectiveFrom: "2026-01-20",
          effectiveTo: "2026-03-05",
          commitment: "100",
          discountPercent: 3,
          prices: [],
        },
      ],
    },
  ],
};
