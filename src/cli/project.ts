import { type Command, Option } from "commander";
import { dataClasses, tiers } from "../base/index.ts";
import type { ChangedProject, Project } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, requireChange, withJson, withRequired } from "./context.ts";
import { type ControlClient, pathOf } from "./control-client.ts";
import { currencyOf, describeLimits, type LimitOptions, limitsOf, withLimits } from "./limit-options.ts";
import { CommandFailure } from "./failure.ts";
import { seconds, secondsText } from "./duration.ts";
import { whole } from "./numbers.ts";
import { placesOf, residencyFacts, residencyOf, type ResidencyOptions, withResidency } from "./residency-options.ts";

type Options = CloudOptions & JsonOption;

interface RuleOptions extends ResidencyOptions {
  readonly dataClass?: string;
  readonly processing?: string[];
  readonly unsupported?: string;
  readonly tier?: string;
  readonly weight?: number;
  readonly keepContent?: number | "default" | "none";
}

type UpdateOptions = Options & LimitOptions & RuleOptions & { readonly name?: string };

/** Elsewhere a project is named ORGANISATION/PROJECT; a new one is given its organisation by an option. */
function refusePath(name: string): void {
  const [organisation = "", project = ""] = name.split("/", 2);
  if (!name.includes("/")) return;
  throw new CommandFailure("invalid_usage", `A project's own name has no "/", and "${name}" has.`, {
    next: `Name its organisation by an option: ${project || "NAME"} --organisation ${organisation || "ORGANISATION"}.`,
  });
}

export function addProjectCommands(program: Command, context: CommandContext): void {
  const group = program.command("project").description("projects: what data is, and where it may be processed");
  const { printer } = context;

  changing(group, "create <name>", "make a project", context)
    .option("--organisation <organisation>", "the organisation that it belongs to", "default")
    .action(async (name: string, options: Options & LimitOptions & RuleOptions & { organisation: string }) => {
      refusePath(name);
      const cloud = client(context, options);
      const body = { name, organisation: options.organisation, limits: limitsOf(options), ...rulesOf(options) };
      const made = await cloud.send<ChangedProject>("POST", "/projects", body);
      printer.warnings(made.warnings);
      await show(context, cloud, made, options);
    });
  withJson(withCloud(group.command("list").description("list projects")))
    .option("--organisation <organisation>", "those of one organisation")
    .action(async (options: Options & { organisation?: string }) => {
      const cloud = client(context, options);
      const rows = await cloud.list<Project>("/projects", { organisation: options.organisation });
      if (options.json === true) return printer.json(rows);
      const currency = await currencyOf(
        cloud,
        rows.map(({ limits }) => limits),
      );
      return printer.table<Project>(
        [
          { title: "NAME", text: ({ organisation, name }) => `${organisation.name}/${name}` },
          { title: "ID", text: ({ id }) => id },
          { title: "DATA", text: ({ dataClass }) => dataClass },
          { title: "TIER", text: ({ tier }) => tier },
          { title: "WEIGHT", text: ({ weight }) => String(weight), align: "right" },
          { title: "PROCESSING", text: ({ processing }) => processing.join(" ") || "anywhere" },
          { title: "LIMITS", text: ({ limits }) => describeLimits(limits, currency) },
        ],
        rows,
        "There is no project yet; `npx bailiwick project create NAME` makes one.",
      );
    });
  withJson(withCloud(group.command("show <project>").description("show a project"))).action(
    async (project: string, options: Options) => {
      const cloud = client(context, options);
      await show(context, cloud, await cloud.get<Project>(pathOf`/projects/${project}`), options);
    },
  );
  changing(group, "update <project>", "change a project's name, rules or limits", context)
    .option("--name <name>", "its new name")
    .action(async (project: string, options: UpdateOptions, command: Command) => {
      requireChange(command);
      const cloud = client(context, options);
      const body = { name: options.name, limits: limitsOf(options), ...rulesOf(options) };
      const changed = await cloud.send<ChangedProject>("PATCH", pathOf`/projects/${project}`, body);
      printer.warnings(changed.warnings);
      await show(context, cloud, changed, options);
    });
  addEraseCommand(group, context);
}

function addEraseCommand(group: Command, context: CommandContext): void {
  const description =
    "erase the key that digests in the project's receipts are salted with, for ever; a new one salts from now on";
  const command = withJson(withCloud(group.command("erase-digest-key <project>").description(description)));
  const warning = "it cannot be undone: nobody can prove any more which texts those receipts speak of";
  withRequired(command, "--yes", warning).action(async (project: string, options: Options) => {
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
    .option(
      "--data-class <class>",
      `what its data is: ${dataClasses.join(", ")}, or a class that the policy document declares`,
    )
    .option(
      "--processing <places>",
      "where its data may be processed: DE, DE-BE, EU, EEA or own groups, separated by commas; `anywhere`: not restricted",
      placesOf,
    )
    .addOption(
      new Option("--unsupported <rule>", "what happens to a parameter that the engine lacks").choices([
        "refuse",
        "warn",
      ]),
    )
    .addOption(new Option("--tier <tier>", "what its requests are promised; a new project is standard").choices(tiers))
    .option(
      "--weight <n>",
      "what it has of a pool that is short, beside a project of weight 1 (1 to 100)",
      whole(1, 100),
    )
    .option(
      "--keep-content <time>",
      "for how long what is asked and answered is kept, such as 30d or 12h; `default`: as the settings say for its data class; `none`",
      (text) => (text === "default" || text === "none" ? text : seconds(text)),
    );
  return withJson(withCloud(withLimits(withResidency(command), surroundings.clock)));
}

function rulesOf({ dataClass, processing, unsupported, tier, weight, keepContent, ...options }: RuleOptions) {
  return {
    ...(dataClass === undefined ? {} : { dataClass }),
    ...(processing === undefined ? {} : { processing }),
    ...residencyOf(options),
    ...(unsupported === undefined ? {} : { unsupported }),
    ...(tier === undefined ? {} : { tier }),
    ...(weight === undefined ? {} : { weight }),
    ...(keepContent === undefined ? {} : { keepContentSeconds: keepContent === "none" ? null : keepContent }),
  };
}

async function show(
  { printer }: CommandContext,
  cloud: ControlClient,
  project: Project,
  { json }: JsonOption,
): Promise<void> {
  if (json === true) return printer.json(project);
  return printer.facts([
    ["name", `${project.organisation.name}/${project.name}`],
    ["id", project.id],
    ["data class", project.dataClass],
    ["processing", project.processing.join(" ") || "anywhere"],
    ...residencyFacts(project),
    ["unsupported", project.unsupported],
    ["tier", project.tier],
    ["weight", String(project.weight)],
    ["keeps content", project.keepContentSeconds === null ? "no" : `for ${secondsText(project.keepContentSeconds)}`],
    ["limits", describeLimits(project.limits, await currencyOf(cloud, [project.limits])) || "none"],
    ["digest key", project.digestKey],
    ["created", project.createdAt],
  ]);
}
