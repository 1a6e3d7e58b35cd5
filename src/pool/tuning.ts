/** A decision rule of the pool's (see pool.ts) that can be left out, to see what it gains. */
export type Rule =
  | "sharing"
  | "promptsFirst"
  | "leastSlack"
  | "lateCopies"
  | "lateLast"
  | "refusing"
  | "fairness"
  | "fewestFirst"
  | "foreseeing";

export const rules: readonly Rule[] = [
  "sharing",
  "promptsFirst",
  "leastSlack",
  "lateCopies",
  "lateLast",
  "refusing",
  "fairness",
  "fewestFirst",
  "foreseeing",
];

/** The numbers that the rules leave open. Defaults were chosen on synthetic work and judged on other traces. */
export interface Tuning {
  /** The least time that a turn has, so that changing turns does not eat them. */
  readonly minTurnMs: number;
  /** The most, where nothing else is due: then it is looked at again. */
  readonly maxTurnMs: number;
  /** Prompts are computed together up to this many tokens. */
  readonly prefillTokens: number;
  /** How long before its latest start a copy begins that takes the place of a model with work. */
  readonly loadMarginMs: number;
  /** The share of a device's time that promised tokens may need before it takes no more, at most. */
  readonly demandMax: number;
  /** The same where nobody who runs there is ahead of its deadlines. */
  readonly demandLeast: number;
  /** What their mean slack, in lengths of an answer, adds to it. */
  readonly slackWeight: number;
  /** The share of the time to the first token that copying all of a device's models once may take. */
  readonly copiesMax: number;
  /** What of that share counts as demand, where a model comes anew. */
  readonly copiesWeight: number;
  /** The share of its time to the first token that a model is to stay, its copy included, where no two like it fit. */
  readonly stayShare: number;
  /** What a device without the weights must be ahead by, in demand, of one that has them. */
  readonly residentBonus: number;
  /** The share of its time to the first token that a prompt may wait where its model runs, before it goes elsewhere. */
  readonly promptWaitShare: number;
  /** The share of its time to the first token that a prompt may wait before that counts against a device. */
  readonly waitShare: number;
  /** Share of the memory that is left to what the engine needs beside weights and KV. */
  readonly memoryShare: number;
  /** When a sequence that has missed a token is due again. */
  readonly lateMs: number;
  /** How long a model with answers under way may stand still while others are finished before it. */
  readonly stillMaxMs: number;
  /** How long a model may be at work while tenants wait that have had less. */
  readonly stintMs: number;
  /** Whether models are copied before anybody asks for them, where memory idles: in the order in which they were named. */
  readonly preloads: boolean;
  /** Whether an objective that no device could meet even when idle gives way to what one can. */
  readonly relaxes: boolean;
  /** Whether measured turns and copies correct the speeds that were predicted. */
  readonly learns: boolean;
  /** Rules that are left out: for measurements. */
  readonly without: readonly Rule[];
}

export const defaultTuning: Tuning = {
  minTurnMs: 50,
  maxTurnMs: 250,
  prefillTokens: 2_048,
  loadMarginMs: 2_500,
  demandMax: 1.2,
  demandLeast: 0.85,
  slackWeight: 2,
  copiesMax: 1,
  copiesWeight: 0.15,
  stayShare: 0.8,
  residentBonus: 0.25,
  promptWaitShare: 0.25,
  waitShare: 0.5,
  memoryShare: 0.95,
  lateMs: 20_000,
  stillMaxMs: 2_000,
  stintMs: 300_000,
  preloads: false,
  relaxes: false,
  learns: false,
  without: [],
};
