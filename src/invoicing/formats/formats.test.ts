import assert from "node:assert/strict";
import test from "node:test";
import { inflateSync } from "node:zlib";
import { creditOf } from "../document/credit.ts";
import type { Invoice } from "../document/invoice.ts";
import { invoiceOf } from "../document/issue.ts";
import {
  billOf,
  goldenDraft,
  goldenInvoice,
  goldenParties,
  goldenPrices,
  goldenPurchase,
  goldenUsage,
  issuedInvoice,
  issuing,
  lateInvoice,
  partiesOf,
} from "../testing.ts";
import { paperFormats, paperOf, type PaperFormat } from "./papers.ts";
import { draftPdfOf, pdfOf } from "./pdf.ts";

async function textOf(invoice: Invoice, format: PaperFormat): Promise<string> {
  const written = await paperOf(invoice, format);
  if (written.outcome === "refused") throw new Error(`${written.message} ${written.reasons?.join(" ")}`);
  return Buffer.from(written.paper.bytes).toString("latin1");
}

async function refusalOf(invoice: Invoice, format: PaperFormat): Promise<string> {
  const written = await paperOf(invoice, format);
  return written.outcome === "refused" ? `${written.code}: ${written.message} ${written.reasons?.join(" ") ?? ""}` : "";
}

