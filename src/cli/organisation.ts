import type { Command } from "commander";
import type { ChangedOrganisation, Organisation } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, requireChange, withJson } from "./context.ts";
import { type ControlClient, pathOf } from "./control-client.ts";
import { addPartyCommands } from "./party.ts";
import { currencyOf, describeLimits, type LimitOptions, limitsOf, withLimits } from "./limit-options.ts";

type Options = CloudOptions & JsonOption;

interface Prepaid {
  readonly prepaid?: boolean;
}

export function addOrganisationCommands(program: Command, context: CommandContext): void {
  const group = program.command("org").alias("organisation").description("organisations: who pays");
  const { printer } = context;

  leaf(group, "create <name>", "make an organisation", context).action(
    async (name: string, options: Options & LimitOptions & Prepaid) => {
      const cloud = client(context, options);
      const body = { name, prepaid: options.prepaid, limits: limitsOf(options) };
      const made = await cloud.send<ChangedOrganisation>("POST", "/organisations", body);
      printer.warnings(made.warnings);
      await show(context, cloud, made, options);
    },
  );
  withJson(withCloud(group.command("list").description("list organisations"))).action(async (options: Options) => {
    const cloud = client(context, options);
    const rows = await cloud.list<Organisation>("/organisations");
    if (options.json === true) return printer.json(rows);
    const currency = await currencyOf(
      cloud,
      rows.map(({ limits }) => limits),
    );
    return printer.table<Organisation>(
      [
        { title: "NAME", text: ({ name }) => name },
        { title: "ID", text: ({ id }) => id },
        { title: "LIMITS", text: ({ limits }) => describeLimits(limits, currency) },
        { title: "CREATED", text: ({ createdAt }) => createdAt.slice(0, 10) },
      ],
      rows,
      "There is no organisation yet; `npx bailiwick org create NAME` makes one.",
    );
  });
  withJson(withCloud(group.command("show <organisation>").description("show an organisation"))).action(
    async (organisation: string, options: Options) => {
      const cloud = client(context, options);
      await show(context, cloud, await cloud.get<Organisation>(pathOf`/organisations/${organisation}`), options);
    },
  );
  leaf(group, "update <organisation>", "change an organisation's name, limits, or whether it is prepaid", context)
    .option("--name <name>", "its new name")
    .action(async (name: string, options: Options & LimitOptions & Prepaid & { name?: string }, command: Command) => {
      requireChange(command);
      const cloud = client(context, options);
      const body = { name: options.name, prepaid: options.prepaid, limits: limitsOf(options) };
      const changed = await cloud.send<ChangedOrganisation>("PATCH", pathOf`/organisations/${name}`, body);
      printer.warnings(changed.warnings);
      await show(context, cloud, changed, options);
    });
  addPartyCommands(group, context);
}

function leaf(group: Command, name: string, description: string, { surroundings }: CommandContext): Command {
  return withJson(withCloud(withLimits(group.command(name).description(description), surroundings.clock)))
    .option("--prepaid", "it runs nothing that its wallet cannot pay for")
    .option("--no-prepaid", "it pays later, as far as its wallet does not pay");
}

async function show(
  { printer }: CommandContext,
  cloud: ControlClient,
  organisation: Organisation,
  { json }: JsonOption,
): Promise<void> {
  if (json === true) return printer.json(organisation);
  return printer.facts([
    ["name", organisation.name],
    ["id", organisation.id],
    ["pays", organisation.prepaid ? "in advance, from its wallet" : "later"],
    ["limits", describeLimits(organisation.limits, await currencyOf(cloud, [organisation.limits])) || "none"],
    ["created", organisation.createdAt],
  ]);
}
