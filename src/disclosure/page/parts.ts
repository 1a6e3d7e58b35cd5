import { type About, momentText, periodText } from "../about.ts";
import type { Backing, Fact } from "../evidence.ts";
import type { Measure } from "../measures.ts";
import { html, Markup } from "./markup.ts";
import { style } from "./style.ts";

export interface Sheet {
  readonly title: string;
  readonly summary: string;
  /** Below the summary. */
  readonly head: Markup;
  readonly body: Markup;
  readonly foot: string;
}

/** A page, whole: one file that fetches nothing. */
export function sheetOf({ title, summary, head, body, foot }: Sheet): string {
  // The style is a constant of this release: nothing of a report is in it.
  const sheet = new Markup(style);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        <style>
          ${sheet}
        </style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <p class="summary">${summary}</p>
          ${head}
        </header>
        <main>${body}</main>
        <footer><p>${foot}</p></footer>
      </body>
    </html> `.text;
}

/** The page of a report that opens with `about`. */
export function pageOf(title: string, about: About, summary: string, body: Markup): string {
  const head = html`<p class="note">${about.note}</p>
    ${aboutList(about)}`;
  const foot = `Made by Bailiwick ${about.release} on ${momentText(about.at)}. ${about.note}`;
  return sheetOf({ title, summary, head, body, foot });
}

function aboutList(about: About): Markup {
  const { facts, policies, period } = about;
  const named = ({ version, sha256 }: About["facts"]): string =>
    version === 0 ? `none applied, what is shipped holds (${sha256})` : `version ${version} (${sha256})`;
  const rows: (readonly [string, string])[] = [
    ["Made", momentText(about.at)],
    ["Release", about.release],
    ["Installation", about.installation],
    ["Facts", named(facts)],
    ["Policies", named(policies)],
    ["Period", period === null ? "the moment of this report" : `${periodText(period)}, the end not included`],
  ];
  return html`<dl class="about">
    ${rows.map(
      ([name, text]) =>
        html`<dt>${name}</dt>
          <dd>${text}</dd>`,
    )}
  </dl>`;
}

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Markup | string | number;
  readonly isNumber?: boolean;
}

/** A table with its caption and its columns' heads; where it has no row, what that means. */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  empty: string,
): Markup {
  if (rows.length === 0) return html`<p class="quiet">${caption}: ${empty}</p>`;
  return html`<table>
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        ${columns.map(({ title, isNumber }) => html`<th scope="col" ${isNumber === true && html` class="number"`}>${title}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html` <tr>
            ${columns.map(({ cell, isNumber }) => html`<td${isNumber === true && html` class="number"`}>${cell(row)}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

export function list(items: readonly (string | Markup)[]): Markup {
  return items.length === 0
    ? html``
    : html`<ul>
        ${items.map((item) => html`<li>${item}</li>`)}
      </ul>`;
}

export function facts(items: readonly Fact[]): Markup {
  return list(items.map(({ text, evidence }) => html`${text} <span class="quiet">[${backingText(evidence)}]</span>`));
}

/** "operator-attested, 2026-01-15, until 2027-01-31: commercial register". */
export function backingText({ class: kind, on, expires, source }: Backing): string {
  const until = expires === null ? "" : `, until ${expires}`;
  return `${kind}, ${on}${until}${source === null ? "" : `: ${source}`}`;
}

export function measures(all: Readonly<Record<string, readonly Measure[]>>): Markup {
  return html`${Object.entries(all).map(([kind, items]) => {
    const title = kind.charAt(0).toUpperCase() + kind.slice(1);
    if (items.length === 0)
      return html`<h3>${title}</h3>
        <p class="quiet">None is declared.</p>`;
    return html`<h3>${title}</h3>
      ${list(items.map(({ text, by }) => html`${text} <span class="quiet">[${by}]</span>`))}`;
  })}`;
}

export function notFilledIn(settings: readonly string[]): Markup {
  if (settings.length === 0) return html``;
  return html`<p class="aid">Not filled in by the operator: ${settings.join(", ")} (settings).</p>`;
}

export function joined(names: readonly string[], empty: string): string {
  return names.length === 0 ? empty : names.join(", ");
}
