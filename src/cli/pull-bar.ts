import type { Clock } from "../base/index.ts";
import type { Output } from "./surroundings.ts";
import { printable } from "./table.ts";

/** A step of a pull. */
export interface PullStep {
  readonly phase: string;
  readonly source: string;
  readonly receivedBytes: number;
  readonly totalBytes?: number | null | undefined;
}

const redrawMs = 100;
const barWidth = 16;
/** A speed measured for less says nothing yet. */
const speedAfterMs = 500;
/** A name cut to less is left out. */
const leastNameWidth = 8;

/** A pull on the terminal: one line that is drawn again and again; elsewhere a line for each new phase. */
export class PullBar {
  readonly #output: Output;
  readonly #clock: Clock;
  #phase = "";
  #began = { atMs: 0, bytes: 0 };
  #drawnAtMs = -Infinity;
  #isOpen = false;

  constructor(output: Output, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
  }

  show(step: PullStep): void {
    const phase = `${step.phase} ${step.source}`;
    const isNew = phase !== this.#phase;
    const nowMs = this.#clock.monotonicMs();
    this.#phase = phase;
    // A resumed download does not begin at nothing.
    if (isNew) this.#began = { atMs: nowMs, bytes: step.receivedBytes };
    if (this.#output.isTTY !== true) {
      if (isNew) this.#output.write(`${printable(phase.trim())}\n`);
      return;
    }
    const isWhole = step.receivedBytes === step.totalBytes;
    if (!isNew && !isWhole && nowMs - this.#drawnAtMs < redrawMs) return;
    this.#drawnAtMs = nowMs;
    this.#isOpen = true;
    this.#output.write(`\r\u001B[K${this.#line(step, nowMs)}`);
  }

  /** Leaves the line as it stands: what is written next has a line of its own. */
  end(): void {
    if (this.#isOpen) this.#output.write("\n");
    this.#isOpen = false;
  }

  #line(step: PullStep, nowMs: number): string {
    const columns = (this.#output.columns ?? 80) - 1;
    const parts = [step.phase.padEnd(11), ...this.#measures(step, nowMs)];
    const known = parts.filter((part) => part !== "").join("  ");
    const name = shortened(step.source, columns - known.length - 2);
    return printable(name === "" ? known : `${known}  ${name}`).slice(0, columns);
  }

  #measures({ receivedBytes, totalBytes }: PullStep, nowMs: number): readonly string[] {
    const tookMs = nowMs - this.#began.atMs;
    const bytesPerMs = tookMs < speedAfterMs ? 0 : (receivedBytes - this.#began.bytes) / tookMs;
    const speed = bytesPerMs > 0 ? `${(bytesPerMs / 1e3).toFixed(1)} MB/s` : "";
    if (totalBytes === undefined || totalBytes === null || totalBytes === 0) {
      return [`${megabytes(receivedBytes)} MB`, speed];
    }
    const share = Math.min(1, receivedBytes / totalBytes);
    const done = Math.round(share * barWidth);
    const left = bytesPerMs > 0 && share < 1 ? `${timeText((totalBytes - receivedBytes) / bytesPerMs)} left` : "";
    return [
      "█".repeat(done) + "░".repeat(barWidth - done),
      `${String(Math.floor(share * 100)).padStart(3)} %`,
      `${megabytes(receivedBytes)} of ${megabytes(totalBytes)} MB`,
      speed,
      left,
    ];
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function timeText(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  return seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}

/** The end of a source's name tells most: the file, not where it comes from. */
function shortened(source: string, width: number): string {
  const name = source.length <= width ? source : (source.split(/[/#]/).at(-1) ?? "");
  if (name.length <= width) return name;
  return width < leastNameWidth ? "" : `…${name.slice(1 - width)}`;
}
