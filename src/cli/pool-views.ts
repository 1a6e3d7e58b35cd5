import type { PoolStatus } from "../gateway/control/index.ts";
import type { CommandFailure } from "./failure.ts";
import type { Line } from "./line.ts";
import { poolLines } from "./pool-text.ts";
import type { Printer } from "./printer.ts";
import type { Screen } from "./screen.ts";
import { printable } from "./table.ts";

/** What becomes of the answers of a watch. */
export interface PoolView {
  show(status: PoolStatus): void;
  /** There was no answer this time. */
  away(failure: CommandFailure): void;
  close(): void;
}

/** On a terminal: one picture in place. While nobody answers, the last one under the reason. */
export function screenView(screen: Screen, intervalSeconds: number): PoolView {
  const hint: Line = { text: `every ${intervalSeconds} s, Ctrl-C ends`, tone: "faint" };
  let last: PoolStatus | undefined;
  let picture: readonly Line[] = [];
  const timeOf = ({ at }: PoolStatus): string => `${at.slice(11, 19)} UTC`;
  return {
    show(status) {
      picture = poolLines(status, last);
      last = status;
      screen.show([{ ...hint, text: `${timeOf(status)}, ${hint.text}` }, { text: "" }, ...picture]);
    },
    away(failure) {
      const reason: Line = { text: printable(`${failure.message} (${failure.code})`), tone: "alarm" };
      const since = last === undefined ? "" : `Asked again and again; below is what was at ${timeOf(last)}.`;
      screen.show([hint, reason, { text: since }, { text: "" }, ...picture]);
    },
    close: () => screen.close(),
  };
}

/** Elsewhere: a block of lines for each answer, under its time. */
export function blockView(printer: Printer): PoolView {
  const outage = new Outage();
  let last: PoolStatus | undefined;
  return {
    show(status) {
      if (outage.ends()) printer.note("It answers again.");
      printer.lines([{ text: status.at }, ...poolLines(status, last), { text: "" }]);
      last = status;
    },
    away(failure) {
      if (outage.isNew(failure))
        printer.warnings([`${failure.message} (${failure.code}) It is asked again and again.`]);
    },
    close: () => undefined,
  };
}

/** For programs: each answer as JSON on a line of its own, each new reason of an absence as any error. */
export function jsonView(printer: Printer): PoolView {
  const outage = new Outage();
  return {
    show(status) {
      outage.ends();
      printer.text(`${JSON.stringify(status)}\n`);
    },
    away(failure) {
      if (outage.isNew(failure)) printer.failure(failure);
    },
    close: () => undefined,
  };
}

/** Why nobody answers at the moment, so that each reason is told once and not at every interval. */
class Outage {
  #reason: string | undefined;

  isNew({ message }: CommandFailure): boolean {
    const isNew = message !== this.#reason;
    this.#reason = message;
    return isNew;
  }
  /** Whether there was one. */
  ends(): boolean {
    const was = this.#reason !== undefined;
    this.#reason = undefined;
    return was;
  }
}
