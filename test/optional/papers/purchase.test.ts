import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { OrganisationId } from "../../../src/base/index.ts";
import { applyParty, close, credit, finalize, finalizePeriod, grantCredits, record } from "../../../src/books/index.ts";
import { taken, testBooks } from "../../../src/books/testing.ts";
import { focusCsv } from "../../../src/focus/index.ts";
import { type Invoice, paperOf } from "../../../src/invoicing/index.ts";
import { goldenBuyer, goldenIssuer } from "../../../src/invoicing/testing.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../../../src/store/testing.ts";
import { checkInvoices, skipped, spurious, validateFocus } from "./validators.ts";

const folder = mkdtempSync(join(tmpdir(), "bailiwick-purchase-"));
let temporary: TemporaryPostgres | undefined;

before(async () => {
  if (skipped === false) temporary = await temporaryPostgres();
});

after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await temporary?.remove();
});

/** Golden B as the books make it: bought and paid on the spot, used, and another purchase that is taken back. */
async function goldenB(): Promise<readonly Invoice[]> {
  const books = await testBooks(temporary!, { issuer: goldenIssuer });
  try {
    taken(await applyParty(books, (await books.organisation("acme")) as OrganisationId, goldenBuyer, "tester"));
    const prices = [{ sku: "m/input-tokens", pricePerMillion: "1" }];
    const versions = [{ version: "2026", effectiveFrom: "2026-01-01", prices }];
    await books.applyPrices({
      currency: "CNY",
      jurisdiction: "CN",
      taxes: [{ jurisdiction: "CN", percent: 6 }],
      versions,
    });
    const asked = { organisation: "acme", credits: "11000", paid: "10000.00" };
    const bought = taken(await grantCredits(books, { ...asked, received: true }, "tester"));
    const owed = taken(await grantCredits(books, { ...asked, priority: 1 }, "tester"));
    const used = { id: "1", source: "/s", customer: "acme", time: "2026-04-02T00:00:00Z", sku: "m/input-tokens" };
    taken(await record(books, [{ ...used, quantity: 4_180_000_000 }], "call"));
    books.clock.advance(Date.parse("2026-05-02T00:00:00Z") - books.clock.nowMs());
    taken(await close(books, "2026-04", "tester"));
    const { issued } = await finalizePeriod(books, "2026-04", "tester");
    const invoices = [bought.invoice!, ...issued.map(({ invoice }) => invoice)];
    const documents: Invoice[] = [];
    for (const id of invoices) documents.push(taken(await finalize(books, id, "tester")));
    documents.push(taken(await credit(books, { invoice: owed.invoice!, reason: "x", what: "all" }, "tester")));
    return documents;
  } finally {
    await books.close();
  }
}

test(
  "golden B from the books passes EN 16931, XRechnung and FOCUS: purchase, use, and a purchase taken back",
  { skip: skipped },
  async () => {
    const documents = await goldenB();
    assert.deepEqual(
      documents.map(({ number, totals }) => [number, totals.gross, totals.payable]),
      [
        ["INV-2026-000001", "10600.00", "0.00"],
        ["INV-2026-000002", "10600.00", "10600.00"],
        ["INV-2026-000003", "0.00", "0.00"],
        ["CN-2026-000001", "10600.00", "10600.00"],
      ],
    );
    const paths: string[] = [];
    for (const document of documents) {
      for (const format of ["ubl", "cii", "xrechnung-ubl", "xrechnung-cii", "facturx"] as const) {
        const made = await paperOf(document, format);
        assert.ok(made.outcome === "written");
        const path = join(folder, `${document.number}.${made.paper.extension}`);
        writeFileSync(path, made.paper.bytes);
        paths.push(path);
      }
    }
    const checked = checkInvoices(paths);
    assert.equal(checked.length, 20);
    assert.deepEqual(
      checked.filter(({ failures }) => failures.length > 0),
      [],
    );
    const csv = join(folder, "focus.csv");
    writeFileSync(csv, [...focusCsv(documents, "1.2")].join(""));
    assert.deepEqual(validateFocus(csv).failed, spurious);
  },
);
