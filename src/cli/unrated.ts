import type { Command } from "commander";
import type { RatedLater, Unrated } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { whole } from "./numbers.ts";

type Options = CloudOptions & JsonOption;

/** Usage that is on no invoice yet. */
export function addUnratedCommands(usage: Command, context: CommandContext): void {
  const { printer } = context;
  const group = usage.command("unrated").description("usage without a price, or that nobody has counted");
  withJson(withCloud(group.command("list").description("list it, the oldest first"))).action(
    async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const rows = await client(context, options).list<Unrated>("/usage/unrated");
      if (options.json === true) return printer.json(rows);
      return printer.table<Unrated>(
        [
          { title: "NUMBER", text: ({ number }) => String(number), align: "right" },
          { title: "AT", text: ({ at }) => at },
          { title: "ORGANISATION", text: ({ organisation, organisationName }) => organisationName ?? organisation },
          { title: "SKU", text: ({ sku }) => sku },
          { title: "QUANTITY", text: ({ quantity }) => quantity ?? "not known", align: "right" },
          { title: "REASON", text: ({ reason }) => reason },
          { title: "FROM", text: ({ reference }) => reference },
        ],
        rows,
        "Everything is rated.",
      );
    },
  );
  withJson(withCloud(group.command("rate").description("rate what has a price by now, under the price book in force")))
    .option("--number <number>", "this one only", whole(1, Number.MAX_SAFE_INTEGER))
    .option("--quantity <quantity>", "how much it was, where nobody had counted; 0: nothing of it is billed")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options & { number?: number; quantity?: string }>();
      const { number, quantity } = options;
      const cloud = client(context, options);
      const done = await cloud.sendPatiently<RatedLater>("/usage/unrated/rate", { number, quantity });
      if (options.json === true) return printer.json(done);
      return printer.text(`${done.rated} were rated, and ${done.left} are left.\n`);
    });
}
