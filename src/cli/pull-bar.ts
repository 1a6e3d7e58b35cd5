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
const barWidth = 30;

/** A pull on the terminal: one line that is drawn again and again; elsewhere a line for each new phase. */
export class PullBar {
  readonly #output: Output;
  readonly #clock: Clock;
  #phase = "";
  #drawnAtMs = -Infinity;
  #isOpen = false;

  constructor(output: Output, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
  }

  show(step: PullStep): void {
    const phase = `${step.phase} ${step.source}`;
    const isNew = phase !== this.#phase;
    this.#phase = phase;
    if (this.#output.isTTY !== true) {
      if (isNew) this.#output.write(`${printable(`${step.phase} ${step.source}`.trim())}\n`);
      return;
    }
    const nowMs = this.#clock.monotonicMs();
    const isWhole = step.receivedBytes === step.totalBytes;
    if (!isNew && !isWhole && nowMs - this.#drawnAtMs < redrawMs) return;
    this.#drawnAtMs = nowMs;
    this.#isOpen = true;
    this.#output.write(`\r\u001B[K${this.#line(step)}`);
  }

  /** Leaves the line as it stands. */
  end(): void {
    if (this.#isOpen) this.#output.write("\n");
    this.#isOpen = false;
  }

  #line({ phase, source, receivedBytes, totalBytes }: PullStep): string {
    const columns = this.#output.columns ?? 80;
    const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
    if (totalBytes === undefined || totalBytes === null || totalBytes === 0) {
      return printable(`${phase}  ${megabytes(receivedBytes)}  ${source}`).slice(0, columns - 1);
    }
    const share = Math.min(1, receivedBytes / totalBytes);
    const done = Math.round(share * barWidth);
    const bar = "█".repeat(done) + "░".repeat(barWidth - done);
    const sizes = `${megabytes(receivedBytes)} of ${megabytes(totalBytes)}`;
    return printable(
      `${phase.padEnd(11)} ${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${sizes}  ${source}`,
    ).slice(0, columns - 1);
  }
}
