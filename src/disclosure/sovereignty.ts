import { type About, aboutReport } from "./about.ts";
import {
  criteria,
  type ObjectiveId,
  objectiveOf,
  objectives,
  framework,
  sealLevels,
  type SealLevel,
  sourceOf,
} from "./criteria.ts";
import { type Backing, backingOf, counts, type Fact, type NotCounted, notCounted } from "./evidence.ts";
import type { LiveState, Recorded } from "./live-state.ts";
import { lookAt } from "./rules.ts";
import { doubtAbout } from "./rules/hardware.ts";
import { type Ceiling, lowest } from "./rules/finding.ts";
import { acceleratorsOf, hostsOf, type Scene, sceneOf } from "./scene.ts";

type Status = "computed" | "attested" | "open";

export interface AnsweredCriterion {
  readonly id: string;
  readonly title: string;
  readonly asks: string;
  readonly source: string;
  readonly status: Status;
  /** How it is computed where it can be; null: it cannot. */
  readonly rule: string | null;
  /** What the rule found; null: it decided nothing. */
  readonly answer: string | null;
  /** What the answer stands on; where there is none, what bears on it without deciding it. */
  readonly facts: readonly Fact[];
  readonly attestations: readonly Fact[];
  /** Of one that is open; null of others. */
  readonly wouldAnswer: string | null;
}

export interface AnsweredObjective {
  readonly id: ObjectiveId;
  readonly title: string;
  readonly weightPercent: number;
  /** An aid: the level above which it cannot be, by what was computed; null: nothing computed holds it down. */
  readonly ceiling: {
    readonly seal: SealLevel;
    readonly meaning: string;
    readonly because: string;
    readonly criterion: string;
  } | null;
  readonly criteria: readonly AnsweredCriterion[];
}

/** A machine here: what the operator declares of it, and what it says of itself. */
export interface Hardware {
  readonly host: string;
  readonly site: string;
  readonly reports: string | null;
  /** Why what it reports does not go with what the facts say; null: it does, or says nothing of it. */
  readonly doubt: string | null;
  /** null: the facts do not say. */
  readonly accelerators:
    | readonly {
        readonly name: string;
        readonly maker: string;
        readonly makerCountry: string;
        readonly madeIn: string | null;
        readonly exportClassification: string | null;
        readonly evidence: Backing;
      }[]
    | null;
}

export interface SovereigntyReport {
  readonly report: "sovereignty";
  readonly about: About;
  readonly framework: typeof framework;
  /** "20 of 48 criteria computed from live state, 3 attested, 25 open." */
  readonly summary: string;
  readonly counts: { readonly criteria: number } & Readonly<Record<Status, number>>;
  readonly objectives: readonly AnsweredObjective[];
  readonly hardware: readonly Hardware[];
  /** What the facts hold and nothing here counts. */
  readonly notCounted: readonly NotCounted[];
}

/** How far the cloud answers the Commission's framework: criterion by criterion, without a mark of our own. */
export function sovereigntyReport(state: LiveState, recorded: Recorded): SovereigntyReport {
  const scene = sceneOf(state);
  const answers = criteria.map((criterion) => answer(criterion, scene, recorded));
  const tally = (status: Status): number => answers.filter(({ told }) => told.status === status).length;
  const counted = {
    criteria: answers.length,
    computed: tally("computed"),
    attested: tally("attested"),
    open: tally("open"),
  };
  return {
    report: "sovereignty",
    about: aboutReport(state, recorded),
    framework,
    summary: `${counted.computed} of ${counted.criteria} criteria computed from live state, ${counted.attested} attested, ${counted.open} open.`,
    counts: counted,
    objectives: objectives.map((objective) => {
      const mine = answers.filter(({ told }) => objectiveOf(told) === objective.id);
      return { ...objective, ceiling: ceilingOf(mine), criteria: mine.map(({ told }) => told) };
    }),
    hardware: hostsOf(scene).map(({ destination }) => hardwareOf(destination, state)),
    notCounted: notCounted(state.facts, state.atMs),
  };
}

interface Answer {
  readonly told: AnsweredCriterion;
  readonly ceiling: Ceiling | undefined;
}

function answer(criterion: (typeof criteria)[number], scene: Scene, recorded: Recorded): Answer {
  const { id, title, asks, rule, wouldAnswer } = criterion;
  const found = lookAt(id, scene, recorded);
  const attestations = attestationsOf(id, scene.state);
  const isDecided = found.outcome === "decided";
  const status: Status = isDecided ? "computed" : attestations.length > 0 ? "attested" : "open";
  return {
    told: {
      id,
      title,
      asks,
      source: sourceOf(criterion),
      status,
      rule,
      answer: isDecided ? found.answer : null,
      facts: isDecided ? found.facts : found.bearing,
      attestations,
      wouldAnswer: status === "open" ? wouldAnswer : null,
    },
    ceiling: isDecided ? found.ceiling : undefined,
  };
}

function attestationsOf(id: string, { facts, atMs }: LiveState): readonly Fact[] {
  return (facts.attestations ?? [])
    .filter(({ criterion, evidence }) => criterion === id && counts(evidence, atMs))
    .map(({ text, evidence }) => ({ text, evidence: backingOf(evidence) }));
}

function ceilingOf(answers: readonly Answer[]): AnsweredObjective["ceiling"] {
  const found = lowest(answers.map(({ ceiling }) => ceiling));
  const from = answers.find(({ ceiling }) => ceiling === found);
  if (found === undefined || from === undefined) return null;
  return { seal: found.level, meaning: sealLevels[found.level], because: found.because, criterion: from.told.id };
}

function hardwareOf(
  { name, site, device }: { name: string; site: { name: string }; device: string | undefined },
  state: LiveState,
): Hardware {
  const parts = acceleratorsOf(name, state);
  return {
    host: name,
    site: site.name,
    reports: device ?? null,
    doubt: doubtAbout(device, parts) ?? null,
    accelerators:
      parts?.map((part) => ({
        name: part.name,
        maker: part.maker,
        makerCountry: part.makerCountry,
        madeIn: part.madeIn ?? null,
        exportClassification: part.exportClassification ?? null,
        evidence: backingOf(part.evidence),
      })) ?? null,
  };
}
