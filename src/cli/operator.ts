import type { Command } from "commander";
import type { CreatedOperator, Operator } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { pathOf } from "./control-client.ts";

type Options = CloudOptions & JsonOption;

export function addOperatorCommands(program: Command, context: CommandContext): void {
  const group = program.command("operator").description("operators: the people who run the cloud, by name");
  const { printer } = context;
  withJson(withCloud(group.command("add <name>").description("add an operator; the token is shown once")))
    .option("--country <country>", "where this person works, such as DE: policy asks for it before support access")
    .action(async (name: string, options: Options & { country?: string }) => {
      const { country = null } = options;
      const made = await client(context, options).send<CreatedOperator>("POST", "/operators", { name, country });
      if (options.json === true) return printer.json(made);
      printer.text(`${made.token}\n`);
      return printer.note(
        `Added the operator ${made.name} (${made.id}). The token is shown this once; commands take it with --token-file.`,
      );
    });
  withJson(withCloud(group.command("list").description("list operators, without their tokens"))).action(
    async (options: Options) => {
      const rows = await client(context, options).list<Operator>("/operators");
      if (options.json === true) return printer.json(rows);
      return printer.table<Operator>(
        [
          { title: "NAME", text: ({ name }) => name },
          { title: "ID", text: ({ id }) => id },
          { title: "COUNTRY", text: ({ country }) => country ?? "not said" },
          { title: "STATE", text: ({ revokedAt }) => (revokedAt === null ? "valid" : `revoked ${revokedAt}`) },
          { title: "ADDED BY", text: ({ createdBy }) => createdBy },
        ],
        rows,
        "There is nobody but the first operator, whose token lies in the data folder; `npx bailiwick operator add NAME` adds one.",
      );
    },
  );
  withJson(withCloud(group.command("revoke <operator>").description("revoke an operator's token for ever"))).action(
    async (operator: string, options: Options) => {
      const revoked = await client(context, options).send<Operator>("POST", pathOf`/operators/${operator}/revoke`);
      if (options.json === true) return printer.json(revoked);
      return printer.text(`${revoked.name} is revoked since ${revoked.revokedAt}.\n`);
    },
  );
}