/** The contents of an element, wherever it stands. */
function all(xml: string, name: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`, "g"))].map(([, text]) => text!);
}

test("the same invoice has the same bytes in every format", async () => {
  for (const format of paperFormats) {
    assert.equal(await textOf(goldenInvoice(), format), await textOf(goldenInvoice(), format), format);
  }
});

test("golden A in UBL and CII: tokens for a million, seconds for as many as two decimals need", async () => {
  const ubl = await textOf(goldenInvoice(), "ubl");
  assert.deepEqual(all(ubl, "cbc:PriceAmount"), ["0.55", "0.16", "0.8", "2"]);
  assert.deepEqual(all(ubl, "cbc:BaseQuantity"), ["100", "1000000", "1000000", "1000000"]);
  assert.deepEqual(all(ubl, "cbc:InvoicedQuantity"), ["86400", "234567890", "1000000001", "300000007"]);
  assert.deepEqual(all(ubl, "cbc:PayableAmount"), ["2027.49"]);
  assert.match(ubl, /<cbc:InvoicedQuantity unitCode="SEC">86400</);
  assert.deepEqual(all(ubl, "cbc:Value").slice(0, 2), ["acme 2026-03 910b/accelerator-seconds 2026-1", "86400"]);
  const cii = await textOf(goldenInvoice(), "cii");
  assert.deepEqual(all(cii, "ram:BasisQuantity"), ["100", "1000000", "1000000", "1000000"]);
  assert.deepEqual(all(cii, "ram:DuePayableAmount"), ["2027.49"]);
});

test("golden B is paid already; a credit note names its invoice and is cleared, not paid", async () => {
  const ubl = await textOf(goldenPurchase(), "ubl");
  assert.deepEqual([all(ubl, "cbc:PrepaidAmount"), all(ubl, "cbc:PayableAmount")], [["10600.00"], ["0.00"]]);
  const credits = [{ line: "1", amount: "100.00" }];
  const crediting = { number: "CN-2026-000001", issueDate: "2026-04-02", reason: "Outage", credits, before: [] };
  const credit = issuedInvoice(creditOf(goldenInvoice(), crediting));
  const note = await textOf(credit, "ubl");
  assert.match(note, /<CreditNote /);
  assert.deepEqual(all(note, "cbc:PaymentMeansCode"), ["97"]);
  assert.deepEqual(all(note, "cbc:ID").includes("INV-2026-000001"), true);
  assert.deepEqual(all(await textOf(credit, "cii"), "ram:TypeCode").includes("381"), true);
});

test("a line of usage that came late has its own period, and the invoice's spans its lines'", async () => {
  const ubl = await textOf(lateInvoice(), "ubl");
  assert.deepEqual(all(ubl, "cbc:StartDate"), ["2026-02-01", "2026-02-01", ...march("01")]);
  assert.deepEqual(all(ubl, "cbc:EndDate"), ["2026-03-31", "2026-02-28", ...march("31")]);
  const cii = await textOf(lateInvoice(), "cii");
  const periods = [...cii.matchAll(/BillingSpecifiedPeriod>(.*?)<\/ram:BillingSpecifiedPeriod>/gs)];
  assert.deepEqual(
    periods.map(([, period]) => all(period!, "udt:DateTimeString").join(" ")),
    ["20260201 20260228", ...Array<string>(3).fill("20260301 20260331"), "20260201 20260331"],
  );
  const crediting = { number: "CN-2026-000001", issueDate: "2026-05-02", reason: "Outage", before: [] };
  const credits = [{ line: "1", amount: "1.00" }];
  const note = await textOf(issuedInvoice(creditOf(lateInvoice(), { ...crediting, credits })), "ubl");
  assert.deepEqual(all(note, "cbc:EndDate"), ["2026-03-31", "2026-02-28"]);
});

function march(day: string): readonly string[] {
  return Array<string>(3).fill(`2026-03-${day}`);
}

test("yen have no decimals; dinars have three, which EN 16931 cannot say unless the last is 0", async () => {
  const yen = issuedInvoice(invoiceOf(billOf(goldenUsage, { currency: "JPY" }), issuing));
  assert.deepEqual(all(await textOf(yen, "ubl"), "cbc:PayableAmount"), ["2028"]);
  const dinars = issuedInvoice(invoiceOf(billOf(goldenUsage, { currency: "KWD" }), issuing));
  assert.match(await refusalOf(dinars, "ubl"), /^format_unsupported: .*two decimals, and 37\.531 KWD has more/);
  assert.match(await textOf(dinars, "json"), /"net": "37\.531"/);
  assert.match(await textOf(dinars, "pdf"), /^%PDF-1\.7/);
  const round = billOf({ "m/seats": "2" }, { currency: "KWD", prices: [{ sku: "m/seats", unitPrice: "1.5" }] });
  const even = issuedInvoice(invoiceOf(round, issuing));
  assert.deepEqual(all(await textOf(even, "cii"), "ram:GrandTotalAmount"), ["3.18"]);
});

test("a SKU of any characters is shown, markup as text, what no XML holds as U+FFFD", async () => {
  const sku = `<b>&\u0001\u{1F600}"'"/input-tokens`;
  const prices = [...goldenPrices, { sku: "*/input-tokens", unitPrice: "0.0000008" }];
  const invoice = issuedInvoice(invoiceOf(billOf({ [sku]: "1000000" }, { prices }), issuing));
  const ubl = Buffer.from(await textOf(invoice, "ubl"), "latin1").toString("utf8");
  assert.match(ubl, /&lt;b&gt;&amp;\uFFFD\u{1F600}/u);
  assert.equal(invoice.lines[0]!.sku, sku);
  assert.match(await textOf(invoice, "cii"), /&lt;b&gt;&amp;/);
});

test("what a format asks for and parties do not say is refused by its name", async () => {
  const { electronicAddress: _, email: __, ...silent } = goldenParties.seller;
  const from = (seller: object, buyers: readonly object[] = goldenParties.buyers) =>
    issuedInvoice(
      invoiceOf(billOf(goldenUsage), { ...issuing, parties: partiesOf({ ...goldenParties, seller, buyers }) }),
    );
  assert.match(await refusalOf(from(silent), "ubl"), /ubl needs an electronicAddress, or an email, of Bailiwick/);
  assert.equal(await refusalOf(from(silent), "cii"), "");
  const { phone: ___, ...unreachable } = goldenParties.seller;
  assert.match(await refusalOf(from(unreachable), "xrechnung-cii"), /contactName, phone and email \(BR-DE-5/);
  const { reference: ____, ...unnamed } = goldenParties.buyers[0]!;
  assert.match(await refusalOf(from(goldenParties.seller, [unnamed]), "xrechnung-ubl"), /Leitweg-ID/);
  const unlisted = { ...goldenParties.seller, electronicAddress: { scheme: "0000", id: "1" } };
  assert.match(await refusalOf(from(unlisted), "ubl"), /format_unsupported: .*EndpointID/);
});

test("a PDF shows no empty boxes: Chinese has its letters, and characters that no font has are refused", async () => {
  const named = (name: string) => {
    const parties = partiesOf({ ...goldenParties, seller: { ...goldenParties.seller, name } });
    return issuedInvoice(invoiceOf(billOf(goldenUsage), { ...issuing, parties }));
  };
  const chinese = await textOf(named("汉字有限公司 (Shanghai)"), "facturx");
  assert.match(chinese, /\/BaseFont \/[A-Z]{6}\+NotoSansHans-Regular/);
  assert.ok(chinese.length < 200_000, "of the font only those letters are there");
  assert.equal(await textOf(named("汉字有限公司 (Shanghai)"), "facturx"), chinese);
  assert.doesNotMatch(await textOf(goldenInvoice(), "pdf"), /NotoSans/);
  assert.match(await refusalOf(named("한국"), "facturx"), /^format_unsupported: No font here has "한".*--font/);
  assert.match(await refusalOf(named("ơ𠮷"), "pdf"), /^format_unsupported: No font here has "𠮷".*--font/);
  const quoted = partiesOf({ ...goldenParties, note: 'Ünïcode "quoted" \\ Ελλάδα Україна\nnext line' });
  assert.match(
    await textOf(issuedInvoice(invoiceOf(billOf(goldenUsage), { ...issuing, parties: quoted })), "pdf"),
    /^%PDF/,
  );
});

/** What is drawn on each page of a PDF, as its operators. */
function pagesOf(written: Awaited<ReturnType<typeof pdfOf>>): readonly string[] {
  if (written.outcome === "refused") throw new Error(written.message);
  const text = Buffer.from(written.bytes).toString("latin1");
  const streams = [...text.matchAll(/\/Length \d+\n\/Filter \/FlateDecode\n>>\nstream\n([^]*?)\nendstream/g)];
  return streams.flatMap(([, stream]) => {
    const drawn = inflateSync(Buffer.from(stream!, "latin1")).toString("latin1");
    return drawn.startsWith("1 0 0 -1 0 841.89 cm") ? [drawn] : [];
  });
}

test("a draft is marked across each of its pages, and an invoice on none", async () => {
  const names = Array.from({ length: 100 }, (_, index) => `model-${index}/input-tokens`);
  const usage = Object.fromEntries(names.map((name) => [name, "1000000"]));
  const bill = billOf(usage, { prices: [{ sku: "*/input-tokens", unitPrice: "0.0000008" }] });
  const { lines } = issuedInvoice(invoiceOf(bill, issuing));
  const draft = await draftPdfOf({ ...goldenDraft(), lines });
  // Turned by 45 degrees, which nothing else is.
  const isMarked = (page: string): boolean => /^0\.70\d+ -0\.70\d+ 0\.70\d+ 0\.70\d+ .* cm$/m.test(page);
  const pages = pagesOf(draft);
  assert.ok(pages.length > 2);
  assert.deepEqual(pages.map(isMarked), Array<boolean>(pages.length).fill(true));
  assert.deepEqual(await draftPdfOf({ ...goldenDraft(), lines }), draft);
  const invoice = pagesOf(await pdfOf(goldenInvoice()));
  assert.deepEqual(invoice.map(isMarked), [false]);
});

test("an invoice of a thousand lines is written in each format", async () => {
  const names = Array.from({ length: 1_000 }, (_, index) => `model-${index}/input-tokens`);
  const usage = Object.fromEntries(names.map((name, index) => [name, String(1_000_000 + index)]));
  const prices = [{ sku: "*/input-tokens", unitPrice: "0.0000008" }];
  const invoice = issuedInvoice(invoiceOf(billOf(usage, { prices }), issuing));
  for (const format of paperFormats) {
    const text = await textOf(invoice, format);
    if (format === "ubl") assert.equal(all(text, "cbc:InvoicedQuantity").length, 1_000);
    if (format === "cii") assert.equal(all(text, "ram:BilledQuantity").length, 1_000);
  }
});
