import { areaText, type LegalBasis, type Transfer, type TransfersReport } from "../transfers.ts";
import { html, type Markup } from "./markup.ts";
import { joined, list, pageOf, table } from "./parts.ts";

export function transfersPage(report: TransfersReport): string {
  const { area, organisation, lookedAt } = report;
  return pageOf(
    `Transfers outside ${areaText(area)}`,
    report.about,
    report.summary,
    html`<p>
        Looked at: ${lookedAt.requests}
        requests${organisation === null ? " of all organisations" : ` of ${organisation.name}`}.
      </p>
      ${transferTables(report, area)}`,
  );
}

export function transferTables(
  { made, reachable, notSeen }: Pick<TransfersReport, "made" | "reachable" | "notSeen">,
  area: string,
): Markup {
  return html` ${transferTable(`Made: processed outside ${areaText(area)}, or nobody has declared where`, made, "none.")}
    ${transferTable(`Reachable: processed inside ${areaText(area)}, at places that are reached from outside`, reachable, "none.")}
    <h3>What could not be seen</h3>
    ${list(notSeen)}`;
}

function transferTable(caption: string, rows: readonly Transfer[], empty: string): Markup {
  return table<Transfer>(
    caption,
    [
      { title: "Project and data", cell: projectText },
      { title: "Where, and by which models", cell: whereText },
      { title: "Importer", cell: importerText },
      { title: "Basis", cell: ({ basis }) => basisText(basis) },
      { title: "Requests", cell: ({ requests }) => requests, isNumber: true },
      { title: "Tokens", cell: tokensText, isNumber: true },
    ],
    rows,
    empty,
  );
}

function projectText({ organisation, project, dataClass }: Transfer): string {
  return `${organisation.name}/${project.name}: ${dataClass ?? "class not recorded"}`;
}

function whereText({ destination, way, models }: Transfer): string {
  const { kind, name, site, jurisdiction } = destination;
  const upstream = kind === "upstream" ? `upstream ${name}, ` : "";
  const reason = way === "access" || way === "law" ? `; reached by ${way}` : "";
  return `${upstream}site ${site} (${jurisdiction ?? "not declared"})${reason}: ${models.join(", ")}`;
}

function importerText({ importer: { name, seat, laws }, reachedFrom }: Transfer): string {
  const from =
    reachedFrom === null
      ? "from where it is reached is not declared"
      : `reached from ${joined(reachedFrom, "nowhere else")}`;
  return `${name ?? "not declared"}${seat === null ? "" : `, seat in ${seat}`}${laws.length === 0 ? "" : `; under the law of ${laws.join(", ")}`}; ${from}`;
}

function basisText({ adequacy, notCovered, asserted }: LegalBasis): Markup {
  const decisions = adequacy.map(({ country, decidedOn, source, scheme }) => {
    const holders = scheme === null ? "" : `, for holders of ${scheme}`;
    return `Adequacy of ${country}, decided on ${decidedOn}${holders}: ${source}`;
  });
  return list([
    ...decisions,
    ...(notCovered.length === 0 ? [] : [`No adequacy decision covers: ${notCovered.join(", ")}`]),
    ...(asserted === null ? [] : [`The tenant's assertion: ${asserted}`]),
    ...(asserted === null && adequacy.length === 0 ? ["None on record"] : []),
  ]);
}

function tokensText({ inputTokens, outputTokens, unrated }: Transfer): string {
  return `${inputTokens} in, ${outputTokens} out${unrated === 0 ? "" : `; of ${unrated} not known`}`;
}
