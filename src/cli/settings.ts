import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Settings, SettingsOverrides } from "../config/index.ts";
import { CommandFailure } from "./failure.ts";
import type { Surroundings } from "./surroundings.ts";

export interface SettingsOption {
  readonly config?: string;
}

const defaultFile = "bailiwick.yaml";

/** Gives a command that works without a server the file of settings. */
export function withSettings(command: Command): Command {
  return command.option("--config <file>", `the settings; default: ${defaultFile} here, where there is one`);
}

/** The file that settings are read from; undefined: there is none. */
export function settingsFile(
  { config }: SettingsOption,
  { currentFolder }: Pick<Surroundings, "currentFolder">,
): string | undefined {
  const path = resolve(currentFolder, config ?? defaultFile);
  return config !== undefined || existsSync(path) ? path : undefined;
}

/** The settings of the named file, else of the one here, else the defaults; with a command's overrides. */
export async function readSettings(
  option: SettingsOption,
  surroundings: Pick<Surroundings, "currentFolder">,
  overrides: SettingsOverrides = {},
): Promise<Settings> {
  const { formatProblems, loadSettings } = await import("../config/index.ts");
  const path = settingsFile(option, surroundings);
  const isThere = path !== undefined;
  const loaded = await loadSettings({ ...(isThere ? { path } : {}), overrides });
  if (loaded.outcome === "loaded") return loaded.settings;
  throw new CommandFailure(loaded.code, "The settings are not valid.", {
    reasons: formatProblems(loaded).split("\n"),
    next: isThere
      ? "Correct them; bailiwick.example.yaml shows every setting."
      : `Correct the options, or write ${defaultFile} here (--config names another file); bailiwick.example.yaml shows every setting.`,
  });
}
