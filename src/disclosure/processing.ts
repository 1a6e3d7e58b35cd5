import { type About, aboutReport } from "./about.ts";
import { type Backing } from "./evidence.ts";
import type { ControllerField, Declared, LiveProject, LiveState, Period, Recorded } from "./live-state.ts";
import { type Measure, measuresOf } from "./measures.ts";
import { sceneOf, siteBacking } from "./scene.ts";
import { type SubProcessor, subProcessors } from "./sub-processors.ts";
import { type Transfer, transfersReport } from "./transfers.ts";

export interface ProcessedProject {
  readonly id: string;
  readonly name: string;
  readonly dataClass: string;
  /** Where its data may be processed; empty: wherever its data class may be. */
  readonly mayBeProcessedIn: readonly string[];
  /** Where it may rest; null: where it may be processed. */
  readonly mayRestIn: readonly string[] | null;
  /** null: those of its data class. */
  readonly regimes: readonly string[] | null;
  /** What was done on the controller's behalf in the period, by kind. */
  readonly categories: readonly { readonly category: string; readonly endpoint: string; readonly requests: number }[];
}

/** A place at which data was processed in the period. */
export interface ProcessingPlace {
  readonly site: string;
  readonly jurisdiction: string | null;
  readonly operator: string | null;
  readonly requests: number;
  readonly evidence: Backing;
}

export interface ProcessingReport {
  readonly report: "processing";
  readonly about: About;
  readonly law: string;
  readonly processor: Declared["processor"];
  /** The controller on whose behalf the data is processed: the organisation. */
  readonly controller: { readonly id: string; readonly name: string; readonly contact: string };
  readonly projects: readonly ProcessedProject[];
  readonly places: readonly ProcessingPlace[];
  readonly rest: { readonly what: string; readonly where: string; readonly until: string }[];
  readonly transfers: {
    readonly summary: string;
    readonly made: readonly Transfer[];
    readonly reachable: readonly Transfer[];
    readonly notSeen: readonly string[];
  };
  readonly subProcessors: readonly SubProcessor[];
  readonly measures: ReturnType<typeof measuresOf>;
  /** Art. 30(1), as far as the operator has filled it in. */
  readonly controllerFields: readonly {
    readonly field: ControllerField;
    readonly article: string;
    readonly said: readonly string[];
  }[];
  readonly notFilledIn: readonly string[];
  readonly period: Period;
}

export type { Measure };

const categories: Readonly<Record<string, string>> = {
  "chat.completions": "computing answers to conversations",
  completions: "computing continuations of text",
  responses: "computing answers to conversations",
  messages: "computing answers to conversations",
  embeddings: "computing embeddings of text",
};

const controllerFields: readonly (readonly [ControllerField, string])[] = [
  ["purposes", "Art. 30(1)(b)"],
  ["dataSubjects", "Art. 30(1)(c)"],
  ["personalData", "Art. 30(1)(c)"],
  ["recipients", "Art. 30(1)(d)"],
  ["timeLimits", "Art. 30(1)(f)"],
];

/** The record that a processor keeps (GDPR, art. 30(2)), for one controller, so that it can be handed to it. */
export function processingReport(
  whole: LiveState,
  recordedOfAll: Recorded,
  organisation: { readonly id: string; readonly name: string },
): ProcessingReport {
  // What others have is taken away first: nothing below can name them.
  const state = { ...whole, projects: whole.projects.filter((each) => each.organisation.id === organisation.id) };
  const sums = recordedOfAll.sums.filter((sum) => sum.organisation.id === organisation.id);
  const recorded = { ...recordedOfAll, sums };
  const { summary, made, reachable, notSeen } = transfersReport(state, recorded, { area: "EEA", organisation });
  const { processor, controller } = state.declared;
  return {
    report: "processing",
    about: aboutReport(state, recorded),
    law: "Regulation (EU) 2016/679 (GDPR), art. 30(2), with the fields of art. 30(1) that the operator has filled in",
    processor,
    controller: { ...organisation, contact: "in the contract with the controller: no contact is kept here" },
    projects: state.projects
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((project) => projectOf(project, recorded)),
    places: placesOfProcessing(state, recorded),
    rest: whatRests(state),
    transfers: { summary, made, reachable, notSeen },
    subProcessors: subProcessors(state),
    measures: measuresOf(state),
    controllerFields: controllerFields.map(([field, article]) => ({ field, article, said: controller[field] })),
    notFilledIn: notFilledIn(state.declared),
    period: { from: recorded.from, to: recorded.to },
  };
}

function projectOf(project: LiveProject, { sums }: Recorded): ProcessedProject {
  const mine = sums.filter((sum) => sum.project.id === project.id);
  const endpoints = [...new Set(mine.map(({ endpoint }) => endpoint))].sort();
  return {
    id: project.id,
    name: project.name,
    dataClass: project.dataClass,
    mayBeProcessedIn: project.processing,
    mayRestIn: project.storage,
    regimes: project.regimes,
    categories: endpoints.map((endpoint) => ({
      category: categories[endpoint] ?? "computing by a model",
      endpoint,
      requests: requestsOf(mine.filter((sum) => sum.endpoint === endpoint)),
    })),
  };
}

function requestsOf(sums: Recorded["sums"]): number {
  return sums.reduce((sum, { requests }) => sum + requests, 0);
}

function placesOfProcessing(state: LiveState, { sums }: Recorded): readonly ProcessingPlace[] {
  const { standing } = sceneOf(state);
  const known = [state.gatewaySite, ...state.destinations.map(({ site }) => site)];
  return [...new Set(sums.map(({ site }) => site))].sort().map((site) => {
    const declared = standing.sites.get(site);
    const settings = known.find(({ name }) => name === site);
    return {
      site,
      jurisdiction: (declared ?? settings)?.jurisdiction ?? null,
      operator: (declared ?? settings)?.operator ?? null,
      requests: requestsOf(sums.filter((sum) => sum.site === site)),
      evidence: siteBacking(site, state),
    };
  });
}

function whatRests(state: LiveState): ProcessingReport["rest"] {
  const { gatewaySite, database, keeping } = state;
  const site = `site ${gatewaySite.name} (${sceneOf(state).gateway.jurisdiction ?? "no jurisdiction declared"})`;
  const where = database === "embedded" ? site : `${site}, and the database elsewhere, which is not seen from here`;
  const until = keeping.receiptDays === null ? "without an end" : `${keeping.receiptDays} days`;
  return [
    { what: "usage by request: times, counts of tokens, places, amounts; no content", where, until },
    { what: "receipts: salted digests of request and answer, places, decision; no content", where, until },
    {
      what: "prompts and answers",
      where: keeping.content ? where : "nowhere",
      until: keeping.content ? "as the project has asked" : "not beyond their request",
    },
  ];
}

function notFilledIn({ processor, controller }: Declared): readonly string[] {
  return [
    ...(processor.name === null ? ["disclosure.processor.name"] : []),
    ...(processor.contact === null ? ["disclosure.processor.contact"] : []),
    ...controllerFields
      .filter(([field]) => controller[field].length === 0)
      .map(([field]) => `disclosure.controller.${field}`),
  ];
}
