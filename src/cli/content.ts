import type { Command } from "commander";
import type { StoredContent, StoredListing } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { pathOf } from "./control-client.ts";

interface Options extends CloudOptions, JsonOption {
  readonly project?: string;
  readonly subject?: string;
  readonly since?: string;
  readonly until?: string;
}

/** With a tenant's key in `--token-file`, or a named operator's token and a grant. */
export function addContentCommands(program: Command, context: CommandContext): void {
  const { printer } = context;
  const group = program
    .command("content")
    .description("stored requests and answers: with a tenant's key, or under a grant");
  withJson(withCloud(group.command("list").description("list what is kept, without what it says")))
    .option("--project <project>", "of one project")
    .option("--subject <pseudonym>", "of one person, as requests name it in `bailiwick-subject`")
    .option("--since <time>", "from this instant on")
    .option("--until <time>", "before this instant")
    .action(async (options: Options) => {
      const { project, subject, since, until } = options;
      const rows = await client(context, options).list<StoredListing>("/contents", { project, subject, since, until });
      if (options.json === true) return printer.json(rows);
      return printer.table<StoredListing>(
        [
          { title: "REQUEST", text: ({ request }) => request },
          { title: "AT", text: ({ at }) => at },
          { title: "UNTIL", text: (row) => row.until },
          { title: "DATA", text: ({ dataClass }) => dataClass },
          { title: "MODEL", text: ({ model }) => model },
          { title: "ENDPOINT", text: ({ endpoint }) => endpoint },
        ],
        rows,
        "Nothing is kept; a project asks for it with `npx bailiwick project update PROJECT --keep-content 30d`.",
      );
    });
  withJson(withCloud(group.command("show <request>").description("open a stored request and its answer")))
    .option("--project <project>", "its project; operators name it")
    .action(async (request: string, options: Options) => {
      const { project } = options;
      const found = await client(context, options).get<StoredContent>(pathOf`/contents/${request}`, { project });
      if (options.json === true) return printer.json(found);
      printer.facts([
        ["request", found.request],
        ["at", found.at],
        ["kept until", found.until],
        ["subject", found.subject ?? "none"],
        ["complete", found.complete ? "yes" : "no: the client left early"],
      ]);
      printer.text(`\n${textOf(found.input)}\n\n${textOf(found.output)}\n`);
      return undefined;
    });
}

/** What a client and a model have written must not steer the terminal: JSON shows control characters as escapes. */
function textOf({ text, base64 }: StoredContent["input"]): string {
  return (text ?? base64 ?? "").replaceAll(/[^\P{Cc}\n\t]/gu, " ");
}
