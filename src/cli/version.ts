import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { type CommandContext, type JsonOption, withJson } from "./context.ts";

/** The package's version, from the manifest that lies beside the program, built or not. */
export function readVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    readonly version: string;
  };
  return manifest.version;
}

export function addVersionCommand(program: Command, { printer }: CommandContext): void {
  withJson(program.command("version").description("print the version")).action((options: JsonOption) => {
    const version = readVersion();
    if (options.json === true) return printer.json({ version, node: process.versions.node });
    return printer.text(`bailiwick ${version} (Node.js ${process.versions.node})\n`);
  });
}
