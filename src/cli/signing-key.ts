import type { Command } from "commander";
import type { SigningKey } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { pathOf } from "./control-client.ts";

type Options = CloudOptions & JsonOption;
type Keys = { readonly items: readonly SigningKey[] };

export function addSigningKeyCommands(program: Command, context: CommandContext): void {
  const group = program.command("signing-key").description("the keys that receipts are signed with");
  const list = "list them, as the newest statement in the log has them";
  withJson(withCloud(group.command("list").description(list))).action(async (options: Options) =>
    show(await client(context, options).get<Keys>("/signing-keys"), options, context),
  );
  const rotate = "make a new one, and tell of it in the log; what the one before has signed holds";
  withJson(withCloud(group.command("rotate").description(rotate))).action(async (options: Options) =>
    show(await client(context, options).send<Keys>("POST", "/signing-keys/rotate"), options, context),
  );
  const revoke = "revoke one for ever: what it signed holds only as far as the log has it up to now";
  withJson(withCloud(group.command("revoke <key>").description(revoke))).action(async (key: string, options: Options) =>
    show(await client(context, options).send<Keys>("POST", pathOf`/signing-keys/${key}/revoke`), options, context),
  );
}

function show({ items }: Keys, { json }: JsonOption, { printer }: CommandContext): void {
  if (json === true) return printer.json(items);
  return printer.table<SigningKey>(
    [
      { title: "KEY", text: ({ id }) => id },
      { title: "STATUS", text: ({ status }) => status },
      { title: "SINCE", text: ({ since }) => since },
    ],
    items,
    "Nothing was stated of any key yet.",
  );
}
