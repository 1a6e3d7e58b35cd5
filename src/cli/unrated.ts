import type { Command } from "commander";
import type { RatedLater, Unrated } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { whole } from "./numbers.ts";
import type { Column } from "./table.ts";

type Options = CloudOptions & JsonOption;

/** Usage that is on no invoice yet. */
export function addUnratedCommands(usage: Command, context: CommandContext): void {
  const { printer } = context;
  const group = usage.command("unrated").description("usage without a price, or that nobody has counted");
  withJson(withCloud(group.command("list").description("list it, the oldest first")))
    .option("--dropped", "what was written off instead, with who did so and why")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options & { dropped?: true }>();
      const dropped = options.dropped === true ? "true" : undefined;
      const rows = await client(context, options).list<Unrated>("/usage/unrated", { dropped });
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
          ...(options.dropped === true ? droppedColumns : []),
        ],
        rows,
        options.dropped === true ? "Nothing was dropped." : "Everything is rated.",
      );
    });
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
  addDrop(group, context);
}

const droppedColumns: readonly Column<Unrated>[] = [
  { title: "DROPPED", text: ({ dropped }) => (dropped === null ? "" : `${dropped.at} by ${dropped.by}`) },
  { title: "WHY", text: ({ dropped }) => dropped?.reason ?? "" },
];

function addDrop(group: Command, context: CommandContext): void {
  const { printer } = context;
  const drop = group
    .command("drop")
    .description("write one off that is never to be billed: it stays listed as dropped")
    .requiredOption("--number <number>", "this one, as `list` numbers it (required)", whole(1, Number.MAX_SAFE_INTEGER))
    .requiredOption("--reason <reason>", "why, for whoever looks for it later (required)");
  withJson(withCloud(drop)).action(async (_: unknown, command: Command) => {
    const options = command.optsWithGlobals<Options & { number: number; reason: string }>();
    const { number, reason } = options;
    const dropped = await client(context, options).send<Unrated>("POST", "/usage/unrated/drop", { number, reason });
    if (options.json === true) return printer.json(dropped);
    return printer.text(`${dropped.quantity ?? "An unknown quantity"} of ${dropped.sku} is dropped.\n`);
  });
}
