import type { AnsweredCriterion, AnsweredObjective, Hardware, SovereigntyReport } from "../sovereignty.ts";
import { html, type Markup } from "./markup.ts";
import { backingText, facts, list, pageOf, table } from "./parts.ts";

export function sovereigntyPage(report: SovereigntyReport): string {
  const { framework } = report;
  return pageOf(
    "Sovereignty report",
    report.about,
    report.summary,
    html`<p>
        ${framework.name} ${framework.version}, ${framework.publisher}: ${framework.source}. The criteria are those of
        ${framework.criteriaFrom}.
      </p>
      <p class="aid">
        There is no overall mark. A ceiling says only above which level an objective cannot be, by what was computed; it
        is an aid to reading, reaches nothing by itself, and another reader of the same evidence may set it lower.
        Weights are the framework's.
      </p>
      ${table<AnsweredObjective>(
        "Objectives",
        [
          { title: "Objective", cell: ({ id, title }) => `${id} ${title}` },
          { title: "Weight", cell: ({ weightPercent }) => `${weightPercent} %`, isNumber: true },
          { title: "Computed", cell: ({ criteria }) => tally(criteria, "computed"), isNumber: true },
          { title: "Attested", cell: ({ criteria }) => tally(criteria, "attested"), isNumber: true },
          { title: "Open", cell: ({ criteria }) => tally(criteria, "open"), isNumber: true },
          { title: "Ceiling (an aid)", cell: ceilingText },
        ],
        report.objectives,
        "",
      )}
      <h2>Hardware</h2>
      ${table<Hardware>(
        "Hosts and their accelerators",
        [
          { title: "Host", cell: ({ host }) => host },
          { title: "Site", cell: ({ site }) => site },
          {
            title: "It reports",
            cell: ({ reports, doubt }) => `${reports ?? "nothing"}${doubt === null ? "" : `; in doubt: ${doubt}`}`,
          },
          { title: "The facts say", cell: acceleratorsCell },
        ],
        report.hardware,
        "no host is running.",
      )}
      ${report.objectives.map(objectiveSection)}
      <h2>Not counted</h2>
      ${table(
        "Facts whose evidence does not count at this moment, which are in no answer",
        [
          { title: "What", cell: ({ what }) => what },
          { title: "Evidence", cell: ({ evidence }) => backingText(evidence) },
          { title: "Why", cell: ({ why }) => why },
        ],
        report.notCounted,
        "none.",
      )}`,
  );
}

function tally(criteria: readonly AnsweredCriterion[], status: AnsweredCriterion["status"]): number {
  return criteria.filter((each) => each.status === status).length;
}

function ceilingText({ ceiling }: AnsweredObjective): string {
  if (ceiling === null) return "nothing computed holds it down";
  return `no higher than SEAL-${ceiling.seal} because ${ceiling.because} (${ceiling.criterion})`;
}

function acceleratorsCell({ accelerators }: Hardware): Markup | string {
  if (accelerators === null) return "nothing";
  return list(
    accelerators.map(({ name, maker, makerCountry, madeIn, exportClassification, evidence }) => {
      const made = madeIn === null ? "" : `, made in ${madeIn}`;
      const control = exportClassification === null ? "" : `, ${exportClassification}`;
      return html`${`${name} by ${maker} (${makerCountry})${made}${control}`}
        <span class="quiet">[${backingText(evidence)}]</span>`;
    }),
  );
}

function objectiveSection(objective: AnsweredObjective): Markup {
  const { ceiling } = objective;
  return html` <section aria-labelledby="${objective.id}">
    <h2 id="${objective.id}">${objective.id} ${objective.title} (${objective.weightPercent} %)</h2>
    ${ceiling !== null && html`<p class="aid">Ceiling, an aid: ${ceilingText(objective)}. SEAL-${ceiling.seal}: ${ceiling.meaning}.</p>`}
    ${objective.criteria.map(criterionArticle)}
  </section>`;
}

function criterionArticle(criterion: AnsweredCriterion): Markup {
  const { id, title, asks, status, answer, rule, attestations, wouldAnswer } = criterion;
  return html` <article aria-labelledby="${id}">
    <h3 id="${id}">${id} ${title} <span class="status ${status}">${status}</span></h3>
    <p class="quiet">${asks}</p>
    ${answer !== null && html`<p>${answer}</p>`}
    ${
      attestations.length > 0 &&
      html`<p>Attested:</p>
        ${facts(attestations)}`
    }
    ${
      criterion.facts.length > 0 &&
      html`<p>${answer === null ? "Known, without deciding it:" : "By:"}</p>
        ${facts(criterion.facts)}`
    }
    ${wouldAnswer !== null && html`<p>Would answer it: ${wouldAnswer}</p>`}
    ${rule !== null && html`<p class="quiet">Rule: ${rule}</p>`}
  </article>`;
}
