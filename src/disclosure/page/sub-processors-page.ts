import type { SubProcessor, SubProcessorsReport } from "../sub-processors.ts";
import { html, type Markup } from "./markup.ts";
import { backingText, pageOf, table } from "./parts.ts";

export function subProcessorsPage(report: SubProcessorsReport): string {
  return pageOf(
    "Sub-processors",
    report.about,
    report.summary,
    html`${subProcessorTable("Sub-processors that the facts list", report.list)}
    ${report.changes !== null && changesSection(report.changes)}`,
  );
}

function changesSection({
  since,
  facts,
  added,
  removed,
  changed,
}: NonNullable<SubProcessorsReport["changes"]>): Markup {
  const before =
    facts.version === 0 ? "when no facts had been applied" : `against version ${facts.version} (${facts.sha256})`;
  return html`<h2>Changes since ${since}</h2>
    <p>${before}</p>
    ${subProcessorTable("Added", added)} ${subProcessorTable("Removed", removed)}
    ${subProcessorTable(
      "Changed, as they were",
      changed.map((each) => each.before),
    )}
    ${subProcessorTable(
      "Changed, as they are",
      changed.map((each) => each.after),
    )}`;
}

export function subProcessorTable(caption: string, rows: readonly SubProcessor[]): Markup {
  return table<SubProcessor>(
    caption,
    [
      { title: "Name", cell: ({ name }) => name },
      { title: "Country", cell: ({ country }) => country },
      { title: "What for", cell: ({ purpose }) => purpose },
      { title: "Since", cell: ({ since }) => since },
      { title: "Until", cell: ({ until }) => until ?? "no end" },
      { title: "State", cell: ({ state }) => state },
      { title: "Evidence", cell: ({ evidence }) => backingText(evidence) },
    ],
    rows,
    "none.",
  );
}
