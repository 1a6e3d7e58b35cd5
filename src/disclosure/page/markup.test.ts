import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jurisdictionReport } from "../jurisdiction.ts";
import { processingReport } from "../processing.ts";
import { sovereigntyReport } from "../sovereignty.ts";
import { subProcessorsReport } from "../sub-processors.ts";
import { noFacts } from "../../policy/index.ts";
import { ran, ranAway, recordedOf, stateOf, testNowMs } from "../testing.ts";
import { transfersReport } from "../transfers.ts";
import { html } from "./markup.ts";
import { type Report, renderReport } from "./render.ts";

test("values are escaped, what html made is not, and nothing is nothing", () => {
  const name = `<script>alert("1")</script> & 'co'`;
  assert.equal(
    html`<p title="${name}">${[name, html`<b>${1}</b>`]}${null}${undefined}${false}</p>`.text,
    `<p title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;co&#39;">&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;co&#39;<b>1</b></p>`,
  );
  assert.equal(html`${"a\u0000b\u001b\ud800"}`.text, "a\uFFFDb\uFFFD\uFFFD");
});

test("no text can open an element or leave an attribute", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const [, inAttribute, inText] = /^<a b="([^]*?)">([^]*)<\/a>$/.exec(html`<a b="${text}">${text}</a>`.text)!;
      assert.doesNotMatch(`${inAttribute}${inText}`, /[<>"']/);
      assert.equal(inAttribute, inText);
    }),
  );
});

const clinic = { id: "org_clinic", name: "clinic" };
const recorded = recordedOf([ran("clinic", "ward"), ranAway("clinic", "desk")]);
const reports: readonly Report[] = [
  sovereigntyReport(stateOf(), recorded),
  processingReport(stateOf(), recorded, clinic),
  transfersReport(stateOf(), recorded, { area: "EEA", organisation: null }),
  subProcessorsReport(stateOf(), { since: "2026-01-01", named: { version: 1, sha256: "a" }, facts: noFacts }),
  jurisdictionReport(stateOf()),
];

/** The same report where every name and every text of it is an attack. */
function attacked(value: unknown): unknown {
  if (typeof value === "string") return `"><script>alert(1)</script><img src=x onerror='alert(2)'>`;
  if (Array.isArray(value)) return value.map(attacked);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, attacked(member)]));
}

test("a report whose every text is an attack is a page without a script, an image or a foreign address", () => {
  for (const report of reports) {
    const page = renderReport({ ...(attacked(report) as Report), report: report.report } as Report);
    assert.doesNotMatch(page, /<(script|img|link|iframe|object|embed|form)\b/i, report.report);
    for (const [tag] of page.matchAll(/<[a-z][^<>]*>/g))
      assert.doesNotMatch(tag.replaceAll(/"[^"]*"/g, ""), /\bon\w+=/);
  }
});

test("a page stands alone: it fetches nothing, has a language, and heads for every column", () => {
  for (const report of reports) {
    const page = renderReport(report);
    assert.match(page, /^<!doctype html>\s*<html lang="en">/);
    assert.doesNotMatch(page, /\b(src|href|action)=|@import|url\(/);
    assert.match(page, /@page \{ size: A4/);
    const tables = page.split("<table>").slice(1);
    for (const table of tables) assert.match(table, /<caption>[^]*?<\/caption>[^]*?<th scope="col"/);
    assert.ok(page.includes("An aid, not legal advice"));
  }
});

test("a page is made of its report alone: what goes through JSON is the same bytes", () => {
  for (const report of reports) {
    assert.equal(renderReport(JSON.parse(JSON.stringify(report)) as Report), renderReport(report));
    assert.ok(JSON.stringify(report).includes(new Date(testNowMs).toISOString()));
  }
});
