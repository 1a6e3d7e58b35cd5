/**
 * Runs the pool and what it is compared with on public traces and synthetic work, and writes what came out to
 * docs/reports/pool.md and the plots beside it:
 *
 *     npm run report -- pool --traces DIR
 *
 * bench/pool-report/ owns what is compared (matrix.ts), how it is measured (measure.ts), what is kept of it (cache.ts) and
 * how it is told (page.ts). It does not own the simulator or a policy (src/sim). Invariant: a number in the report is one
 * that a row has; what has not run is named, not left out.
 */
import { join, resolve } from "node:path";
import { gather } from "./gather.ts";
import { parseOptions, usage } from "./options.ts";
import { writeReport } from "./write.ts";

const root = resolve(import.meta.dirname, "../..");
const options = parseOptions(process.argv.slice(2), root);
if (options === undefined) {
  process.stderr.write(usage);
  process.exit(2);
}
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const startedMs = performance.now();
const gathered = await gather(options, root, say);
say(`all rows after ${((performance.now() - startedMs) / 60_000).toFixed(1)} minutes`);
// A quick run's figures mean little, so they do not take the place of the report.
const folder = options.isQuick ? join(options.cache, "quick") : join(root, "docs/reports");
const date = new Date().toISOString().slice(0, 10);
say(`written to ${await writeReport(gathered, { ...options, date }, folder)}`);
