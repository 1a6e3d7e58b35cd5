import { resolve } from "node:path";
import type { Command } from "commander";
import type { Backup, CloudStatus, DestinationStatus } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import { placeText } from "./place.ts";

type Options = CloudOptions & JsonOption;

export function addStatusCommand(program: Command, context: CommandContext): void {
  const { printer } = context;
  const description = "whether everything runs; exit code 0: ready, 1: not ready or not running, 2: it cannot be told";
  withJson(withCloud(program.command("status").description(description))).action(async (options: Options) => {
    const found = await askStatus(context, options);
    if (found instanceof CommandFailure) {
      context.end(1);
      return printer.failure(found);
    }
    const { status, destinations } = found;
    context.end(status.ready ? 0 : 1);
    if (options.json === true) return printer.json({ ...status, destinations });
    printer.facts(factsOf(status));
    printer.text("\n");
    return printer.table<DestinationStatus>(
      [
        { title: "DESTINATION", text: ({ name }) => name },
        { title: "KIND", text: ({ kind }) => kind },
        { title: "STATE", text: ({ ready, reason }) => (ready ? "ready" : `not ready: ${reason ?? "unknown"}`) },
        { title: "SITE", text: ({ site }) => placeText(site) },
        { title: "ENGINE", text: ({ engine }) => engine.build },
        { title: "RUNNING", text: ({ running }) => String(running), align: "right" },
        { title: "MODELS", text: ({ models }) => models.map(({ name }) => name).join(" ") },
      ],
      destinations,
      "There is no destination: no request can run.",
    );
  });
}

/** Nothing runs there, or it is still starting. */
const notReadyCodes = ["not_running", "engine_unavailable"];

/** That nothing runs is an answer here, not a failure to get one. */
async function askStatus(context: CommandContext, options: Options) {
  try {
    const cloud = client(context, options);
    const status = await cloud.get<CloudStatus>("/status");
    return { status, destinations: await cloud.list<DestinationStatus>("/destinations") };
  } catch (error) {
    if (error instanceof CommandFailure && notReadyCodes.includes(error.code)) return error;
    throw error;
  }
}

export function addBackupCommand(program: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const description = "write a backup of database, journal and keys, while serving";
  withJson(withCloud(program.command("backup [folder]").description(description))).action(
    async (folder: string | undefined, options: Options) => {
      const body = folder === undefined ? {} : { path: resolve(surroundings.currentFolder, folder) };
      const taken = await client(context, options).sendPatiently<Backup>("/backups", body);
      if (options.json === true) return printer.json(taken);
      printer.text(`${taken.path}\n`);
      return printer.note("It holds keys and usage: keep it like the data folder itself.");
    },
  );
}

function factsOf(status: CloudStatus): readonly (readonly [string, string])[] {
  const { journal, database, log } = status;
  return [
    ["state", status.draining ? "stopping" : status.ready ? "ready" : "not ready"],
    ["url", status.url],
    ["site", placeText(status.site)],
    ["version", status.version],
    ["since", status.startedAt],
    ["in flight", String(status.requestsInFlight)],
    ["database", `${database.kind}, ${database.reachable ? "reachable" : "AWAY"}`],
    ["journal", `${journal.state}, ${journal.unshippedRecords} records wait for the database`],
    [
      "log",
      log.state === "open" ? `open, ${log.size} entries` : `${log.state.toUpperCase()}: ${log.reason} ${log.next}`,
    ],
  ];
}
