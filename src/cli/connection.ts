import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { readServerNote } from "../installation/index.ts";
import { ControlClient } from "./control-client.ts";
import { CommandFailure } from "./failure.ts";
import type { Surroundings } from "./surroundings.ts";

/** Where the cloud is, as the options of a command say. */
export interface CloudOptions {
  readonly data?: string;
  readonly url?: string;
  readonly tokenFile?: string;
}

type Place = Pick<Surroundings, "currentFolder">;

const tokenBytesMax = 4096;

/** Gives a command the options by which it finds the running cloud. */
export function withCloud(command: Command): Command {
  return command
    .addOption(dataOption())
    .option("--url <url>", "a cloud elsewhere, instead of the data folder's")
    .option(
      "--token-file <file>",
      "the file that holds an operator's token, or a tenant's key; default: the first operator's, in the data folder",
    );
}

export function dataOption(): Option {
  return new Option("--data <folder>", "the data folder").default(undefined, "./.bailiwick");
}

export function dataFolderOf(options: CloudOptions, { currentFolder }: Place): string {
  return resolve(currentFolder, options.data ?? ".bailiwick");
}

/** The running cloud's URL. Fails with `not_running` where the data folder knows of none. */
export function urlOf(options: CloudOptions, place: Place): string {
  if (options.url !== undefined) return checkedUrl(options.url);
  const folder = dataFolderOf(options, place);
  const note = readServerNote(folder);
  if (note !== undefined) return note.url;
  throw new CommandFailure("not_running", `No cloud is running on the data folder ${folder}.`, {
    next: "Start it with `npx bailiwick up`, name its folder with --data, or another cloud with --url and --token-file.",
  });
}

export function connect(options: CloudOptions, place: Place): ControlClient {
  const url = urlOf(options, place);
  const { tokenFile } = options;
  const token =
    tokenFile === undefined
      ? readSecret(join(dataFolderOf(options, place), "operator-token"), "the operator's token", "--token-file")
      : readSecret(resolve(place.currentFolder, tokenFile), "an operator's token, or a tenant's key", "--token-file");
  return new ControlClient({ url, token });
}

/** A secret that stands alone in a small file. */
export function readSecret(file: string, what: string, option: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new CommandFailure("unreadable_file", `${file} cannot be read: ${(error as Error).message}`, {
      next: `Name the file that holds ${what} with ${option}; only its owner may read it.`,
    });
  }
  if (text !== "" && text.length <= tokenBytesMax && /^[\x21-\x7e]+$/.test(text)) return text;
  const state = text === "" ? "is empty: it does not hold" : "does not hold";
  throw new CommandFailure("unreadable_file", `${file} ${state} ${what}.`, {
    next: `Name its file with ${option}.`,
  });
}

function checkedUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new CommandFailure("invalid_option", `--url must be a URL such as http://127.0.0.1:8080, not "${text}".`);
}
