import type { Command } from "commander";
import type { CaseResult, Policy } from "../policy/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";

interface TestOptions extends CloudOptions, JsonOption {
  readonly facts?: string;
  readonly policies?: string[];
}

export function addPolicyTest(group: Command, context: CommandContext): void {
  const { printer } = context;
  const description =
    "run a table of cases under the facts and policies that hold, or under files, which needs no server; exit code 1: a case fails";
  withJson(withCloud(group.command("test <table>").description(description)))
    .option("--facts <file>", "a document of facts instead of the cloud's")
    .option("--policies <files...>", "policies (.cedar) and a policy document instead of the cloud's")
    .action(async (path: string, options: TestOptions) => {
      const { documentInvalid, readDocument } = await import("./document-file.ts");
      const { parseCases, testTable } = await import("../policy/index.ts");
      const table = readDocument(path, context.surroundings);
      const parsed = parseCases(table.value);
      if (parsed.outcome === "invalid") throw documentInvalid(path, parsed.problems.map(table.placed));
      const results = testTable(await policyFor(options, context), parsed.cases);
      const failed = results.filter(({ hasPassed }) => !hasPassed);
      if (failed.length > 0) context.end(1);
      if (options.json === true)
        return printer.json({
          passed: results.length - failed.length,
          failed: failed.length,
          cases: results.map(caseOf),
        });
      printer.table<CaseResult>(
        [
          { title: "CASE", text: nameOf },
          { title: "RESULT", text: ({ hasPassed }) => (hasPassed ? "passed" : "FAILED") },
          { title: "FOUND", text: ({ found }) => found },
          { title: "BY", text: ({ deciding }) => deciding.join(", ") || "no policy" },
          { title: "WHY", text: ({ message }) => message ?? "" },
        ],
        results,
        "The table holds no case.",
      );
      return printer.note(`${results.length - failed.length} passed, ${failed.length} failed.`);
    });
}

/** Where any file is named, what is not named is what is shipped: no server is asked then. */
async function policyFor({ facts, policies, ...options }: TestOptions, context: CommandContext): Promise<Policy> {
  const { createPolicy, noFacts } = await import("../policy/index.ts");
  const { readPolicyInput } = await import("./document-file.ts");
  const { checked, checkedFacts, documentsOf } = await import("./policy-check.ts");
  const { surroundings } = context;
  const nowMs = (): number => surroundings.clock.nowMs();
  if (facts === undefined && policies === undefined) {
    const cloud = await documentsOf(client(context, options));
    const { files, document } = cloud.policies;
    return createPolicy({ ...checked({ files, document: undefined }, document), facts: cloud.facts, nowMs });
  }
  const input = readPolicyInput(policies ?? [], surroundings);
  const known = facts === undefined ? noFacts : checkedFacts(facts, surroundings).facts;
  return createPolicy({ ...checked(input, input.document?.value ?? {}), facts: known, nowMs });
}

function nameOf({ case: asked }: CaseResult): string {
  const site = typeof asked.site === "string" ? asked.site : asked.site.name;
  return asked.name ?? `${asked.action} ${asked.project.dataClass} at ${site}`;
}

function caseOf(result: CaseResult) {
  const { hasPassed, found, deciding, message } = result;
  return { name: nameOf(result), passed: hasPassed, found, deciding, message: message ?? null };
}
