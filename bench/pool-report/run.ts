/**
 * Runs the pool and what it is compared with on public traces and synthetic work, and writes what came out to
 * docs/reports/pool.md and the plots beside it:
 *
 *     npm run report -- pool --traces DIR
 *
 * bench/pool-report/ owns what is compared (matrix.ts), how it is measured (measure.ts), what is kept of it (cache.ts, rows-file.ts), what
 * was aimed at (aims.ts), how all of it is told (page.ts) and where that is written (place.ts). It does not own the simulator
 * or a policy (src/sim). Invariant: a number in the report is one that a row has; what has not run is named, not left out.
 */
import { resolve } from "node:path";
import { gather } from "./gather.ts";
import { leftOutOf } from "./left-out.ts";
import { scenes } from "./matrix.ts";
import { parseOptions, type ReportOptions, usage } from "./options.ts";
import { placeOf } from "./place.ts";
import { ReportError } from "./problem.ts";
import { writeReport } from "./write.ts";

const root = resolve(import.meta.dirname, "../..");
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const asked = parseOptions(process.argv.slice(2), root);
if (asked.kind === "help") process.stdout.write(usage);
else if (asked.kind === "refused") {
  process.stderr.write(`${asked.problem}\n${usage}`);
  process.exitCode = 2;
} else await report(asked.options);

async function report(options: ReportOptions): Promise<void> {
  const startedMs = performance.now();
  try {
    const gathered = await gather(options, root, say);
    say(`all rows after ${((performance.now() - startedMs) / 60_000).toFixed(1)} minutes`);
    const { folder, why } = placeOf(gathered, options, root);
    const date = new Date().toISOString().slice(0, 10);
    const leftOut = await leftOutOf(scenes, options);
    say(`written to ${await writeReport(gathered, { ...options, date, leftOut }, folder)}${why}`);
  } catch (error) {
    if (!(error instanceof ReportError)) throw error;
    say(error.message);
    process.exitCode = 2;
  }
}
