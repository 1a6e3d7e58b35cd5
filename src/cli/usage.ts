import type { Command } from "commander";
import type { UsageRow } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { addUnratedCommands } from "./unrated.ts";
import { addUsageExport, addUsageImport } from "./usage-files.ts";

interface FilterOptions {
  readonly organisation?: string;
  readonly project?: string;
  readonly key?: string;
  readonly model?: string;
  readonly from?: string;
  readonly to?: string;
}

export function addUsageCommands(program: Command, context: CommandContext): void {
  const { printer } = context;
  const group = program.command("usage").description("what was used, by organisation, project, key, model and day");
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
    .action(async (options: CloudOptions & JsonOption & FilterOptions) => {
      const { organisation, project, key, model, from, to } = options;
      const filter = { organisation, project, key, model, from, to };
      const rows = await client(context, options).list<UsageRow>("/usage", filter);
      if (options.json === true) return printer.json(rows);
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
        "Nothing was used.",
      );
    });
}
