import { widthPx } from "./look.ts";

/** What a figure is of. */
export interface Subject {
  readonly policy: string;
  /** As the operator named it: 16xH100. */
  readonly fleet: string;
  readonly workload: string;
  /** What the workload's models are, in turn. */
  readonly models: string;
  readonly objective: { readonly ttftMs: number; readonly tpotMs: number };
}

/** One bold line that says what came out, and below it what was asked. */
export function titleOf(text: string, { workload, models, objective }: Subject, more: readonly string[]): object {
  const asked = `${workload}, models ${models}; first token within ${timeOf(objective.ttftMs)}, then ${timeOf(objective.tpotMs)} a token`;
  return {
    text: lineOf(text, 15),
    subtitle: [asked, ...more].map((line) => lineOf(line, 12)),
    fontSize: 15,
    subtitleFontSize: 12,
    subtitleColor: "#333333",
    subtitlePadding: 4,
    offset: 14,
  };
}

/** Names of files and lists of models may be as long as they like; a figure is as wide as it is. */
function lineOf(text: string, fontSizePx: number): string {
  const most = Math.floor((widthPx + 60) / (0.52 * fontSizePx));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

export function timeOf(ms: number): string {
  return ms < 1000 ? `${number(ms)} ms` : ms < 120_000 ? `${number(ms / 1000)} s` : `${number(ms / 60_000)} min`;
}

export function percentOf(share: number): string {
  // Down, not to the nearest: 99.996 % is not all of them.
  return `${number(Math.floor(share * 10_000 + 1e-6) / 100)} %`;
}

function number(value: number): string {
  return String(Number(value.toFixed(2)));
}
