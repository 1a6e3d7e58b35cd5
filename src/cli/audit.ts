import type { Command } from "commander";
import type { AuditEntry } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { whole } from "./numbers.ts";

interface Options extends CloudOptions, JsonOption {
  readonly organisation?: string;
  readonly project?: string;
  readonly actor?: string;
  readonly action?: string;
  readonly since?: string;
  readonly until?: string;
  readonly newest: number;
  readonly check?: boolean;
}

export function addAuditCommand(program: Command, context: CommandContext): void {
  const { printer } = context;
  withJson(withCloud(program.command("audit").description("who changed what, the newest first")))
    .option("--organisation <organisation>", "what concerns one organisation")
    .option("--project <project>", "what concerns one project")
    .option("--actor <name>", "what one operator, or one key, did")
    .option("--action <action>", "one operation, such as updateProject")
    .option("--since <time>", "from this instant on, such as 2026-12-31T12:00:00Z")
    .option("--until <time>", "before this instant")
    .option("--newest <count>", "so many at most", whole(1, 1000), 100)
    .option("--check", "read the whole log instead, and check that no entry was changed, taken out or put in")
    .action(async (options: Options) => {
      if (options.check === true) return check(options, context);
      const { organisation, project, actor, action, since, until, newest } = options;
      const query = { organisation, project, actor, action, since, until, limit: String(newest) };
      const { items } = await client(context, options).get<{ items: AuditEntry[] }>("/audit", query);
      if (options.json === true) return printer.json(items);
      return printer.table<AuditEntry>(
        [
          { title: "NUMBER", text: ({ number }) => String(number), align: "right" },
          { title: "AT", text: ({ at }) => at },
          { title: "WHO", text: (entry) => entry.actor.name },
          { title: "ACTION", text: (entry) => entry.action },
          { title: "OUTCOME", text: ({ outcome, code }) => code ?? outcome },
          { title: "OF", text: ({ object, project, organisation }) => object ?? project ?? organisation ?? "" },
          { title: "CHANGED", text: ({ changes }) => Object.keys(changes).join(" ") },
        ],
        items,
        "Nothing of that kind was done.",
      );
    });
}

/** Exit code 1: it is not as it was written. */
async function check(options: Options, context: CommandContext): Promise<void> {
  const { printer } = context;
  const entries = await client(context, options).list<AuditEntry>("/audit/chain");
  const { breakIn } = await import("../audit/index.ts");
  const broken = breakIn(entries, true);
  const head = entries.at(-1)?.hash ?? null;
  context.end(broken === undefined ? 0 : 1);
  if (options.json === true)
    return printer.json({ whole: broken === undefined, entries: entries.length, head, broken: broken ?? null });
  return printer.facts([
    ["audit log", broken === undefined ? "whole" : `BROKEN at ${broken.number}: ${broken.reason}`],
    ["entries", String(entries.length)],
    ["newest hash", head ?? "none"],
  ]);
}
