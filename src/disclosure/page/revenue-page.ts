import { quarterText, type RevenueFigure, type RevenueReport } from "../revenue/revenue.ts";
import { growthText, markOf, moneyText, percentText, titleOf, valueText } from "../revenue/words.ts";
import { momentText } from "../about.ts";
import { html, Markup } from "./markup.ts";
import { joined, sheetOf, table } from "./parts.ts";

/** Pictures of a report, as SVG text that `plot` has drawn of its figures. */
export interface RevenueCharts {
  readonly months: string;
  readonly products: string;
}

/** For people who look: figures first, then pictures, then what it all comes from. */
export function revenuePage(report: RevenueReport, charts?: RevenueCharts): string {
  const title = `Revenue of ${report.quarter}`;
  const { currency, status } = report;
  return sheetOf({
    title,
    summary: report.summary,
    head: html`${
      status === "provisional" &&
      html`<p class="aid">Provisional: a month of this quarter is open, and its figures can still change.</p>`
    }
    ${about(report)}`,
    body: html`
      <h2>Figures</h2>
      ${figureTable(report)} ${charts !== undefined && pictures(charts)}
      <h2>By product</h2>
      ${table(
        `Revenue by product, in ${currency}`,
        [
          { title: "Product", cell: ({ product }) => titleOf(product) },
          { title: "Tag", cell: ({ tag }) => (tag === "ai" ? "AI" : "other") },
          { title: "External", cell: ({ external }) => moneyText(external), isNumber: true },
          { title: "Intersegment", cell: ({ intersegment }) => moneyText(intersegment), isNumber: true },
          {
            title: "On the year",
            cell: ({ growth }) => (growth === null ? "–" : growthText(growth)),
            isNumber: true,
          },
        ],
        report.products,
        "nothing was posted.",
      )}
      <h2>By month</h2>
      ${table(
        `Revenue by month, in ${currency}`,
        [
          { title: "Month", cell: ({ month }) => month },
          { title: "State", cell: ({ status }) => status },
          { title: "AI, external", cell: ({ ai }) => moneyText(ai), isNumber: true },
          { title: "Other, external", cell: ({ other }) => moneyText(other), isNumber: true },
          { title: "Intersegment", cell: ({ intersegment }) => moneyText(intersegment), isNumber: true },
        ],
        report.months,
        "none.",
      )}
      <h2>Largest customers</h2>
      ${table(
        `By external revenue, in ${currency}`,
        [
          { title: "Customer", cell: ({ customer }) => customer.name },
          { title: "Revenue", cell: ({ amount }) => moneyText(amount), isNumber: true },
          { title: "Share of external", cell: ({ share }) => `${percentText(share)} %`, isNumber: true },
        ],
        report.topCustomers,
        "nobody has external revenue.",
      )}
      <h2>Definitions, and where each figure comes from</h2>
      ${report.figures.map(definitionOf)}
    `,
    foot: `Made by Bailiwick ${report.release} on ${momentText(report.at)}.`,
  });
}

function about(report: RevenueReport): Markup {
  const { at, release, installation, status, currency } = report;
  const rows: readonly (readonly [string, string])[] = [
    ["Made", momentText(at)],
    ["Release", release],
    ["Installation", installation],
    ["Period", quarterText(report)],
    ["State", status],
    ["Currency", currency],
  ];
  return html`<dl class="about">
    ${rows.map(
      ([name, text]) =>
        html`<dt>${name}</dt>
          <dd>${text}</dd>`,
    )}
  </dl>`;
}

function figureTable({ figures, currency }: RevenueReport): Markup {
  return table<RevenueFigure>(
    `Each is defined below${figures.some(({ caveat }) => caveat !== null) ? "; * see what is said there" : ""}`,
    [
      { title: "Figure", cell: ({ id }) => titleOf(id) },
      { title: "Value", cell: (figure) => `${valueText(figure, currency)}${markOf(figure)}`, isNumber: true },
      { title: "Of", cell: ({ denominator }) => (denominator === null ? "" : titleOf(denominator)) },
    ],
    figures,
    "none.",
  );
}

function definitionOf(figure: RevenueFigure): Markup {
  const { id, version, definition, value, why, caveat, postings } = figure;
  return html`<article>
    <h3>${titleOf(id)} <span class="quiet">${id}, version ${version}</span></h3>
    <p>${definition}.</p>
    ${value === null && html`<p class="quiet">None: ${why}.</p>`}
    ${caveat !== null && html`<p><strong>Mind:</strong> ${caveat}.</p>`}
    ${
      postings !== null &&
      html`<p class="quiet">
        Postings to ${joined(postings.accounts, "no account")} in ${joined(postings.months, "no month")}.
      </p>`
    }
  </article>`;
}

/** What `plot` draws fetches nothing and runs nothing: it is made of a report's numbers and of nobody's markup. */
function pictures({ months, products }: RevenueCharts): Markup {
  return html`<h2>At a glance</h2>
    <figure>${new Markup(months)}</figure>
    <figure>${new Markup(products)}</figure>`;
}
