import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { ReportError } from "./problem.ts";
import type { Row } from "./row.ts";
import { filesOf } from "./workloads.ts";

/** Refuses a folder that lacks a trace, before rows have run for an hour without it. */
export function checkTraces(folder: string | undefined, rows: readonly Row[]): void {
  if (folder === undefined) return;
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new ReportError(`There is no folder ${folder} (--traces). Without --traces the traces' rows are left out.`);
  }
  const files = new Set(rows.flatMap(({ setting }) => filesOf(setting.workload)));
  const missing = [...files].filter((file) => !existsSync(join(folder, file)));
  if (missing.length === 0) return;
  throw new ReportError(
    `${folder} (--traces) lacks ${missing.join(", ")}. The report is made of all of them, or of none.`,
  );
}
