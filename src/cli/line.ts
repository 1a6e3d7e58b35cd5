import { styleText } from "node:util";
import type { Output, Surroundings } from "./surroundings.ts";

/** A line for people. What its tone says its words say too: where there is no colour nothing is lost. */
export interface Line {
  readonly text: string;
  readonly tone?: Tone | undefined;
}

export type Tone = "strong" | "faint" | "alarm";

const styles: Readonly<Record<Tone, Parameters<typeof styleText>[0]>> = {
  strong: "bold",
  faint: "dim",
  alarm: ["bold", "red"],
};

/** The line as it is written; escape codes only where the output is to have colour. */
export function formatLine({ text, tone }: Line, isColoured: boolean): string {
  // Node's own look at the process's streams would be about another output than this one.
  return isColoured && tone !== undefined ? styleText(styles[tone], text, { validateStream: false }) : text;
}

/** Whether the output is a terminal that can do more than print line below line. */
export function isScreen(output: Output, environment: Surroundings["environment"]): boolean {
  return output.isTTY === true && environment["TERM"] !== "dumb";
}

/** https://no-color.org: a variable that is set and not empty means no colour. */
export function hasColour(output: Output, environment: Surroundings["environment"]): boolean {
  return isScreen(output, environment) && (environment["NO_COLOR"] ?? "") === "";
}
