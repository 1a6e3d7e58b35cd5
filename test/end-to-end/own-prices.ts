/**
 * What a cloud's own first question costs, by the settings and by a price book that takes their place: it is in the books by then or not, and
 * what was used stays priced as it was.
 */
const [inputPerMillion, outputPerMillion] = ["0.7", "1.9"];

export const settingsPrices = [
  {
    version: "settings-1",
    effectiveFrom: "2020-01-01",
    currency: "EUR",
    models: { "*": { inputPerMillion, outputPerMillion } },
  },
];

export const ownPrices = [
  { sku: "fake/input-tokens", pricePerMillion: inputPerMillion },
  { sku: "fake/cached-read-tokens", pricePerMillion: inputPerMillion },
  { sku: "fake/output-tokens", pricePerMillion: outputPerMillion },
  { sku: "fake/reasoning-tokens", pricePerMillion: outputPerMillion },
];
