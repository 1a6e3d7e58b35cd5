/** One thing that was looked at. */
export interface Finding {
  readonly name: string;
  /**
   * ok: there and usable. none: not there, and not needed. missing: not there, and something cannot be done without it.
   * problem: something must be done. unknown: it could not be told.
   */
  readonly status: "ok" | "none" | "missing" | "problem" | "unknown";
  readonly detail: string;
  /** What to do about it, where there is something to do. */
  readonly next?: string;
}

/** A device that models can run on, beside the CPU. */
export interface Accelerator {
  readonly kind: "nvidia" | "amd" | "ascend" | "metal";
  /** As its own tool numbers it. */
  readonly index: number;
  readonly name: string;
  /** undefined where the tool does not say, as for memory that is shared with the CPU. */
  readonly memoryBytes: number | undefined;
  readonly driver: string | undefined;
}

export interface DoctorReport {
  readonly findings: readonly Finding[];
  readonly accelerators: readonly Accelerator[];
}

const marks = { ok: "ok     ", none: "none   ", missing: "missing", problem: "PROBLEM", unknown: "unknown" } as const;

/** The report for people: a line for each finding, what to do below it, and a sum at the end. */
export function renderDoctor(report: DoctorReport): string {
  const width = Math.max(...report.findings.map((finding) => finding.name.length), 0);
  const lines = report.findings.flatMap((finding) => {
    const line = `${marks[finding.status]}  ${finding.name.padEnd(width)}  ${finding.detail}`;
    return finding.next === undefined ? [line] : [line, `${" ".repeat(width + 11)}-> ${finding.next}`];
  });
  const problems = report.findings.filter((finding) => finding.status === "problem").length;
  const sum =
    problems === 0
      ? nothingInTheWay(report)
      : `${problems} ${problems === 1 ? "thing needs" : "things need"} attention.`;
  return `${lines.join("\n")}\n\n${sum}\n`;
}

function nothingInTheWay({ findings }: DoctorReport): string {
  const isWhole = findings.every(({ status }) => status !== "missing");
  return isWhole
    ? "Nothing stands in the way."
    : "Nothing stands in the way of a start; what is missing is needed for what stands beside it only.";
}

export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
