import type { Command } from "commander";
import type { Party } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { pathOf } from "./control-client.ts";

type Options = CloudOptions & JsonOption;

/** Who an organisation is on its invoices. */
export function addPartyCommands(organisations: Command, context: CommandContext): void {
  const { printer } = context;
  const group = organisations.command("party").description("who an organisation is on its invoices");
  const print = async ({ party }: { readonly party: Party | null }, { json }: Options): Promise<void> => {
    if (json === true) return printer.json(party);
    const { stringify } = await import("yaml");
    return printer.text(party === null ? "Nobody has said so.\n" : stringify(party));
  };
  withJson(withCloud(group.command("show <organisation>").description("show it"))).action(
    async (organisation: string, options: Options) =>
      print(await client(context, options).get(pathOf`/organisations/${organisation}/party`), options),
  );
  withJson(
    withCloud(
      group
        .command("set <organisation> <file>")
        .description(
          "say it: legal name, address, tax id, electronic address; YAML or JSON, as a buyer of paper's parties",
        ),
    ),
  ).action(async (organisation: string, file: string, options: Options) => {
    const { readDocument } = await import("./document-file.ts");
    const { value } = readDocument(file, context.surroundings);
    const path = pathOf`/organisations/${organisation}/party`;
    return print(await client(context, options).send("PUT", path, value), options);
  });
}
