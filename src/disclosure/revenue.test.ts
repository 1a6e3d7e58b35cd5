import assert from "node:assert/strict";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import { decimalText, fraction, none, total } from "../ledger/index.ts";
import { renderReport } from "./index.ts";
import { revenuePdf } from "./pdf/revenue-pdf.ts";
import { revenueReport } from "./revenue/revenue.ts";
import type { RevenueState } from "./revenue/state.ts";
import { line, marchQuarter } from "./revenue/testing.ts";
import { isGolden } from "./testing.ts";

function valuesOf(state: RevenueState): Readonly<Record<string, string | null>> {
  return Object.fromEntries(revenueReport(state).figures.map(({ id, value }) => [id, value]));
}

test("the golden quarter, from what was posted", (context) => {
  const report = revenueReport(marchQuarter());
  const values = valuesOf(marchQuarter());
  assert.equal(values["ai-revenue"], "8971");
  assert.equal(values["external-revenue"], "29903");
  assert.equal(values["segment-revenue"], "41600");
  assert.equal(Number(values["ai-share-of-external"]).toFixed(2), "0.30");
  assert.equal(Number(values["ai-share-of-segment"]).toFixed(3), "0.216");
  assert.equal(Number(values["external-growth-on-year"]).toFixed(2), "0.40");
  assert.equal(Number(values["segment-growth-on-year"]).toFixed(2), "0.38");
  assert.equal(values["ai-run-rate-quarter-x4"], "35884");
  assert.equal(values["ai-run-rate-last-month-x12"], "40452");
  assert.equal(Number(values["ai-run-rate-days"]).toFixed(0), "36382");
  assert.equal(values["deferred-revenue"], "6000");
  assert.equal(values["remaining-obligations"], "7200.5");
  assert.equal(values["tokens-served"], "10000000000");
  assert.equal(values["accelerator-hours"], "3000");
  assert.equal(values["accelerator-utilisation"], "0.5");
  // What those accelerators served, whatever else is sold as AI.
  assert.equal(values["ai-revenue-per-accelerator-hour"], "2.5");
  assert.equal(values["gross-cost"], "6000");
  assert.equal(report.status, "final");
  isGolden(context, "revenue.json", `${JSON.stringify(report, undefined, 2)}\n`);
  isGolden(context, "revenue.html", renderReport(report));
});

test("each figure says from which postings it comes, and each share what it is a share of", () => {
  const { figures } = revenueReport(marchQuarter());
  const of = (id: string) => figures.find((figure) => figure.id === id)!;
  assert.deepEqual(of("ai-run-rate-last-month-x12").postings, {
    accounts: ["revenue/ai-inference"],
    months: ["2026-03"],
  });
  assert.deepEqual(of("segment-growth-on-year").postings, {
    accounts: ["intersegment/ai-inference", "revenue/ai-inference", "revenue/storage"],
    months: ["2025-01", "2025-03", "2026-01", "2026-02", "2026-03"],
  });
  for (const { id, unit, denominator } of figures) {
    if (/share|utilisation|hour$/.test(id))
      assert.ok(
        figures.some((figure) => figure.id === denominator),
        id,
      );
    if (denominator !== null) assert.notEqual(unit, "money", id);
  }
});

test("a quarter with an open month is provisional, and what there is nothing of is none with its reason, not 0", () => {
  const idle = marchQuarter({
    months: [
      { month: "2026-01", status: "closed" },
      { month: "2026-02", status: "closed" },
      { month: "2026-03", status: "open" },
    ],
    lines: [],
    yearBefore: [],
    accelerators: [],
    costPerHour: {},
    remainingObligations: none,
  });
  const report = revenueReport(idle);
  assert.equal(report.status, "provisional");
  assert.match(report.summary, /Provisional/);
  assert.match(renderReport(report), /Provisional: a month of this quarter is open/);
  const missing = report.figures.filter(({ value }) => value === null).map(({ id, why }) => [id, why]);
  assert.deepEqual(missing, [
    ["ai-share-of-external", "it would be a share of nothing"],
    ["ai-share-of-segment", "it would be a share of nothing"],
    ["external-growth-on-year", "nothing is recorded of the same quarter a year before"],
    ["segment-growth-on-year", "nothing is recorded of the same quarter a year before"],
    ["accelerator-hours", "nothing is recorded of accelerators in the quarter"],
    ["accelerator-utilisation", "nothing is recorded of accelerators in the quarter"],
    ["ai-revenue-per-accelerator-hour", "nothing is recorded of accelerators in the quarter"],
    ["gross-cost", "no cost rate is set"],
  ]);
  assert.deepEqual(report.topCustomers, []);
  const partly = valuesOf(marchQuarter({ costPerHour: { H20: "2.5" } }));
  assert.equal(partly["gross-cost"], null, "a part of the cost is none");
});

test("what is committed to for a part of a month is added up exactly, and told with 18 decimals", () => {
  const third = valuesOf(marchQuarter({ remainingObligations: fraction(2_000n, 3n) }));
  assert.equal(third["remaining-obligations"], "6666.666666666666666667");
});

test("amounts of many digits lose none, and credits come off", () => {
  const state = marchQuarter({
    lines: [line("2026-01", "123456789012345678.000000000001"), line("2026-02", "-0.000000000001")],
  });
  assert.equal(valuesOf(state)["ai-revenue"], "123456789012345678");
  assert.match(renderReport(revenueReport(state)), /123 456 789 012 345 678\.00 CNY/);
});

test("a customer's name is shown and never more", () => {
  const name = `</td><script>alert(1)</script>"'&`;
  const page = renderReport(
    revenueReport(marchQuarter({ lines: [line("2026-01", "1", { customer: { id: "x", name } })] })),
  );
  assert.doesNotMatch(page, /<script/);
  assert.match(page, /&lt;script&gt;alert\(1\)/);
});

