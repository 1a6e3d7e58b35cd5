import { overloadName } from "./overload.ts";
import { loads, overloadPolicies, overloadScenes } from "./matrix.ts";
import { ReportError } from "./problem.ts";
import type { Row } from "./row.ts";

const called =
  "Rows are called such as capacity/64 models, Poisson/link/ours, bound/64 models, Poisson, reference/..., mixed/..., " +
  "ablation/..., sensitivity/... and overload/64 models, Poisson/ours/2; the report's last section names those that have not run.";

/** Refuses a pattern that no row's name has. `core`: all rows that stand alone, with and without traces. */
export function checkPattern(only: string | undefined, core: readonly Row[], hasTraces: boolean): void {
  if (only === undefined) return;
  const matching = core.filter(({ name }) => name.includes(only));
  if (overloadNames().some((name) => name.includes(only))) return;
  if (matching.length === 0) throw new ReportError(`No row's name has "${only}" (--only). ${called}`);
  if (!hasTraces && matching.every(({ setting }) => setting.workload.kind === "trace")) {
    throw new ReportError(`The rows whose name has "${only}" are of recorded traces: give their folder with --traces.`);
  }
}

/** Rows of overload begin where those of capacity ended, so that they may not be there although their names are. */
export function checkBegun(only: string | undefined, rows: readonly Row[]): void {
  if (only === undefined || rows.some(({ name }) => name.includes(only))) return;
  throw new ReportError(
    `The rows whose name has "${only}" begin with the fewest accelerators that the same policy's capacity/ row found, and ` +
      `that has not run: run it first, such as with --only "capacity/${overloadScenes[0]!.title}/link/ours".`,
  );
}

function overloadNames(): readonly string[] {
  return overloadScenes.flatMap((scene) =>
    overloadPolicies.flatMap((policy) => loads.map((load) => overloadName(scene, policy, load))),
  );
}
