import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { NetworkAddress } from "../base/index.ts";
import type { Witness } from "../log/index.ts";
import { addressOf } from "./address.ts";
import { type CommandContext, withRequired } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import { readLogs } from "./log-keys.ts";

interface Options {
  readonly listen: NetworkAddress;
  readonly data: string;
  readonly log: readonly string[];
  readonly name?: string;
}

const defaultName = "bailiwick.example/witness";

/** `bailiwick witness`: a small server of an auditor, who cosigns what a log shows as long as it only grows. */
export function addWitnessCommand(program: Command, context: CommandContext): void {
  const description =
    "cosign the checkpoints of logs as long as they only grow, for an auditor; runs until it is stopped";
  const command = program.command("witness").description(description);
  command.requiredOption(
    "--listen <address>",
    "host and port to listen on, such as 127.0.0.1:7080 (required)",
    addressOf,
  );
  withRequired(command, "--data <folder>", "where it keeps its key, and what it has cosigned");
  withRequired(command, "--log <key...>", "verifier keys of the logs that it cosigns, or files of them")
    .option("--name <name>", "the name of its key", defaultName)
    .action((options: Options) => serve(options, context));
}

async function serve(options: Options, { printer, surroundings }: CommandContext): Promise<void> {
  const { currentFolder, clock, temporaryFolder } = surroundings;
  const { openKeyFolder } = await import("../receipt/index.ts");
  const { folderDisk, formatVerifierKey, openWitness, verifierKeyOf } = await import("../log/index.ts");
  const { lockFolder } = await import("../installation/index.ts");
  const data = resolve(currentFolder, options.data);
  const logs = await readLogs(options.log, "--log", surroundings);
  const [key] = openKeyFolder(join(data, "witness-key"), clock.nowMs()).keys;
  const cosigner = { name: options.name ?? defaultName, privateKey: key!.privateKey };
  const lock = await lockFolder(data, temporaryFolder, process.platform);
  if (lock === undefined) {
    throw new CommandFailure("taken", `Another witness runs on ${data}.`, {
      next: "Stop it first, or name another --data.",
    });
  }
  const opened = await openWitness({ disk: await folderDisk(join(data, "cosigned")), clock, cosigner, logs });
  if (opened.outcome === "damaged") {
    throw new CommandFailure("damaged", `${opened.reason}.`, {
      next: "Bring back the file; without it this witness could cosign another tree: else begin with a new --data, and tell the logs.",
    });
  }
  const close = await listen(opened.witness, options.listen);
  printer.text(`${formatVerifierKey(verifierKeyOf("cosignature", cosigner))}\n`);
  printer.note(
    `It cosigns ${logs.map(({ origin }) => origin).join(", ")} at http://${options.listen.host}:${close.port}`,
  );
  await new Promise<void>((stopped) => surroundings.onStopSignal(() => stopped()));
  await close.close();
  await lock.release();
}

/** Answers add-checkpoint, and shows the latest checkpoint of each log, on a server of its own. */
async function listen(witness: Witness, { host, port }: Options["listen"]) {
  const { listenAsWitness } = await import("./witness-server.ts");
  return listenAsWitness(witness, host, port);
}
