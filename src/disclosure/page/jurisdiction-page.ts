import type { InfrastructurePlace, JurisdictionReport } from "../jurisdiction.ts";
import { html } from "./markup.ts";
import { backingText, joined, measures, notFilledIn, pageOf, table } from "./parts.ts";

export function jurisdictionPage(report: JurisdictionReport): string {
  const { provider } = report;
  return pageOf(
    "Jurisdiction of the infrastructure",
    report.about,
    report.summary,
    html`<p>
        ${report.law}: the jurisdiction to which the infrastructure of each service is subject, and the measures against
        access by governments to non-personal data that is held in the Union, and against its transfer, where that would
        conflict with Union law or the law of a member state.
      </p>
      <dl class="about">
        <dt>Provider</dt>
        <dd>${provider.name ?? "not filled in"}</dd>
        <dt>Contact</dt>
        <dd>${provider.contact ?? "not filled in"}</dd>
      </dl>
      ${notFilledIn(report.notFilledIn)}
      <h2>Services</h2>
      ${report.services.map(
        ({ service, endpoints, places }) =>
          html` ${table<InfrastructurePlace>(
            `${service} (${endpoints.join(", ")})`,
            [
              { title: "Site", cell: ({ site }) => site },
              { title: "Jurisdiction", cell: ({ jurisdiction }) => jurisdiction ?? "not declared: public data only" },
              { title: "Run by", cell: ({ operator }) => operator ?? "not declared" },
              { title: "Its seat", cell: ({ operatorSeat }) => operatorSeat ?? "not declared" },
              { title: "Further laws", cell: ({ furtherLaws }) => joined(furtherLaws, "none declared") },
              { title: "Evidence", cell: ({ evidence }) => backingText(evidence) },
            ],
            places,
            "it is offered nowhere.",
          )}`,
      )}
      <h2>Measures</h2>
      ${measures(report.measures)}`,
  );
}
