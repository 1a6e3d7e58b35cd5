import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { parseSettings } from "./index.ts";
import { knownSettings } from "./known-settings.ts";

const example = readFileSync(new URL("../../bailiwick.example.yaml", import.meta.url), "utf8");
const reference = readFileSync(new URL("../../docs/reference/settings.md", import.meta.url), "utf8");

/** The example with every commented setting switched on: a # before a key, or before a list's first item. */
const complete = example
  .replaceAll(/\[\](?=\n +#-)/g, "")
  .replaceAll(/^( *)#( *(?:- )?[A-Za-z0-9-]+:(?: .*)?)$/gm, "$1$2");

function settingsOf(text: string) {
  const loaded = parseSettings({ text });
  if (loaded.outcome === "invalid") assert.fail(JSON.stringify(loaded.problems, undefined, 1));
  return loaded.settings;
}

/** Every value as [path, value], with list items as [] and names of the operator's own as <name>. */
function valuesOf(value: unknown, path = ""): [string, unknown][] {
  if (typeof value !== "object" || value === null) return [[path, value]];
  if (Array.isArray(value)) return [[path, value], ...value.flatMap((item) => valuesOf(item, `${path}[]`))];
  const members = Object.entries(value).flatMap(([name, member]) => {
    const step = ["prices[].models", "engine.server.environment", "disclosure.revenue.acceleratorCostPerHour"].includes(
      path,
    )
      ? "<name>"
      : name;
    return valuesOf(member, path === "" ? step : `${path}.${step}`);
  });
  return [[path, value], ...members];
}

test("the example as it stands is exactly the defaults", () => {
  assert.deepEqual(settingsOf(example), settingsOf(""));
});

test("the example without its comments is valid, and names every setting", () => {
  const text = complete.replace(/^ *urlEnvironment: .*$/m, "").replace(/^ *keyFile: .*encryption-key$/m, "");
  // A program belongs to another kind of engine than the default's.
  settingsOf(text.replace("kind: llamacpp", "kind: vllm").replace("memoryBytes: auto", "memoryBytes: 80000000000"));
  const named = new Set(valuesOf(parse(complete)).map(([path]) => path));
  assert.deepEqual(
    knownSettings().filter(({ path }) => !named.has(path)),
    [],
  );
});

test("a default that the example states is the schema's", () => {
  const stated = valuesOf(parse(complete));
  // An upstream's site is named in the example; the lists show an item where their default is none.
  const shown = new Set([
    "sites",
    "upstreams",
    "models.resident",
    "upstreams[].site.name",
    "models.entries",
    "prices",
    "log.witnesses",
    "contents.tenantKeys",
    "engine.server.environment",
    "disclosure.revenue.acceleratorCostPerHour",
  ]);
  for (const { path, default: expected } of knownSettings()) {
    if (expected === undefined || shown.has(path)) continue;
    for (const [, value] of stated.filter(([name]) => name === path))
      assert.equal(JSON.stringify(value), expected, path);
  }
});

test("docs/reference/settings.md lists every setting with its type, default and description", () => {
  const rows = reference
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const expected = knownSettings().map((setting) => [
    `\`${setting.path}\``,
    setting.type,
    setting.required ? "required" : setting.default === undefined ? "" : `\`${setting.default}\``,
    setting.description,
  ]);
  assert.deepEqual(rows, expected);
});

test("every setting has a description, and durations and sizes carry their unit", () => {
  for (const { path, description } of knownSettings()) {
    assert.match(description, /^[A-Z`].*\.$/, path);
    assert.doesNotMatch(path, /(timeout|interval|delay|size)$/i, path);
  }
});
