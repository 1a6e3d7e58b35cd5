import { resolve } from "node:path";
import type { Command } from "commander";
import { type CloudOptions, dataFolderOf, dataOption } from "./connection.ts";
import { type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { failureOf } from "./failure.ts";
import { openModelFolder } from "./model-folder.ts";
import { PullBar } from "./pull-bar.ts";
import { sizeText } from "./quantities.ts";
import { readBounded } from "./read-file.ts";
import { type SettingsOption, withSettings } from "./settings.ts";

type Options = CloudOptions & JsonOption & SettingsOption;

const keysBytesMax = 1 << 20;

export function addBundleCommands(program: Command, context: CommandContext): void {
  const group = program
    .command("bundle")
    .description("bundles: models on a medium, signed, for a cloud that pulls nothing; no server is needed");
  addExport(group, context);
  addImport(group, context);
  addShow(group, context);
  addKey(group, context);
}

function addExport(group: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const command = leaf(group, "export <models...>", "write pulled models to a folder, verified and signed");
  withRequired(command, "--to <folder>", "a folder that is empty or not there").action(
    async (models: readonly string[], options: Options & { readonly to: string }) => {
      const { exportBundle, openBundleKey } = await import("../bundle/index.ts");
      const { clock } = surroundings;
      const exported = await exportBundle({
        catalog: await openModelFolder(options, surroundings),
        models,
        to: resolve(surroundings.currentFolder, options.to),
        key: openBundleKey(dataFolderOf(options, surroundings), clock.nowMs()),
        clock,
        signal: new AbortController().signal,
        onFile: (model, path) => printer.note(`${model}: ${path}`),
      });
      if (exported.outcome === "refused") throw failureOf(exported);
      const { outcome: _, ...told } = exported;
      if (options.json === true) return printer.json(told);
      printer.text(`${exported.path}: ${exported.models.length} models, ${sizeText(exported.sizeBytes)}\n`);
      return printer.note(
        `Signed by ${exported.keyId}. Bring its public key (\`bailiwick bundle key\`) by another way than the bundle.`,
      );
    },
  );
}

interface ReadOptions extends Options {
  readonly key: string;
}

function withKey(command: Command): Command {
  return withRequired(command, "--key <file>", "the public keys that are trusted, as `bundle key` prints them");
}

function addImport(group: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const description = "take a bundle's models into the catalogue, each checked against what was signed";
  withKey(leaf(group, "import <folder>", description)).action(async (folder: string, options: ReadOptions) => {
    const { importBundle } = await import("../bundle/index.ts");
    const bar = new PullBar(surroundings.stderr, surroundings.clock);
    const imported = await importBundle({
      catalog: await openModelFolder(options, surroundings),
      from: resolve(surroundings.currentFolder, folder),
      jwks: readBounded(resolve(surroundings.currentFolder, options.key), keysBytesMax),
      signal: new AbortController().signal,
      onProgress: (model, progress) =>
        bar.show({ ...progress, phase: progress.phase === "downloading" ? "copying" : progress.phase, source: model }),
    }).finally(() => bar.end());
    if (imported.outcome === "refused") throw failureOf(imported);
    const { outcome: _, ...told } = imported;
    if (options.json === true) return printer.json(told);
    for (const { name, sha256, wasHere } of imported.models) {
      printer.text(`${name}: ${wasHere ? "already here" : "taken"}, SHA-256 ${sha256}\n`);
    }
    return undefined;
  });
}

function addShow(group: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const command = withJson(group.command("show <folder>").description("what a bundle holds, by its signed statement"));
  withKey(command).action(async (folder: string, options: ReadOptions) => {
    const { readBundle } = await import("../bundle/index.ts");
    const read = await readBundle(
      resolve(surroundings.currentFolder, folder),
      readBounded(resolve(surroundings.currentFolder, options.key), keysBytesMax),
    );
    if (read.outcome === "refused") throw failureOf(read);
    const { outcome: _, ...told } = read;
    if (options.json === true) return printer.json(told);
    printer.note(`Made at ${read.madeAt}, signed by ${read.keyId}.`);
    return printer.table(
      [
        { title: "NAME", text: ({ entry }) => entry.name },
        { title: "FORM", text: ({ form }) => form },
        { title: "FILES", text: ({ files }) => String(files.length), align: "right" },
        {
          title: "SIZE",
          text: ({ files }) => sizeText(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)),
          align: "right",
        },
        { title: "LICENCE", text: ({ entry }) => entry.licence.spdx },
        { title: "SHA-256", text: ({ entry }) => entry.sha256 },
      ],
      read.models,
      "It holds no model.",
    );
  });
}

function addKey(group: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const description = "print the public key that this data folder's bundles are signed with, as a JSON Web Key Set";
  group
    .command("key")
    .description(description)
    .addOption(dataOption())
    .action(async (options: CloudOptions) => {
      const { openBundleKey } = await import("../bundle/index.ts");
      const key = openBundleKey(dataFolderOf(options, surroundings), surroundings.clock.nowMs());
      printer.text(`${key.jwks()}\n`);
    });
}

function leaf(group: Command, name: string, description: string): Command {
  return withJson(withSettings(group.command(name).description(description).addOption(dataOption())));
}
