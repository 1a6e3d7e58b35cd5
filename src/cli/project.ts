import { type Command, Option } from "commander";
import type { Project } from "../gateway/control/index.ts";
import { dataClasses } from "../policy/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { pathOf } from "./control-client.ts";
import { describeLimits, type LimitOptions, limitsOf, withLimits } from "./limit-options.ts";

type Options = CloudOptions & JsonOption;

interface RuleOptions {
  readonly dataClass?: string;
  readonly processing?: string[];
  readonly unsupported?: string;
}

export function addProjectCommands(program: Command, context: CommandContext): void {
  const group = program.command("project").description("projects: what data is, and where it may be processed");
  const { printer } = context;

  changing(group, "create <name>", "make a project", context)
    .option("--organisation <organisation>", "the organisation that it belongs to", "default")
    .action(async (name: string, options: Options & LimitOptions & RuleOptions & { organisation: string }) => {
      const body = { name, organisation: options.organisation, limits: limitsOf(options), ...rulesOf(options) };
      show(context, await client(context, options).send<Project>("POST", "/projects", body), options);
    });
  withJson(withCloud(group.command("list").description("list projects")))
    .option("--organisation <organisation>", "those of one organisation")
    .action(async (options: Options & { organisation?: string }) => {
      const rows = await client(context, options).list<Project>("/projects", { organisation: options.organisation });
      if (options.json === true) return printer.json(rows);
      return printer.table<Project>(
        [
          { title: "NAME", text: ({ organisation, name }) => `${organisation.name}/${name}` },
          { title: "ID", text: ({ id }) => id },
          { title: "DATA", text: ({ dataClass }) => dataClass },
          { title: "PROCESSING", text: ({ processing }) => processing.join(" ") || "anywhere" },
          { title: "LIMITS", text: ({ limits }) => describeLimits(limits) },
        ],
        rows,
        "There is no project yet; `bailiwick project create NAME` makes one.",
      );
    });
  withJson(withCloud(group.command("show <project>").description("show a project"))).action(
    async (project: string, options: Options) => {
      show(context, await client(context, options).get<Project>(pathOf`/projects/${project}`), options);
    },
  );
  changing(group, "update <project>", "change a project's name, rules or limits", context)
    .option("--name <name>", "its new name")
    .action(async (project: string, options: Options & LimitOptions & RuleOptions & { name?: string }) => {
      const body = { name: options.name, limits: limitsOf(options), ...rulesOf(options) };
      show(context, await client(context, options).send<Project>("PATCH", pathOf`/projects/${project}`, body), options);
    });
  addEraseCommand(group, context);
}

function addEraseCommand(group: Command, context: CommandContext): void {
  const description =
    "erase the key that digests in the project's receipts are salted with, for ever; a new one salts from now on";
  withJson(withCloud(group.command("erase-digest-key <project>").description(description)))
    .requiredOption("--yes", "it cannot be undone: nobody can prove any more which texts those receipts speak of")
    .action(async (project: string, options: Options) => {
      const path = pathOf`/projects/${project}/digest-key`;
      const erased = await client(context, options).send<{ erased: string; digestKey: string }>("DELETE", path);
      if (options.json === true) return context.printer.json(erased);
      return context.printer.text(`Erased ${erased.erased}; ${erased.digestKey} salts from now on.\n`);
    });
}

function changing(group: Command, name: string, description: string, { surroundings }: CommandContext): Command {
  const command = group
    .command(name)
    .description(description)
    .addOption(new Option("--data-class <class>", "what its data is").choices(dataClasses))
    .option(
      "--processing <places>",
      "where its data may be processed: DE, DE-BE, EU, EEA, separated by commas; `anywhere`: not restricted",
      (text) => (text === "anywhere" ? [] : text.split(",").map((place) => place.trim())),
    )
    .addOption(
      new Option("--unsupported <rule>", "what happens to a parameter that the engine lacks").choices([
        "refuse",
        "warn",
      ]),
    );
  return withJson(withCloud(withLimits(command, surroundings.clock)));
}

function rulesOf({ dataClass, processing, unsupported }: RuleOptions): RuleOptions {
  return {
    ...(dataClass === undefined ? {} : { dataClass }),
    ...(processing === undefined ? {} : { processing }),
    ...(unsupported === undefined ? {} : { unsupported }),
  };
}

function show({ printer }: CommandContext, project: Project, { json }: JsonOption): void {
  if (json === true) return printer.json(project);
  return printer.facts([
    ["name", `${project.organisation.name}/${project.name}`],
    ["id", project.id],
    ["data class", project.dataClass],
    ["processing", project.processing.join(" ") || "anywhere"],
    ["unsupported", project.unsupported],
    ["limits", describeLimits(project.limits) || "none"],
    ["digest key", project.digestKey],
    ["created", project.createdAt],
  ]);
}
