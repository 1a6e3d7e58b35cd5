/**
 * Runs a demo by name:
 *
 *     npm run demo -- borders [--json] [--out DIR] [--engine fake] [--models DIR]
 *     npm run demo -- quarter [--json] [--out DIR]
 *
 * demo/ owns programs that show what Bailiwick does and check every word of it: they start it as its users do, use it by
 * its command line and over HTTP, and write what came of it to a folder. It does not own proof in depth, which is the
 * tests', nor figures, which are the benches'. Starting processes and asking is what test/end-to-end does too, and is
 * taken from there; of the product itself nothing is imported but the verifier that browsers get, and the command line, by the server of `quarter`
 * whose clock is put back.
 * Invariants: progress goes to standard error, what was found to standard output; the exit code is 0 only if everything
 * came as it was said beforehand; no process is left behind, however it ends.
 */
import { borders } from "./borders/borders.ts";
import { printed } from "./borders/text.ts";
import { endWithDemo, leave } from "./leaving.ts";
import { parseDemoOptions, usage } from "./options.ts";
import { quarter, type QuarterOptions } from "./quarter/quarter.ts";
import { printedQuarter } from "./quarter/text.ts";

/** Each says whether everything came as it was said. */
const demos = {
  borders: async (options: Parameters<typeof borders>[0] & { readonly json: boolean }) => {
    const found = await borders(options);
    process.stdout.write(printed(found));
    if (options.json) process.stdout.write(`${JSON.stringify(found)}\n`);
    return found.unmet.length === 0;
  },
  quarter: async (options: QuarterOptions & { readonly json: boolean }) => {
    const { unmet, ...told } = await quarter(options);
    process.stdout.write(printedQuarter({ ...told, unmet }));
    const { tokens, net, tax, gross, currency } = told;
    if (options.json) process.stdout.write(`${JSON.stringify({ tokens, net, tax, gross, currency })}\n`);
    return unmet.length === 0;
  },
};

const asked = parseDemoOptions(process.argv.slice(2));
if (asked.kind === "help") {
  process.stdout.write(usage);
} else if (asked.kind === "refused") {
  process.stderr.write(`${asked.problem}\n${usage}`);
  process.exitCode = 2;
} else {
  endWithDemo();
  try {
    const options = { ...asked.options, progress: (line: string) => void process.stderr.write(`${line}\n`) };
    process.exitCode = (await demos[asked.options.demo](options)) ? 0 : 1;
  } catch (error) {
    process.stderr.write(`The demo could not run: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    await leave();
  }
}
