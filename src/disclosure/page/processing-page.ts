import type { ProcessedProject, ProcessingPlace, ProcessingReport } from "../processing.ts";
import { html } from "./markup.ts";
import { backingText, joined, list, measures, notFilledIn, pageOf, table } from "./parts.ts";
import { subProcessorTable } from "./sub-processors-page.ts";
import { transferTables } from "./transfers-page.ts";

export function processingPage(report: ProcessingReport): string {
  const { processor, controller } = report;
  return pageOf(
    `Record of processing for ${controller.name}`,
    report.about,
    `What is processed on behalf of ${controller.name} (${controller.id}).`,
    html`<p>${report.law}.</p>
      ${notFilledIn(report.notFilledIn)}
      <h2>Who</h2>
      <dl class="about">
        <dt>Processor</dt>
        <dd>${processor.name ?? "not filled in"}</dd>
        <dt>Contact</dt>
        <dd>${processor.contact ?? "not filled in"}</dd>
        <dt>Representative</dt>
        <dd>${processor.representative ?? "none named"}</dd>
        <dt>Data protection officer</dt>
        <dd>${processor.dataProtectionOfficer ?? "none named"}</dd>
        <dt>Controller</dt>
        <dd>${controller.name} (${controller.id})</dd>
        <dt>Its contact</dt>
        <dd>${controller.contact}</dd>
      </dl>
      <h2>What is processed</h2>
      ${table<ProcessedProject>(
        "Projects and categories of processing (art. 30(2)(b))",
        [
          { title: "Project", cell: ({ name }) => name },
          { title: "Data class", cell: ({ dataClass }) => dataClass },
          {
            title: "May be processed in",
            cell: (each) => joined(each.mayBeProcessedIn, "wherever its data class may be"),
          },
          {
            title: "May rest in",
            cell: ({ mayRestIn }) => (mayRestIn === null ? "where it may be processed" : joined(mayRestIn, "nowhere")),
          },
          {
            title: "Regimes",
            cell: ({ regimes }) => (regimes === null ? "those of its data class" : joined(regimes, "none")),
          },
          {
            title: "Categories in the period",
            cell: ({ categories }) =>
              categories.length === 0
                ? "none"
                : list(categories.map((each) => `${each.category} (${each.endpoint}): ${each.requests} requests`)),
          },
        ],
        report.projects,
        "it has no project.",
      )}
      ${table<ProcessingPlace>(
        "Places of processing in the period",
        [
          { title: "Site", cell: ({ site }) => site },
          { title: "Jurisdiction", cell: ({ jurisdiction }) => jurisdiction ?? "not declared" },
          { title: "Run by", cell: ({ operator }) => operator ?? "not declared" },
          { title: "Requests", cell: ({ requests }) => requests, isNumber: true },
          { title: "Evidence", cell: ({ evidence }) => backingText(evidence) },
        ],
        report.places,
        "nothing was processed.",
      )}
      ${table<ProcessingReport["rest"][number]>(
        "What rests, where, and for how long",
        [
          { title: "What", cell: ({ what }) => what },
          { title: "Where", cell: ({ where }) => where },
          { title: "Until", cell: ({ until }) => until },
        ],
        report.rest,
        "nothing.",
      )}
      <h2>Transfers (art. 30(2)(c))</h2>
      <p>${report.transfers.summary}</p>
      ${transferTables(report.transfers, "EEA")}
      <h2>Sub-processors</h2>
      ${subProcessorTable("Sub-processors that the facts list", report.subProcessors)}
      <h2>Security measures (art. 30(2)(d))</h2>
      ${measures(report.measures)}
      <h2>Fields of art. 30(1), as the operator has filled them in</h2>
      ${table<ProcessingReport["controllerFields"][number]>(
        "Fields",
        [
          { title: "Field", cell: ({ field }) => field },
          { title: "Article", cell: ({ article }) => article },
          { title: "Said", cell: ({ said }) => (said.length === 0 ? "not filled in" : list(said)) },
        ],
        report.controllerFields,
        "none.",
      )}`,
  );
}
