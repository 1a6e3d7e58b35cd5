import { Writable } from "node:stream";
import type { PullBar } from "./pull-bar.ts";
import type { Output } from "./surroundings.ts";
import { printable } from "./table.ts";

/**
 * Log lines for whoever watches a terminal: in words, and each on a line of its own, whatever progress is shown. While
 * the cloud starts its steps are shown instead of what is merely informative.
 */
export function terminalLog(output: Output, bar: PullBar, isStarting: () => boolean): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _, done) {
      const line = inWords(String(chunk).trim());
      if (!(isStarting() && line.level === "info")) {
        bar.end();
        output.write(`${printable(line.text)}\n`);
      }
      done();
    },
  });
}

function inWords(json: string): { readonly level: string; readonly text: string } {
  const { level, time, msg, ...facts } = JSON.parse(json) as Readonly<Record<string, unknown>>;
  const said = Object.entries(facts).map(([name, value]) => `${name}: ${textOf(value)}`);
  const more = said.length === 0 ? "" : ` (${said.join(", ")})`;
  return {
    level: textOf(level),
    text: `${textOf(time).slice(11, 19)} ${textOf(level).padEnd(5)} ${textOf(msg)}${more}`,
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
