import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Catalog, CatalogModel } from "../catalog/index.ts";
import type { CatalogueModel, Model, PullLine } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { pathOf } from "./control-client.ts";
import { CommandFailure, failureOf } from "./failure.ts";
import { openModelFolder } from "./model-folder.ts";
import { PullBar } from "./pull-bar.ts";
import { sizeText } from "./quantities.ts";
import { type SettingsOption, withSettings } from "./settings.ts";

type Options = CloudOptions & JsonOption & SettingsOption;

/** A model as both a server and a data folder without one can show it. */
type Shown = CatalogueModel & Partial<Pick<Model, "served" | "faults" | "price">>;

export function addModelCommands(program: Command, context: CommandContext): void {
  const group = program.command("model").description("models: the catalogue, and the files on this machine");
  addReading(group, context);
  addPull(group, context);
  addChanging(group, context);
}

function addReading(group: Command, context: CommandContext): void {
  const { printer } = context;
  leaf(group, "list", "list the models of the catalogue").action(async (options: Options) => {
    const rows = await orInFolder(
      context,
      options,
      () => client(context, options).list<Shown>("/models"),
      async (catalog, describe) => (await catalog.list()).map(describe),
    );
    if (options.json === true) return printer.json(rows);
    return printer.table<Shown>(
      [
        { title: "NAME", text: ({ name }) => name },
        { title: "STATE", text: stateText },
        { title: "SIZE", text: ({ sizeBytes }) => sizeText(sizeBytes), align: "right" },
        { title: "CONTEXT", text: ({ contextTokens }) => String(contextTokens), align: "right" },
        { title: "LICENCE", text: ({ licence }) => licence.spdx },
        { title: "DEVELOPER", text: ({ developer }) => developerText(developer) },
      ],
      rows,
      "The catalogue is empty.",
    );
  });
  leaf(group, "show <model>", "show a model of the catalogue").action(async (name: string, options: Options) => {
    const found = await orInFolder(
      context,
      options,
      () => client(context, options).get<Shown>(pathOf`/models/${name}`),
      async (catalog, describe) => {
        const model = await catalog.find(name);
        if (model.outcome === "refused") throw failureOf(model);
        return describe(model);
      },
    );
    if (options.json === true) return printer.json(found);
    return printer.facts(factsOf(found));
  });
}

function addPull(group: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  leaf(group, "pull <model>", "bring a model's file to this machine and check it").action(
    async (name: string, options: Options) => {
      const lines = await orInFolder(
        context,
        options,
        async () => {
          // Asked first, so that no server at all is noticed before the stream begins.
          const cloud = client(context, options);
          await cloud.get(pathOf`/models/${name}`);
          return cloud.lines<PullLine>(pathOf`/models/${name}/pull`);
        },
        async (catalog) => {
          const { pullLines } = await import("../gateway/control/index.ts");
          return pullLines(catalog, name, new AbortController().signal);
        },
      );
      const bar = new PullBar(surroundings.stderr, surroundings.clock);
      const last = await lastLine(lines, bar);
      if (last?.event === "failed") {
        const { code, message, next, reasons } = last.error;
        throw new CommandFailure(code, message, { next, reasons });
      }
      if (last?.event !== "done") {
        throw new CommandFailure("unreachable", "The pull broke off.", {
          next: "Run it again: it goes on from there.",
        });
      }
      if (options.json === true) return printer.json({ ...last.model, downloaded: last.downloaded });
      const what = last.downloaded ? "Pulled" : "Already here:";
      return printer.text(
        `${what} ${last.model.name} (${last.model.state}, SHA-256 ${last.model.sha256 ?? "unknown"})\n`,
      );
    },
  );
}

