import { Cache } from "./cache.ts";
import { runRows } from "./crew.ts";
import { digestSources, keyOf as keyOfRow, traceDigests } from "./key.ts";
import { coreRows } from "./matrix.ts";
import type { ReportOptions } from "./options.ts";
import { overloadRows } from "./overload.ts";
import { publishedIn } from "./place.ts";
import { Results } from "./results.ts";
import type { Row } from "./row.ts";
import { readRows } from "./rows-file.ts";
import { checkBegun, checkPattern } from "./selection.ts";
import { sensitivityRows } from "./sensitivity.ts";
import { checkTraces } from "./traces.ts";

const threads = 2;
const rowMaxMs = 600_000;

export interface Gathered {
  readonly results: Results;
  /** All that belong to the report, known or not. */
  readonly rows: readonly Row[];
  /** What a row's result is kept under. */
  readonly keyOf: (row: Row) => string;
}

/**
 * Reads what is kept and runs what is not: first what stands alone, then what begins where that ended. Throws a
 * `ReportError` where what is asked for names no row or no traces.
 */
export async function gather(options: ReportOptions, root: string, say: (line: string) => void): Promise<Gathered> {
  const results = new Results();
  const all = [...coreRows(options.extent), ...sensitivityRows(options.extent)];
  checkPattern(options.only, all, options.traces !== undefined);
  checkTraces(options.traces, all);
  const keyOf = keying(options, root);
  const cache = new Cache(options.cache, readRows(publishedIn(root)));
  const core = all.filter((row) => isPossible(row, options));
  await run(core, { cache, keyOf, results }, options, say);
  const overload = overloadRows(results, options.extent);
  checkBegun(options.only, [...core, ...overload]);
  await run(overload, { cache, keyOf, results }, options, say);
  return { results, rows: [...core, ...overload], keyOf };
}

function isPossible({ setting }: Row, { traces }: ReportOptions): boolean {
  return setting.workload.kind === "synthetic" || traces !== undefined;
}

function keying({ traces }: ReportOptions, root: string): Gathered["keyOf"] {
  const digests = digestSources(root);
  const traceDigest = traceDigests(traces ?? "");
  return (row) => keyOfRow(row, digests, traceDigest);
}

async function run(
  rows: readonly Row[],
  { cache, keyOf, results }: Pick<Gathered, "results" | "keyOf"> & { readonly cache: Cache },
  { only, traces }: ReportOptions,
  say: (line: string) => void,
): Promise<void> {
  const missing: Row[] = [];
  for (const row of rows) {
    const kept = cache.read(keyOf(row));
    if (kept !== undefined) results.add(row, kept);
    else if (only === undefined || row.name.includes(only)) missing.push(row);
  }
  say(`${rows.length} rows, ${missing.length} to run`);
  const startedMs = performance.now();
  let done = 0;
  await runRows(missing, {
    threads,
    rowMaxMs,
    traces,
    answered(row, answer) {
      done++;
      if (answer.kind === "failure") results.failed(row, answer.message);
      else {
        const kept = { row, result: answer.result, tookMs: answer.tookMs };
        cache.write(keyOf(row), kept);
        results.add(row, kept);
      }
      const how = answer.kind === "failure" ? `FAILED: ${answer.message}` : `${(answer.tookMs / 1000).toFixed(1)} s`;
      const leftS = ((performance.now() - startedMs) / done / 1000) * (missing.length - done);
      say(`${done}/${missing.length}, about ${Math.ceil(leftS / 60)} minutes left: ${row.name}, ${how}`);
    },
  });
}