test("breakage is external revenue, a product of its own and never AI; that of other segments is intersegment revenue", () => {
  const broken = { account: "breakage", product: "breakage", tag: "other", segment: "external" } as const;
  const own = { ...broken, account: "intersegment/breakage", segment: "intersegment" } as const;
  const { lines } = marchQuarter();
  const state = marchQuarter({ lines: [...lines, line("2026-03", "97", broken), line("2026-03", "3", own)] });
  const report = revenueReport(state);
  const values = valuesOf(state);
  assert.deepEqual(
    [values["ai-revenue"], values["external-revenue"], values["segment-revenue"], values["ai-share-of-external"]],
    ["8971", "30000", "41700", decimalText(fraction(8_971n, 30_000n))],
  );
  const all = total(state.lines.map(({ amount }) => fraction(BigInt(amount))));
  assert.equal(values["segment-revenue"], decimalText(all));
  assert.deepEqual(
    report.products.find(({ product }) => product === "breakage"),
    { product: "breakage", tag: "other", external: "97", intersegment: "3", growth: null },
  );
  assert.match(renderReport(report), /Breakage of prepaid credits/);
  for (const id of ["ai-revenue", "external-revenue", "ai-share-of-external"])
    assert.match(report.figures.find((figure) => figure.id === id)!.definition, /breakage.*true-ups/);
});

test("hours of processors, and few hours, come with a caveat", () => {
  const caveats = (...accelerators: RevenueState["accelerators"]) => {
    const report = revenueReport(marchQuarter({ accelerators }));
    const told = report.figures.filter(({ caveat }) => caveat !== null);
    assert.equal(/<strong>Mind:<\/strong>/.test(renderReport(report)), told.length > 0);
    return [...new Set(told.map(({ caveat }) => caveat)), told.length];
  };
  const up = (device: string, upSeconds: number) => ({ device, busySeconds: 0, upSeconds });
  assert.deepEqual(caveats(up("H20", 86_400)), [0]);
  assert.deepEqual(caveats(), [0]);
  assert.deepEqual(caveats(up("cpu", 90_000)), [
    "all of these hours are of hosts that compute on their processors (cpu), without an accelerator",
    3,
  ]);
  assert.deepEqual(caveats(up("cpu", 3_600), up("H20", 3_600)), [
    "1.00 of these hours are of hosts that compute on their processors (cpu); fewer than 24 hours were recorded in the quarter",
    3,
  ]);
});

test("growth has its sign, in the summary and where it stands", () => {
  const { summary, ...report } = revenueReport(marchQuarter());
  assert.equal(
    summary,
    "2026Q1: External revenue 29 903.00 CNY, +40.0 % on the year, 30.0 % of external revenue from AI products.",
  );
  assert.match(renderReport({ ...report, summary }), />\+38\.1 %</);
  const yearBefore = [line("2025-01", "59806")];
  assert.match(revenueReport(marchQuarter({ yearBefore })).summary, / CNY, -50\.0 % on the year, /);
  assert.match(revenueReport(marchQuarter({ yearBefore: [line("2025-01", "29903")] })).summary, /, 0\.0 % on the year/);
});

test("a quarter that has not ended has no growth and no run rate; by its clock its days are told", () => {
  const period = { from: "2026-09-30T22:00:00.000Z", to: "2026-12-31T23:00:00.000Z" };
  const months = (["2026-10", "2026-11", "2026-12"] as const).map((month) => ({ month, status: "open" as const }));
  const open = marchQuarter({
    quarter: "2026Q4",
    period,
    timeZone: "Europe/Berlin",
    months: [months[0]!, months[1]!, months[2]!],
    lines: [line("2026-10", "100")],
    yearBefore: [line("2025-10", "50")],
    atMs: Date.parse("2026-12-31T22:59:59.999Z"),
  });
  const told = (atMs: number) => {
    const { figures, products, summary } = revenueReport({ ...open, atMs });
    const rates = figures.filter(({ id }) => /^ai-run-rate|-growth-/.test(id));
    assert.equal(rates.length, 5);
    assert.equal(/on the year/.test(summary), products[0]!.growth !== null);
    return [...new Set(rates.map(({ value, why }) => (value === null ? why : "told")))];
  };
  assert.deepEqual(told(open.atMs), ["the quarter has not ended"]);
  assert.deepEqual(told(Date.parse(period.from) - 1), ["the quarter has not begun"]);
  assert.deepEqual(told(Date.parse(period.to)), ["told"]);
  assert.match(renderReport(revenueReport(open)), /2026-10-01 to 2026-12-31 \(Europe\/Berlin\)/);
  assert.equal(valuesOf({ ...open, atMs: Date.parse(period.to) })["ai-run-rate-quarter-x4"], "400");
});

/** What is drawn, as PDF's operators have it. */
function drawn(pdf: Uint8Array): string {
  const text = Buffer.from(pdf).toString("latin1");
  const streams = [...text.matchAll(/\/FlateDecode\s*>>\s*stream\r?\n([^]*?)\r?\nendstream/g)];
  return streams.map(([, stream]) => inflateSync(Buffer.from(stream!, "latin1")).toString("latin1")).join("\n");
}

test("the PDF has a bar for each month and product, and the same bytes again", async () => {
  const pdf = await revenuePdf(revenueReport(marchQuarter()));
  // Months have a part for each of what was posted, products likewise; the legends have five more.
  assert.equal(drawn(pdf).match(/ scn\nf$/gm)?.length, 8 + 5);
  assert.deepEqual(await revenuePdf(revenueReport(marchQuarter())), pdf);
});
