import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { Metered, Recorded } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import type { ControlClient } from "./control-client.ts";
import { CommandFailure } from "./failure.ts";
import type { Printer } from "./printer.ts";
import { told } from "./workload.ts";

/** What goes into one call: the control API takes a MiB. */
const recordsAtOnce = 2_000;
const bytesAtOnce = 900_000;
/** Records between two words about how far it is. */
const saidEvery = 100_000;

/** Both commands have options that `usage` itself has: commander gives them to that one, wherever they stand. */
export function addUsageImport(group: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const description =
    "take what other services have metered: CSV, JSON lines or a list of JSON; records or CloudEvents, each with its id; what was taken before counts once";
  withJson(withCloud(group.command("import <file>").description(description))).action(
    async (path: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CloudOptions & JsonOption>();
      const file = resolve(surroundings.currentFolder, path);
      const sum = await told(() => importFile(file, client(context, options), printer), hint);
      if (options.json === true) return printer.json(sum);
      printer.warnings(unbilledIn(sum));
      const { accepted, duplicates } = sum;
      return printer.text(`${accepted} records were taken, and ${duplicates} were there before${ofThose(sum)}.\n`);
    },
  );
}

/** Of what was taken: what will be on no invoice as it is, and what will be on another one. */
function ofThose({ unrated, late }: Recorded): string {
  const told = [...(unrated === 0 ? [] : [`${unrated} unrated`]), ...(late === 0 ? [] : [`${late} late`])];
  return told.length === 0 ? "" : `; of those taken ${told.join(" and ")}`;
}

function unbilledIn({ unrated, late, warnings }: Recorded): readonly string[] {
  return [
    ...warnings,
    ...(unrated === 0
      ? []
      : [
          "what is unrated has no price or no quantity, and is on no invoice: `bailiwick usage unrated list` shows it with its reason",
        ]),
    ...(late === 0 ? [] : ["what is late was used in a closed period, and is billed with the next one"]),
  ];
}

const hint =
  "docs/reference/rate.md explains usage files. What was taken before it counts once: import the mended file again.";

async function importFile(path: string, cloud: ControlClient, printer: Printer): Promise<Recorded> {
  const { sentRecords } = await import("../metering/index.ts");
  const sum = { accepted: 0, duplicates: 0, unrated: 0, late: 0 };
  const warnings = new Set<string>();
  let [waiting, bytes, first] = [[] as unknown[], 0, 1];
  const send = async (): Promise<void> => {
    if (waiting.length === 0) return;
    const done = await sent(cloud, waiting, first);
    for (const count of counts) sum[count] += done[count];
    for (const warning of done.warnings) if (warnings.size < warningsMost) warnings.add(warning);
    const before = first;
    first += waiting.length;
    if (Math.floor(first / saidEvery) > Math.floor(before / saidEvery)) printer.note(`${first - 1} records are done`);
    [waiting, bytes] = [[], 0];
  };
  for await (const { fields } of sentRecords(path)) {
    const length = Buffer.byteLength(JSON.stringify(fields));
    if (waiting.length >= recordsAtOnce || bytes + length > bytesAtOnce) await send();
    waiting.push(fields);
    bytes += length + 1;
  }
  await send();
  return { ...sum, warnings: [...warnings] };
}

const warningsMost = 20;

const counts = ["accepted", "duplicates", "unrated", "late"] as const;

/** A call's records are counted from 1, and a file's too. */
async function sent(cloud: ControlClient, records: readonly unknown[], first: number): Promise<Recorded> {
  try {
    return await cloud.send<Recorded>("POST", "/usage", records);
  } catch (error) {
    if (!(error instanceof CommandFailure) || first === 1) throw error;
    const { code, message, next, reasons, param } = error;
    const inFile = (text: string): string =>
      text.replace(/\b([Rr]ecord) (\d+):/, (_, word: string, place: string) => `${word} ${Number(place) + first - 1}:`);
    throw new CommandFailure(code, inFile(message), { ...(next && { next }), reasons: reasons.map(inFile), param });
  }
}

interface ExportOptions extends CloudOptions {
  readonly format: "cloudevents" | "csv" | "jsonl";
  readonly organisation?: string;
  readonly from?: string;
  readonly until?: string;
}

export function addUsageExport(group: Command, context: CommandContext): void {
  withCloud(
    group
      .command("export")
      .description("write what was metered, one by one, on standard output, as `rate` and `usage import` read it"),
  )
    .addOption(
      new Option("--format <format>", "CloudEvents a line, CSV, or records a line")
        .choices(["cloudevents", "csv", "jsonl"])
        .default("cloudevents"),
    )
    .option("--organisation <organisation>", "one organisation's")
    .option("--from <instant>", "from this moment on, such as 2026-03-01T00:00:00Z")
    .option("--until <instant>", "up to this moment, which is not in it")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<ExportOptions>();
      const { usageText } = await import("../metering/index.ts");
      const { organisation, from, until, format } = options;
      const pages = client(context, options).pages<Metered>("/usage/metered", { organisation, from, until });
      for await (const text of usageText(format, pages)) context.printer.text(text);
    });
}
