import { readdirSync, readFileSync } from "node:fs";
import { parsePolicies } from "./cedar/compile.ts";
import type { CompiledPolicies, PolicyFile } from "./cedar/policies.ts";

/** What stands beside this module: source that is shipped, and read once. */
const here = (path: string): URL => new URL(path, import.meta.url);

const fileOf = (name: string, path: string): PolicyFile => ({ name, text: readFileSync(here(path), "utf8") });

/** What policies can speak of. */
export const policySchema: PolicyFile = fileOf("bailiwick.cedarschema", "bailiwick.cedarschema");

/** What is permitted at all, and the regimes that are ready to use, in the order of their names. */
export const shippedFiles: readonly PolicyFile[] = readdirSync(here("regimes/"))
  .filter((name) => name.endsWith(".cedar"))
  .sort()
  .map((name) => fileOf(name, `regimes/${name}`));

/** An operator's files beside the shipped ones; one of the same name stands in its place. */
export function besideShipped(files: readonly PolicyFile[]): readonly PolicyFile[] {
  const own = new Set(files.map(({ name }) => name));
  return [...shippedFiles.filter(({ name }) => !own.has(name)), ...files];
}

let parsed: CompiledPolicies | undefined;

/** The shipped policies by themselves; that they are valid, a test says. */
export function shippedPolicies(): CompiledPolicies {
  parsed ??= parseShipped();
  return parsed;
}

function parseShipped(): CompiledPolicies {
  const found = parsePolicies({ schema: policySchema, files: shippedFiles });
  if (found.outcome === "compiled") return found;
  const [{ file, line, message }] = found.problems as [(typeof found.problems)[number]];
  throw new Error(`the shipped policies do not parse: ${file}:${line}: ${message}`);
}
