import { type Command, Option } from "commander";
import type { Explanation, Policies } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { addHistory, type ApplyOptions, showApplied, versionText, withApplied, withShown } from "./facts.ts";
import { placeText } from "./place.ts";
import { printable } from "./table.ts";
import { addPolicyDiff } from "./policy-diff.ts";
import { addPolicyTest } from "./policy-test.ts";

type Options = CloudOptions & JsonOption;

export function addPolicyCommands(program: Command, context: CommandContext): void {
  const group = program.command("policy").description("policy: where data may be processed, rest and be looked at");
  addShow(group, context);
  addApply(group, context);
  addHistory(group, "policies", context);
  addCheck(group, context);
  addExplain(group, context);
  addPolicyTest(group, context);
  addPolicyDiff(group, context);
}

function addShow(group: Command, context: CommandContext): void {
  const { printer } = context;
  withShown(group.command("show").description("print the operator's policies, and say which are shipped")).action(
    async (options: Options & { number?: number }) => {
      const policies = await client(context, options).get<Policies>("/policies", {
        version: options.number?.toString(),
      });
      if (options.json === true) return printer.json(policies);
      printer.note(versionText("policies", policies));
      const shipped = policies.shipped.map(({ name, isReplaced }) => `${name}${isReplaced ? " (replaced)" : ""}`);
      printer.note(`Shipped: ${shipped.join(", ")}.`);
      printer.warnings(policies.warnings);
      for (const { name, text } of policies.files) printer.text(`// ${name}\n${text.trimEnd()}\n`);
      const { stringify } = await import("yaml");
      if (Object.keys(policies.document).length > 0) printer.text(stringify(policies.document));
    },
  );
}

function addApply(group: Command, context: CommandContext): void {
  const description =
    "apply files of policies (.cedar) in place of all of the operator's, and the policy document (.yaml, .json) in place of the one before; of what is not named, what was applied stays";
  withApplied(group.command("apply [files...]").description(description))
    .option("--shipped-only", "take away all files of the operator's; what is shipped holds")
    .action(async (paths: readonly string[], options: ApplyOptions & { shippedOnly?: boolean }) => {
      const { readPolicyInput } = await import("./document-file.ts");
      const { checked } = await import("./policy-check.ts");
      const input = readPolicyInput(paths, context.surroundings);
      const cloud = client(context, options);
      const before = await cloud.get<Policies>("/policies");
      const files = options.shippedOnly === true ? [] : input.files.length === 0 ? before.files : input.files;
      const document = input.document?.value ?? before.document;
      checked({ files, document: input.document }, document);
      const body = { basedOn: options.basedOn ?? before.version, note: options.note, files, document };
      showApplied(context.printer, "policies", await cloud.send<Policies>("PUT", "/policies", body), options);
    });
}

function addCheck(group: Command, context: CommandContext): void {
  const { printer } = context;
  const description =
    "check policies (.cedar) and a policy document (.yaml, .json), beside what is shipped and without a server; exit code 1: not valid";
  withJson(group.command("check <files...>").description(description)).action(
    async (paths: readonly string[], { json }: JsonOption) => {
      const { inFile, readPolicyInput } = await import("./document-file.ts");
      const { check } = await import("./policy-check.ts");
      const input = readPolicyInput(paths, context.surroundings);
      const { problems, compiled } = check(input, input.document?.value ?? {});
      const warnings = (compiled?.warnings ?? []).map(inFile);
      if (problems.length > 0) context.end(1);
      if (json === true) return printer.json({ valid: problems.length === 0, problems, warnings });
      printer.warnings(warnings);
      if (problems.length > 0) return printer.text(`${problems.join("\n")}\n`);
      const regimes = [...compiled!.regimes].sort().join(", ");
      return printer.text(
        `Valid: ${compiled!.policies.size} policies with those that are shipped; regimes: ${regimes}.\n`,
      );
    },
  );
}

function addExplain(group: Command, context: CommandContext): void {
  const { printer } = context;
  const description =
    "say for a project where it may do something, with the policies that decide and their articles; exit code 1: nowhere";
  const command = withJson(withCloud(group.command("explain").description(description)));
  const actions = ["infer", "embed", "train", "store", "log", "cache", "export"];
  withRequired(command, "--project <project>", "the project")
    .option("--model <model>", "a model: of the destinations, those that offer it")
    .option("--data-class <class>", "as if the project's data were of this class")
    .addOption(new Option("--action <action>", "what it would do").choices(actions).default("infer"))
    .action(async (options: Options & { project: string; model?: string; dataClass?: string; action: string }) => {
      const { project, model, dataClass, action } = options;
      const query = { project, model, dataClass, action };
      const found = await client(context, options).get<Explanation>("/policy/explain", query);
      context.end(found.outcome === "permitted" ? 0 : 1);
      if (options.json === true) return printer.json(found);
      printer.facts([
        ["project", found.project.name],
        ["action", found.action],
        ["data class", found.dataClass],
        ["processing", found.processing.join(" ") || "anywhere"],
        ["regimes", found.regimes.join(" ")],
        ["outcome", found.outcome],
      ]);
      if (found.candidates.length === 0) {
        return printer.note(`No destination offers ${model ?? "anything"}, and the facts know no site.`);
      }
      return printer.text(found.candidates.map(placeLines).join(""));
    });
}

type Place = Explanation["candidates"][number];

/** A place, whether it may be used, each policy that decided with its article, and what it turned on. */
function placeLines({ kind, destination, site, permitted, ready, deciding, reason }: Place): string {
  const name = kind === "site" ? "site" : `${kind} ${destination} at`;
  const state = kind === "site" ? "nothing runs there" : ready ? "ready" : "not ready";
  const policies = deciding.map(({ policy, article }) => `  ${policy}: ${article}`);
  const lines = [
    `${name} ${placeText(site)}: ${permitted ? "PERMITTED" : "NOT PERMITTED"}, ${state}`,
    ...(policies.length === 0 ? ["  no policy permits it"] : policies),
    `  ${reason}`,
  ];
  return `\n${lines.map((line) => printable(line)).join("\n")}\n`;
}
