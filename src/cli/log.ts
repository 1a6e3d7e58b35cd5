import { resolve } from "node:path";
import type { Command } from "commander";
import type { LogStatus } from "../gateway/control/index.ts";
import { type CloudOptions, dataOption, urlOf, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { CommandFailure, parsed } from "./failure.ts";
import { readLogs } from "./log-keys.ts";
import { readerAt, tilesAt } from "./log-tiles.ts";
import type { Printer } from "./printer.ts";
import { readBounded } from "./read-file.ts";
import {
  datedBy,
  type DatedCheckpoint,
  datedFacts,
  datedJson,
  type TimestampOptions,
  withTimestamp,
} from "./timestamp.ts";

type Options = CloudOptions & JsonOption;

export function addLogCommands(program: Command, context: CommandContext): void {
  const group = program.command("log").description("the transparency log: what it holds, and whether it only grows");
  addShow(group, context);
  addCheckpoint(group, context);
  addVerify(group, context);
  addChanges(group, context);
}

function addShow(group: Command, context: CommandContext): void {
  withJson(withCloud(group.command("show").description("show the log: its state, keys and witnesses"))).action(
    async (options: Options) =>
      showLog(await client(context, options).get<LogStatus>("/log"), options, context.printer),
  );
}

export function showLog(status: LogStatus, { json }: JsonOption, printer: Printer): void {
  if (json === true) return printer.json(status);
  const { state, reason, next, origin, size, keys, statement, witnesses, ended } = status;
  // A log that cannot go on was not opened: it holds what it held, which nobody can tell here.
  const isUnread = size === 0 && !["open", "full", "failed"].includes(state);
  return printer.facts([
    ["name", origin],
    ["state", state === "open" ? state : `${state.toUpperCase()}: ${reason} ${next}`],
    ["entries", isUnread ? "not known: the log cannot be read" : String(size)],
    ...keys.map((key) => ["key", key] as const),
    ["key statement", statement === null ? "none" : `${statement.number}, ${entryText(statement.index)}`],
    ...witnesses.map((each) => ["witness", witnessText(each, isUnread)] as const),
    ...ended.map((name) => ["ended", name] as const),
  ]);
}

function entryText(index: number | null): string {
  return index === null ? "not in the log yet" : `entry ${index}`;
}

function witnessText({ name, size, problem }: LogStatus["witnesses"][number], isUnread: boolean): string {
  if (isUnread && size === null) return `${name} is not asked while the log cannot be read`;
  const cosigned = size === null ? "has cosigned nothing yet" : `has cosigned ${size} entries`;
  return `${name} ${cosigned}${problem === null ? "" : `; now: ${problem}`}`;
}

function addCheckpoint(group: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const description = "print the newest checkpoint, to be kept: no later one may contradict it";
  withJson(group.command("checkpoint").description(description))
    .addOption(dataOption())
    .option("--url <url>", "a cloud elsewhere, instead of the data folder's")
    .action(async (options: Options) => {
      const place = `${urlOf(options, surroundings).replace(/\/$/, "")}/log`;
      const checkpoint = (await readerAt(place, surroundings.currentFolder)("checkpoint"))?.toString();
      if (checkpoint === undefined) {
        throw new CommandFailure("not_found", "The log shows no checkpoint.", {
          next: "See `npx bailiwick log show` for what it lacks.",
        });
      }
      const [origin = "", size = "", root = ""] = checkpoint.split("\n");
      if (options.json === true) return printer.json({ origin, size: Number(size), root, checkpoint });
      return printer.text(checkpoint);
    });
}

interface VerifyOptions extends Options, TimestampOptions {
  readonly from: string;
  readonly to: string;
  readonly log?: string;
  readonly key?: readonly string[];
}

const noteBytesMax = 1 << 18;

function addVerify(group: Command, context: CommandContext): void {
  const description =
    "whether a log has only grown between two of its checkpoints; exit code 0: it has, 1: it has not, 2: it could not be checked";
  const command = withJson(group.command("verify").description(description));
  withRequired(command, "--from <file>", "the checkpoint that was seen before");
  withRequired(command, "--to <file>", "the checkpoint that is shown now");
  withTimestamp(command, "the file of --to")
    .option("--log <place>", "the log's folder or URL; default: the running cloud's")
    .option(
      "--key <key...>",
      "the log's verifier keys, or files of them; default: as the running cloud says them, without a check",
    )
    .addOption(dataOption())
    .option("--url <url>", "a cloud elsewhere, instead of the data folder's")
    .action(async (options: VerifyOptions) => {
      const { printer } = context;
      const { outcome, reason, sizes, dated } = await judge(options, context);
      const isNegative = ["older", "forked", "invalid"].includes(outcome);
      context.end(outcome === "consistent" ? 0 : isNegative ? 1 : 2);
      if (options.json === true) {
        return printer.json({ consistent: outcome === "consistent", outcome, reason, ...sizes, ...datedJson(dated) });
      }
      return printer.facts([
        ["log", outcome === "consistent" ? outcome : outcome.toUpperCase()],
        ["reason", reason],
        ...datedFacts(dated, "the checkpoint was there"),
      ]);
    });
}

interface Judged {
  readonly outcome: string;
  readonly reason: string;
  readonly sizes?: { readonly from: number; readonly to: number };
  readonly dated?: Extract<DatedCheckpoint, { outcome: "dated" }>;
}

async function judge(options: VerifyOptions, { surroundings, printer }: CommandContext): Promise<Judged> {
  const { checkConsistency } = await import("../log/index.ts");
  const { currentFolder } = surroundings;
  try {
    const [seen, shown] = [options.from, options.to].map((file) =>
      readBounded(resolve(currentFolder, file), noteBytesMax),
    );
    const given = options.key ?? (await keysOfCloud(urlOf(options, surroundings)));
    if (options.key === undefined)
      printer.note("note: the log's keys are taken from the cloud itself; keep them, and give them with --key.");
    const origin = seen!.toString().split("\n", 1)[0]!;
    const logs = await readLogs(given, "--key", surroundings);
    const log = logs.find((each) => each.origin === origin);
    if (log === undefined) return { outcome: "unsigned", reason: `No key of the log ${origin} is given.` };
    const place = options.log ?? `${urlOf(options, surroundings).replace(/\/$/, "")}/log`;
    const readTile = await tilesAt(place, currentFolder);
    const found = await checkConsistency({ log, seen: seen!, shown: shown!, readTile });
    if (!("seen" in found)) return found;
    const sizes = { from: found.seen.size, to: found.shown.size };
    const dated = found.outcome === "consistent" ? await datedBy(options, shown, surroundings) : undefined;
    if (dated === undefined) return { outcome: found.outcome, reason: found.reason, sizes };
    if (dated.outcome !== "dated") return { ...dated, sizes };
    return { outcome: found.outcome, reason: found.reason, sizes, dated };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return { outcome: "unchecked", reason: error.message };
  }
}

async function keysOfCloud(url: string): Promise<readonly string[]> {
  const about = await readerAt(url, "/")(".well-known/bailiwick/log");
  const { keys } = (parsed(about?.toString() ?? "") ?? {}) as { keys?: unknown };
  return Array.isArray(keys) ? keys.map(String) : [];
}

function addChanges(group: Command, context: CommandContext): void {
  withJson(withCloud(group.command("rotate-key").description("make a new key for the log, and tell of it in the log")))
    .option("--overlap-hours <hours>", "how long the key before signs beside it", Number, 720)
    .action(async (options: Options & { readonly overlapHours: number }) => {
      const body = { overlapHours: options.overlapHours };
      showLog(
        await client(context, options).send<LogStatus>("POST", "/log/rotate-key", body),
        options,
        context.printer,
      );
    });
  const begin = "end a log that cannot go on, and begin another one under another name";
  withJson(withCloud(group.command("begin").description(begin))).action(async (options: Options) =>
    showLog(await client(context, options).send<LogStatus>("POST", "/log/begin"), options, context.printer),
  );
}
