import { closeSync, openSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Report } from "../disclosure/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { addRevenueReport } from "./report-revenue.ts";
import { parseInstant } from "./reservation.ts";

interface OutOption {
  readonly out?: string;
}

interface PeriodOptions {
  readonly from?: string;
  readonly to?: string;
}

type Options = CloudOptions & JsonOption & OutOption & PeriodOptions;
type Query = Readonly<Record<string, string | undefined>>;

export function addReportCommands(program: Command, context: CommandContext): void {
  const group = program.command("report").description("reports for authorities, customers and auditors");
  const add = (name: string, description: string) => withOut(group.command(name).description(description));
  withPeriod(
    add(
      "sovereignty",
      "how far the cloud answers the Commission's Cloud Sovereignty Framework, criterion by criterion",
    ),
  ).action((options: Options) => show(context, options, "sovereignty", period(options)));
  withPeriod(
    withRequired(
      add("processing", "the record of processing for one organisation (GDPR, art. 30(2)); it names no other"),
      "--organisation <organisation>",
      "whose",
    ),
  ).action((options: Options & { organisation: string }) =>
    show(context, options, "processing", { organisation: options.organisation, ...period(options) }),
  );
  withPeriod(add("transfers", "what was placed outside an area, to whom, under which law, on which basis"))
    .option("--area <area>", "a country, a group, EU or EEA", "EEA")
    .option("--organisation <organisation>", "one organisation's alone")
    .action((options: Options & { area: string; organisation?: string }) => {
      const { area, organisation } = options;
      return show(context, options, "transfers", { area, organisation, ...period(options) });
    });
  add("sub-processors", "who else handles tenants' data, and what has changed of that")
    .option("--since <time>", "with what has changed since a day or an instant", parseInstant)
    .action((options: Options & { since?: string }) =>
      show(context, options, "sub-processors", { since: options.since }),
    );
  add(
    "jurisdiction",
    "the law that each service's infrastructure is subject to, and measures against access by others (Data Act, art. 28)",
  ).action((options: Options) => show(context, options, "jurisdiction", {}));
  addRevenueReport(group, context);
  addLog(group, context);
}

/** HTML, or the JSON that it is made of: on standard output, or in a file. */
function withOut(command: Command): Command {
  return withJson(withCloud(command)).option("--out <file>", "write it there instead of on standard output");
}

function withPeriod(command: Command): Command {
  return command
    .option("--from <time>", "from this day or instant on; default: 30 days before --to", parseInstant)
    .option("--to <time>", "up to this day or instant, which is not in it; default: now", parseInstant);
}

function period({ from, to }: PeriodOptions): Query {
  return { from, to };
}

async function show(context: CommandContext, options: Options, name: string, query: Query): Promise<void> {
  // A report waits for what is not in the books yet, and looks through all of its period.
  const report = await client(context, options).get<Report>(`/reports/${name}`, query, { idleTimeoutMs: undefined });
  if (options.out === undefined && options.json === true) return context.printer.json(report);
  const { renderReport } = await import("../disclosure/index.ts");
  const text = options.json === true ? `${JSON.stringify(report, undefined, 2)}\n` : renderReport(report);
  return write(context, options, text);
}

function write({ printer, surroundings }: CommandContext, { out }: OutOption, text: string): void {
  if (out === undefined) return printer.text(text);
  const path = resolve(surroundings.currentFolder, out);
  writeFileSync(path, text);
  return printer.note(`Written to ${path}.`);
}

/** Where lines go as they come. Where the command fails on the way, the last line is missing, which says so. */
function sinkOf({ printer, surroundings }: CommandContext, { out }: OutOption) {
  if (out === undefined) return { write: (text: string) => printer.text(text), end: () => undefined };
  const path = resolve(surroundings.currentFolder, out);
  const file = openSync(path, "w");
  return {
    write: (text: string) => writeFileSync(file, text),
    end() {
      closeSync(file);
      printer.note(`Written to ${path}.`);
    },
  };
}

interface LogPart {
  readonly opening: object;
  readonly items: readonly { readonly line: "request" | "refusal" }[];
  readonly next: string | null;
}

const rowsPerPart = "1000";

function addLog(group: Command, context: CommandContext): void {
  const description =
    "a project's requests and refusals as lines of JSON, for a tenant whose own system is high-risk (AI Act, art. 12, 26(6))";
  withPeriod(
    withRequired(
      withCloud(group.command("ai-act-log").description(description))
        .option("--json", "lines of JSON, as without it")
        .option("--out <file>", "write it there instead of on standard output"),
      "--project <project>",
      "whose",
    ),
  ).action(async (options: Options & { project: string }) => {
    const cloud = client(context, options);
    // The end is said in the first question: what comes meanwhile is not in it, on whichever page.
    const to = options.to ?? new Date(context.surroundings.clock.nowMs()).toISOString();
    const query = { project: options.project, from: options.from, to, limit: rowsPerPart };
    const { logEnd } = await import("../disclosure/index.ts");
    const counted = { request: 0, refusal: 0 };
    const sink = sinkOf(context, options);
    const put = (lines: readonly object[]): void =>
      sink.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    let after: string | undefined;
    do {
      const part = await cloud.get<LogPart>("/reports/ai-act-log", { ...query, after }, { idleTimeoutMs: undefined });
      put(after === undefined ? [part.opening, ...part.items] : part.items);
      for (const { line } of part.items) counted[line] += 1;
      after = part.next ?? undefined;
    } while (after !== undefined);
    put([logEnd(counted.request, counted.refusal)]);
    sink.end();
  });
}
