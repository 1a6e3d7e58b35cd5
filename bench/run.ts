/**
 * Runs benches by name and prints what they found:
 *
 *     npm run bench -- gateway engine [--quick] [--json] [--only bare,vllm-router]
 *     npm run bench -- log [--entries 1000000]
 *     npm run bench -- residency [--quick] [--json]
 *     npm run bench -- ledger [--entries 10000000]
 *
 * bench/ owns the programs that measure Bailiwick from outside, as a user runs it, beside its peers in the same run. It
 * does not own correctness, which is the tests'. A machine's noise is met by short alternating rounds, their medians and
 * ratios to a bare proxy, never by absolute figures. A missed aim is a result; the exit code tells of benches that could
 * not run.
 */
import { resolve } from "node:path";
import { engineBench } from "./engine.ts";
import { gatewayBench } from "./gateway.ts";
import { ledgerBench } from "./ledger.ts";
import { logBench } from "./log.ts";
import { parseBenchOptions, usageOf } from "./options.ts";
import { poolBench } from "./pool.ts";
import { residencyBench } from "./residency.ts";
import { type Bench, type BenchOptions, jsonLine, type Outcome, printed } from "./report.ts";

const benches: readonly Bench[] = [gatewayBench, engineBench, poolBench, logBench, residencyBench, ledgerBench];

const asked = parseBenchOptions(process.argv.slice(2), benches, resolve(import.meta.dirname, ".."));
if (asked.kind === "help") {
  process.stdout.write(usageOf(benches));
  process.exit(0);
}
if (asked.kind === "refused") {
  process.stderr.write(`${asked.problem}\n${usageOf(benches)}`);
  process.exit(2);
}

const { run: wanted } = asked;
for (const bench of benches.filter(({ name }) => wanted.names.includes(name))) {
  const outcome = await runOrSay(bench, { ...wanted, progress: (line) => process.stderr.write(`${line}\n`) });
  process.stdout.write(printed(bench.name, outcome));
  if (wanted.json) process.stdout.write(`${jsonLine(bench.name, outcome)}\n`);
}
process.exit(0);

/** A bench that cannot run says why in words. */
async function runOrSay(bench: Bench, options: BenchOptions): Promise<Outcome> {
  try {
    return await bench.run(options);
  } catch (error) {
    process.stderr.write(`${bench.name} could not run: ${error instanceof Error ? error.message : String(error)}\n`);
    return process.exit(1);
  }
}
