import type { Command } from "commander";
import type { ToldUsage, UsageRow } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import type { ControlClient } from "./control-client.ts";
import { addUnratedCommands } from "./unrated.ts";
import { addUsageExport, addUsageImport } from "./usage-files.ts";

interface FilterOptions extends CloudOptions, JsonOption {
  readonly organisation?: string;
  readonly project?: string;
  readonly key?: string;
  readonly model?: string;
  readonly from?: string;
  readonly to?: string;
  readonly told?: true;
}

export function addUsageCommands(program: Command, context: CommandContext): void {
  const group = program
    .command("usage")
    .description(
      "the requests that were served, by organisation, project, key, model and day; what other services have told: --told, or `usage export`",
    );
  addUsageImport(group, context);
  addUsageExport(group, context);
  addUnratedCommands(group, context);
  withJson(withCloud(group))
    .option("--organisation <organisation>", "one organisation's")
    .option("--project <project>", "one project's")
    .option("--key <key>", "one key's")
    .option("--model <model>", "one model's")
    .option("--from <day>", "from this day on (UTC)")
    .option("--to <day>", "up to this day (UTC), included")
    .option("--told", "instead, what other services have told of their usage, by organisation and SKU")
    .action(async (options: FilterOptions, command: Command) => {
      const cloud = client(context, options);
      if (options.told !== true) return printServed(cloud, options, context);
      if (isOfRequests(options)) {
        command.error("error: what other services tell has no project, key or model", { exitCode: 2 });
      }
      return printTold(cloud, options, context);
    });
}

function isOfRequests({ project, key, model }: FilterOptions): boolean {
  return [project, key, model].some((each) => each !== undefined);
}

async function printServed(cloud: ControlClient, options: FilterOptions, { printer }: CommandContext): Promise<void> {
  const { organisation, project, key, model, from, to } = options;
  const rows = await cloud.list<UsageRow>("/usage", { organisation, project, key, model, from, to });
  if (options.json === true) return printer.json(rows);
  const isTold = rows.length === 0 && !isOfRequests(options) && (await wasTold(cloud, options));
  return printer.table<UsageRow>(
    [
      { title: "DAY", text: ({ day }) => day },
      { title: "PROJECT", text: ({ organisation, project }) => `${organisation}/${project}` },
      { title: "KEY", text: ({ key }) => key },
      { title: "MODEL", text: ({ model }) => model },
      { title: "REQUESTS", text: ({ requests }) => String(requests), align: "right" },
      { title: "INPUT", text: ({ inputTokens }) => String(inputTokens), align: "right" },
      { title: "CACHED", text: ({ cachedInputTokens }) => String(cachedInputTokens), align: "right" },
      { title: "OUTPUT", text: ({ outputTokens }) => String(outputTokens), align: "right" },
      { title: "UNRATED", text: ({ unrated }) => String(unrated), align: "right" },
      { title: "AMOUNT", text: ({ amount, currency }) => `${amount} ${currency ?? ""}`.trim(), align: "right" },
    ],
    rows,
    isTold
      ? "No request was served. Other services have told of usage: `usage --told` adds it up, and `usage export` writes it."
      : "Nothing was used.",
  );
}

async function wasTold(cloud: ControlClient, { organisation, from, to }: FilterOptions): Promise<boolean> {
  const { items } = await cloud.get<{ readonly items: readonly ToldUsage[] }>("/usage/told", {
    organisation,
    from,
    to,
    limit: "1",
  });
  return items.length > 0;
}

async function printTold(
  cloud: ControlClient,
  { organisation, from, to, json }: FilterOptions,
  { printer }: CommandContext,
): Promise<void> {
  const rows = await cloud.list<ToldUsage>("/usage/told", { organisation, from, to });
  if (json === true) return printer.json(rows);
  return printer.table<ToldUsage>(
    [
      { title: "ORGANISATION", text: ({ organisation }) => organisation },
      { title: "SKU", text: ({ sku }) => sku },
      { title: "RECORDS", text: ({ records }) => String(records), align: "right" },
      { title: "QUANTITY", text: ({ quantity }) => quantity, align: "right" },
      { title: "NOT COUNTED", text: ({ uncounted }) => String(uncounted), align: "right" },
    ],
    rows,
    "No other service has told of usage.",
  );
}
