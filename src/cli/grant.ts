import type { Command } from "commander";
import type { Grant } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { pathOf } from "./control-client.ts";
import { seconds, secondsText } from "./duration.ts";

type Options = CloudOptions & JsonOption;

export function addGrantCommands(program: Command, context: CommandContext): void {
  const group = program
    .command("grant")
    .description("grants: staff look at a tenant's data for a time, once it approves");
  const { printer } = context;
  const create = withJson(withCloud(group.command("create").description("ask for a grant; the tenant approves it")));
  withRequired(create, "--project <project>", "whose data is looked at");
  withRequired(create, "--operator <name>", "who looks at it");
  create.requiredOption(
    "--for <time>",
    "how long it holds from its approval on, such as 2h; 7d at most (required)",
    seconds,
  );
  withRequired(create, "--reason <text>", "why, as the tenant reads it");
  create.action(async (options: Options & { project: string; operator: string; for: number; reason: string }) => {
    const { project, operator, reason } = options;
    const body = { project, operator, reason, seconds: options.for };
    const asked = await client(context, options).send<Grant>("POST", "/grants", body);
    if (options.json === true) return printer.json(asked);
    printer.text(`${asked.id}\n`);
    return printer.note(
      "It opens nothing before the tenant approves it, with a key that may: `bailiwick grant approve` or POST /control/v1/grants/{id}/approve.",
    );
  });
  withJson(withCloud(group.command("list").description("list grants, also those that are over")))
    .option("--project <project>", "those of one project")
    .action(async (options: Options & { project?: string }) => {
      const rows = await client(context, options).list<Grant>("/grants", { project: options.project });
      if (options.json === true) return printer.json(rows);
      return printer.table<Grant>(
        [
          { title: "ID", text: ({ id }) => id },
          { title: "PROJECT", text: ({ project }) => project },
          { title: "OPERATOR", text: ({ operator }) => operator },
          { title: "STATE", text: ({ state }) => state },
          { title: "FOR", text: (row) => secondsText(row.seconds) },
          { title: "UNTIL", text: ({ until }) => until ?? "" },
          { title: "REASON", text: ({ reason }) => reason },
        ],
        rows,
        "There is no grant: nobody of the staff looks at stored content.",
      );
    });
  for (const [name, description] of [
    ["approve", "approve a grant, with a key of the tenant's in --token-file"],
    ["end", "end a grant at once, from either side"],
  ] as const) {
    withJson(withCloud(group.command(`${name} <grant>`).description(description))).action(
      async (id: string, options: Options) => {
        const path = name === "approve" ? pathOf`/grants/${id}/approve` : pathOf`/grants/${id}/end`;
        const changed = await client(context, options).send<Grant>("POST", path);
        if (options.json === true) return printer.json(changed);
        return printer.text(
          `${changed.id} is ${changed.state}${changed.state === "active" ? ` until ${changed.until}` : ""}.\n`,
        );
      },
    );
  }
}