function addChanging(group: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  leaf(
    group,
    "add <file>",
    "add a model to the catalogue, from a YAML or JSON file in the form of `models.entries`",
  ).action(async (file: string, options: Options) => {
    const entry = await readEntry(resolve(surroundings.currentFolder, file));
    const added = await orInFolder(
      context,
      options,
      () => client(context, options).send<Shown>("POST", "/models", entry),
      async (catalog, describe) => {
        const model = await catalog.add(entry);
        if (model.outcome === "refused") throw failureOf(model);
        return describe(model);
      },
    );
    if (options.json === true) return printer.json(added);
    return printer.facts(factsOf(added));
  });
  leaf(group, "remove <model>", "remove a model's file from this machine, and an entry that was added").action(
    async (name: string, options: Options) => {
      const removed = await orInFolder(
        context,
        options,
        () => client(context, options).send<Removed>("DELETE", pathOf`/models/${name}`),
        async (catalog) => {
          // No server runs on the folder, so nothing is served from it.
          const outcome = await catalog.remove(name, () => false);
          if (outcome.outcome === "refused") throw failureOf(outcome);
          return { model: name, fileRemoved: outcome.fileRemoved, entryRemoved: outcome.entryRemoved };
        },
      );
      if (options.json === true) return printer.json(removed);
      const parts = [removed.fileRemoved ? "its file" : "", removed.entryRemoved ? "its entry" : ""].filter(Boolean);
      return printer.text(
        parts.length === 0 ? `There was no file of ${name}.\n` : `Removed ${name}: ${parts.join(" and ")}.\n`,
      );
    },
  );
}

interface Removed {
  readonly model: string;
  readonly fileRemoved: boolean;
  readonly entryRemoved: boolean;
}

/** Asks the running cloud; where none runs on the data folder, acts on the folder itself. */
async function orInFolder<Result>(
  context: CommandContext,
  options: Options,
  inCloud: () => Promise<Result>,
  inFolder: (catalog: Catalog, describe: (model: CatalogModel) => CatalogueModel) => Promise<Result>,
): Promise<Result> {
  try {
    return await inCloud();
  } catch (error) {
    const noServer = error instanceof CommandFailure && error.code === "not_running" && options.url === undefined;
    if (!noServer) throw error;
  }
  const { describeModel } = await import("../gateway/control/index.ts");
  return inFolder(await openModelFolder(options, context.surroundings), describeModel);
}

async function lastLine(lines: AsyncIterable<PullLine>, bar: PullBar): Promise<PullLine | undefined> {
  let last: PullLine | undefined;
  try {
    for await (const line of lines) {
      last = line;
      if (line.event === "progress") bar.show(line);
    }
    return last;
  } finally {
    bar.end();
  }
}

function leaf(group: Command, name: string, description: string): Command {
  return withJson(withSettings(withCloud(group.command(name).description(description))));
}

const entryBytesMax = 1 << 16;

/** JSON is YAML too. What YAML 1.1 reads as a boolean (NO, the country) is a string in its core schema. */
async function readEntry(file: string): Promise<unknown> {
  const { parse } = await import("yaml");
  try {
    const { size } = statSync(file);
    if (size > entryBytesMax) throw new Error(`it has more than ${entryBytesMax} bytes`);
    return parse(readFileSync(file, "utf8"), { schema: "core", logLevel: "error", maxAliasCount: 0 });
  } catch (error) {
    const [first = ""] = (error as Error).message.split("\n");
    throw new CommandFailure("unreadable_file", `${file} cannot be read as YAML or JSON: ${first}`, {
      next: "Name a file with one entry; docs/reference/models.md has its fields.",
    });
  }
}

function factsOf(model: Shown): readonly (readonly [string, string])[] {
  const { licence, price } = model;
  return [
    ["name", model.name],
    ["family", model.family],
    ["developer", developerText(model.developer)],
    ["licence", licence.url === null ? licence.spdx : `${licence.spdx} (${licence.url})`],
    ...(licence.clause === null ? [] : [["forbids", licence.clause] as const]),
    ["context", `${model.contextTokens} tokens`],
    ["size", sizeText(model.sizeBytes)],
    ["sha256", model.sha256 ?? "not known before the first pull"],
    ["state", model.state],
    ["served", model.served === undefined ? "no server is running" : model.served ? "yes" : "no"],
    ...(model.faults ?? []).flatMap(({ host, code, message, next }): (readonly [string, string])[] => [
      ["fault", `on ${host}: ${message} (${code})`],
      ["next", next],
    ]),
    ...(price === undefined || price === null
      ? []
      : [
          [
            "price",
            `${price.currency} per million: ${price.inputPerMillion} input, ${price.cachedInputPerMillion} cached, ${price.outputPerMillion} output`,
          ] as const,
        ]),
    ...model.sources.map((source, at) => [at === 0 ? "sources" : "", source] as const),
  ];
}

function stateText({ served, faults = [], state }: Shown): string {
  if (served === true) return "served";
  return faults.length > 0 ? "out of service" : state;
}

function developerText({ name, country }: Shown["developer"]): string {
  return country === null ? name : `${name} (${country})`;
}
