import type { Command } from "commander";
import type { Organisation } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { pathOf } from "./control-client.ts";
import { describeLimits, type LimitOptions, limitsOf, withLimits } from "./limit-options.ts";

type Options = CloudOptions & JsonOption;

export function addOrganisationCommands(program: Command, context: CommandContext): void {
  const group = program.command("org").alias("organisation").description("organisations: who pays");
  const { printer } = context;

  leaf(group, "create <name>", "make an organisation", context).action(
    async (name: string, options: Options & LimitOptions) => {
      const made = await client(context, options).send<Organisation>("POST", "/organisations", {
        name,
        limits: limitsOf(options),
      });
      show(context, made, options);
    },
  );
  withJson(withCloud(group.command("list").description("list organisations"))).action(async (options: Options) => {
    const rows = await client(context, options).list<Organisation>("/organisations");
    if (options.json === true) return printer.json(rows);
    return printer.table<Organisation>(
      [
        { title: "NAME", text: ({ name }) => name },
        { title: "ID", text: ({ id }) => id },
        { title: "LIMITS", text: ({ limits }) => describeLimits(limits) },
        { title: "CREATED", text: ({ createdAt }) => createdAt.slice(0, 10) },
      ],
      rows,
      "There is no organisation yet; `bailiwick org create NAME` makes one.",
    );
  });
  withJson(withCloud(group.command("show <organisation>").description("show an organisation"))).action(
    async (organisation: string, options: Options) => {
      show(context, await client(context, options).get<Organisation>(pathOf`/organisations/${organisation}`), options);
    },
  );
  leaf(group, "update <organisation>", "change an organisation's name or limits", context)
    .option("--name <name>", "its new name")
    .action(async (organisation: string, options: Options & LimitOptions & { name?: string }) => {
      const body = { name: options.name, limits: limitsOf(options) };
      const changed = await client(context, options).send<Organisation>(
        "PATCH",
        pathOf`/organisations/${organisation}`,
        body,
      );
      show(context, changed, options);
    });
}

function leaf(group: Command, name: string, description: string, { surroundings }: CommandContext): Command {
  return withJson(withCloud(withLimits(group.command(name).description(description), surroundings.clock)));
}

function show({ printer }: CommandContext, organisation: Organisation, { json }: JsonOption): void {
  if (json === true) return printer.json(organisation);
  return printer.facts([
    ["name", organisation.name],
    ["id", organisation.id],
    ["limits", describeLimits(organisation.limits) || "none"],
    ["created", organisation.createdAt],
  ]);
}
