import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { applyPriceBook } from "../books/index.ts";
import { testBooks } from "../books/testing.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { createTenancy } from "../tenancy/index.ts";
import { prepaidOrganisations } from "./prepaid.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(() => temporary.remove());

const priced = (output: object, contracts: readonly object[] = []) => ({
  currency: "EUR",
  versions: [
    {
      version: "1",
      effectiveFrom: "2026-01-01",
      prices: [
        { sku: "*/input-tokens", pricePerMillion: "0.1" },
        { sku: "*/output-tokens", pricePerMillion: "0.4", ...output },
      ],
    },
  ],
  contracts,
});

const dear = {
  contract: "dear",
  customer: "acme",
  versions: [
    { version: "1", effectiveFrom: "2026-01-01", prices: [{ sku: "m/output-tokens", pricePerMillion: "400" }] },
  ],
};

const never = { public: 0, internal: 0, restricted: 0, personal: 0, "special-category": 0 };
const retention = { usualSeconds: never, mostSeconds: never };

const reasonsOf = (outcome: object) => ("reasons" in outcome ? String(outcome.reasons) : "");
const codeOf = (outcome: object) => ("code" in outcome ? outcome.code : undefined);

test("nobody is prepaid whose requests may cost more than they are listed at, whichever of the two comes first", async (context) => {
  const books = await testBooks(temporary);
  context.after(() => books.close());
  const tenancy = createTenancy({
    ...books,
    randomBytes: (count) => randomBytes(count),
    known: () => ({ groups: {}, document: { dataClasses: [] }, regimes: new Set(), retention }),
    onChange: () => Promise.resolve(),
    onFailure: (error) => {
      throw error;
    },
  });
  const organisations = prepaidOrganisations({ tenancy, ledger: books });
  await books.organisation("acme");
  await books.applyPrices(priced({}, [dear]));
  const refused = await organisations.updateOrganisation("acme", { prepaid: true, limits: {} });
  assert.equal(codeOf(refused), "prepaid_unbounded");
  assert.match(reasonsOf(refused), /m\/output-tokens costs more by dear/);
  assert.equal(codeOf(await organisations.updateOrganisation("acme", { limits: {} })), undefined);
  assert.equal(codeOf(await organisations.createOrganisation({ name: "b", prepaid: true, limits: {} })), undefined);

  const apply = (document: object) =>
    applyPriceBook(books, { basedOn: books.prices.version, document: document as Record<string, unknown>, by: "me" });
  const minimum = await apply(priced({ minimum: "10" }));
  assert.equal(codeOf(minimum), "document_invalid");
  assert.match(reasonsOf(minimum), /^b is prepaid: \*\/output-tokens has a minimum/);
  assert.equal(codeOf(await apply(priced({}))), undefined);
  assert.equal(codeOf(await organisations.updateOrganisation("acme", { prepaid: true, limits: {} })), undefined);
  assert.match(reasonsOf(await apply(priced({}, [dear]))), /acme is prepaid: m\/output-tokens costs more by dear/);
});
