import type { Command } from "commander";
import type { AlertTold } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";

export function addAlertCommands(program: Command, context: CommandContext): void {
  const { printer } = context;
  const group = program
    .command("alert")
    .description("thresholds of budgets and wallets that were reached, and unrated usage");
  withJson(withCloud(group.command("list").description("list alerts, the newest first"))).action(
    async (options: CloudOptions & JsonOption) => {
      const rows = await client(context, options).list<AlertTold>("/alerts");
      if (options.json === true) return printer.json(rows);
      return printer.table<AlertTold>(
        [
          { title: "NUMBER", text: ({ number }) => String(number), align: "right" },
          { title: "AT", text: ({ at }) => at },
          { title: "MESSAGE", text: ({ message }) => message },
          {
            title: "DELIVERED",
            text: ({ deliveries }) => deliveries.map(({ channel, state }) => `${channel}: ${state}`).join(", "),
          },
        ],
        rows,
        "There was nothing to be told.",
      );
    },
  );
}
