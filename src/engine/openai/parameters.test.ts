import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type GenerationEndpoint, type Parameter, parameters, type Treatment } from "./index.ts";

const root = new URL("../../../", import.meta.url);
const treatments: Readonly<Record<Treatment, string>> = {
  supported: "supported",
  no_effect: "changes nothing",
  refused: "refused",
};

test("docs/reference/parameters.md lists exactly the parameter table", () => {
  const reference = readFileSync(new URL("docs/reference/parameters.md", root), "utf8");
  const listed = reference
    .split("\n## ")[0]!
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .map(([, ...cells]) => cells.slice(0, 5).join(" | "));
  assert.deepEqual(listed, parameters.map(referenceRow));
});

test("every parameter that the official client knows stands in the table", () => {
  for (const [endpoint, file, type] of [
    ["chat.completions", "chat/completions/completions.d.ts", "ChatCompletionCreateParamsBase"],
    ["completions", "completions.d.ts", "CompletionCreateParamsBase"],
  ] as const) {
    const source = readFileSync(new URL(`node_modules/openai/resources/${file}`, root), "utf8");
    const body = source.slice(source.indexOf(`export interface ${type} {`)).split("\n}")[0]!;
    const names = [...body.matchAll(/^ {4}(\w+)\??: /gm)].map((match) => match[1]!);
    assert.ok(names.length > 15, `the client's ${type} was not understood`);
    for (const name of names) {
      const known = parameters.some((each) => each.name === name && each.endpoints.includes(endpoint));
      assert.ok(known, `${name} of ${endpoint} is missing`);
    }
  }
});

function referenceRow(parameter: Parameter): string {
  const endpoints = parameter.endpoints.map(shortName).join(", ");
  return [`\`${parameter.name}\``, endpoints, treatments[parameter.treatment], parameter.values, parameter.note].join(
    " | ",
  );
}

function shortName(endpoint: GenerationEndpoint): string {
  return endpoint === "chat.completions" ? "chat" : "completions";
}
