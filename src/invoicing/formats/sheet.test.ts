import assert from "node:assert/strict";
import test from "node:test";
import { creditOf } from "../document/credit.ts";
import { billDocument } from "../../ledger/index.ts";
import { invoiceOf } from "../document/issue.ts";
import { readBill } from "../document/read-bill.ts";
import {
  billOf,
  goldenDraft,
  goldenInvoice,
  goldenIssuer,
  goldenPrices,
  goldenPurchase,
  goldenUsage,
  issuedInvoice,
  issuing,
  lateInvoice,
} from "../testing.ts";
import { draftSheetOf, sheetOf } from "./sheet.ts";

const thin = "\u202F";

test("people read amounts in groups, prices in their currency with its decimals, and countries by name", () => {
  const prices = goldenPrices.map((price) => ({ ...price, freeGrant: 451_613 }));
  const sheet = sheetOf(issuedInvoice(invoiceOf(billOf(goldenUsage, { prices }), issuing)));
  const used = sheet.rows.find(({ details }) => details.some((detail) => /1\u202F000\u202F000\u202F001/.test(detail)))!;
  assert.deepEqual(used.details.slice(-1), [
    `Prices 2026-1; used 1${thin}000${thin}000${thin}001, of them 451${thin}613 free.`,
  ]);
  assert.equal(used.price, `0.80 CNY per 1${thin}000${thin}000 tokens`);
  assert.ok(sheet.seller.includes("China"), sheet.seller.join(", "));
});

test("a line of usage that came late says when it was used, and no other one does", () => {
  const { facts, rows } = sheetOf(lateInvoice());
  assert.deepEqual(
    facts.find(([name]) => name === "Period"),
    ["Period", "2026-03-01 to 2026-03-31"],
  );
  assert.deepEqual(
    rows.map(({ details }) => details),
    [
      ["Period: 2026-02-01 to 2026-02-28", "Prices 2026-1."],
      ["Prices 2026-1."],
      ["Prices 2026-1."],
      ["Prices 2026-1."],
    ],
  );
});

test("no tax says why, and an amount that is credited is no piece of something", () => {
  const { tax, ...rest } = goldenInvoice();
  const reversed = { ...rest, tax: { ...tax, category: "AE", name: "USt", percent: "0" } as const };
  assert.equal(sheetOf(reversed).totals[1]![0], "USt, reverse charge");
  const credits = [{ line: "1", amount: "100.00" }];
  const crediting = { number: "CN-2026-000001", issueDate: "2026-04-02", reason: "Outage", credits, before: [] };
  const [row] = sheetOf(issuedInvoice(creditOf(goldenInvoice(), crediting))).rows;
  assert.deepEqual([row!.quantity, row!.price, row!.net], ["part", "", "100.00"]);
});

test("a discount says what it is for, as far as its bill says", () => {
  const prices = [{ sku: "m/input-tokens", unitPrice: "1", batchDiscountPercent: "50" }];
  const versions = [{ version: "1", effectiveFrom: "2026-01-01", discountPercent: "10" }];
  const contracts = [{ contract: "acme-2026", customer: "acme", versions }];
  const reasons = (isBatch: boolean, more: object) => {
    const bill = billOf({ "m/input-tokens": "8" }, { prices, isBatch, ...more });
    const document = billDocument(bill);
    const [{ discountFor: _discountFor, ...earlier }] = document.lines as [(typeof document.lines)[number]];
    return [document, { ...document, lines: [earlier] }].map((each) => {
      const [row] = sheetOf(issuedInvoice(invoiceOf(readBill(each, bill.period), issuing))).rows;
      return row!.details[0];
    });
  };
  assert.deepEqual(reasons(true, {}), ["Discount (batch): -4.00 CNY", "Discount: -4.00 CNY"]);
  assert.deepEqual(reasons(true, { contracts })[0], "Discount (batch, contract acme-2026): -4.40 CNY");
  assert.deepEqual(reasons(false, { contracts })[0], "Discount (contract acme-2026): -0.80 CNY");
});

test("where nothing is due, nobody is asked to pay, or by when", () => {
  const paid = sheetOf(goldenPurchase());
  assert.deepEqual([paid.facts.some(([name]) => name === "Due"), paid.notes[0]], [false, "Nothing is to be paid."]);
  assert.doesNotMatch(paid.notes.join(" "), /Pay to/);
  const owed = sheetOf(goldenInvoice());
  assert.deepEqual([owed.facts[1]![0], owed.notes[0]?.startsWith("Pay to ")], ["Due", true]);
  const { totals, ...draft } = goldenDraft();
  const drawn = draftSheetOf({ ...draft, totals: { ...totals!, payable: "0.00" } });
  assert.equal(drawn.notes[0], "Nothing is to be paid.");
  assert.match(draftSheetOf({ ...draft, totals }).notes[0]!, /^Pay to/);
});

test("a draft says what its invoice would, but for what nobody may take for one", () => {
  const [draft, invoice] = [draftSheetOf(goldenDraft()), sheetOf(goldenInvoice())];
  assert.deepEqual([draft.rows, draft.seller, draft.buyer], [invoice.rows, invoice.seller, invoice.buyer]);
  assert.deepEqual(
    draft.totals.map(([, amount]) => amount),
    invoice.totals.map(([, amount]) => amount),
  );
  assert.deepEqual([draft.mark, invoice.mark, invoice.warnings], ["DRAFT", null, []]);
  assert.match(draft.warnings.join(" "), /^This is no invoice, and nothing is to be paid on it\./);
  assert.doesNotMatch(JSON.stringify(draft), /INV-|"To be paid"|"Invoice/);
  assert.deepEqual(draft.facts[0], ["Date, if final today", "2026-04-01"]);
});

test("what is not known of a draft stands where it would stand", () => {
  const { seller: _seller, ...issuer } = goldenIssuer;
  const missing = ["What is missing: the seller."];
  const told = goldenDraft({ issuer, buyer: undefined, missing });
  const draft = draftSheetOf({ ...told, tax: null, totals: null });
  assert.deepEqual([draft.seller, draft.buyer[0]], [["not known yet"], "acme"]);
  assert.deepEqual(draft.totals, [
    ["Net", `1${thin}912.73 CNY`],
    ["Tax", "not known yet"],
  ]);
  assert.ok(draft.warnings.includes("It cannot become final yet: What is missing: the seller."));
});
