import type { Command } from "commander";
import type { Exit } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { pathOf } from "./control-client.ts";
import { whole } from "./numbers.ts";

type Options = CloudOptions & JsonOption;

export function addExitCommands(program: Command, context: CommandContext): void {
  const group = program.command("exit").description("a tenant's way out, with the dates of the Data Act and no fee");
  const { printer } = context;
  withJson(withCloud(group.command("begin <organisation>").description("begin an organisation's exit")))
    .option("--notice-days <days>", "days of notice; two months at most", whole(0, 62), 0)
    .option("--transition-days <days>", "days of transition; more than 30 where the tenant asks", whole(30, 214), 30)
    .action(async (organisation: string, options: Options & { noticeDays: number; transitionDays: number }) => {
      const { noticeDays, transitionDays } = options;
      const body = { organisation, noticeDays, transitionDays };
      show(await client(context, options).send<Exit>("POST", "/exits", body), options, context);
    });
  withJson(withCloud(group.command("status").description("exits and their dates"))).action(async (options: Options) => {
    const rows = await client(context, options).list<Exit>("/exits");
    if (options.json === true) return printer.json(rows);
    return printer.table<Exit>(
      [
        { title: "ID", text: ({ id }) => id },
        { title: "ORGANISATION", text: ({ organisation }) => organisation },
        { title: "STATE", text: ({ state }) => state },
        { title: "NOTICE UNTIL", text: ({ noticeUntil }) => noticeUntil },
        { title: "TRANSITION UNTIL", text: ({ transitionUntil }) => transitionUntil },
        { title: "DATA UNTIL", text: ({ retrievalUntil }) => retrievalUntil },
      ],
      rows,
      "Nobody leaves.",
    );
  });
  withRequired(
    withJson(withCloud(group.command("finish <exit>").description("end an exit with the organisation's erasure"))),
    "--yes",
    "it cannot be undone",
  ).action(async (id: string, options: Options) =>
    show(await client(context, options).send<Exit>("POST", pathOf`/exits/${id}/finish`), options, context),
  );
}

function show(found: Exit, { json }: JsonOption, { printer }: CommandContext): void {
  if (json === true) return printer.json(found);
  return printer.facts([
    ["exit", found.id],
    ["state", found.state],
    ["notice until", found.noticeUntil],
    ["transition until", found.transitionUntil],
    ["data can be fetched until", found.retrievalUntil],
    ["fee", found.fee],
    ...(found.erasure === null ? [] : [["erasure", found.erasure] as const]),
  ]);
}
