import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { z } from "zod";
import { cedar } from "./cedar/cedar.ts";
import { documentSchema } from "./document.ts";
import { adequacyListVersion } from "./facts/adequacy-list.ts";
import { evidence } from "./facts/evidence.ts";
import { certificate, factsSchema } from "./facts/schema.ts";
import { policySchema, shippedAdequacy, shippedPolicies } from "./index.ts";
import { tableSchema } from "./test-table.ts";

const text = readFileSync(new URL("../../docs/reference/policy.md", import.meta.url), "utf8");

/** The rows of a text's tables, each by its cells; heads and rules are left out. */
function rowsOf(some: string): readonly (readonly string[])[] {
  const lines = some.split("\n");
  return lines
    .filter((line, at) => line.startsWith("| ") && !line.startsWith("| -") && !lines[at + 1]?.startsWith("| -"))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
}

/** The rows below a heading, up to the next one. */
function below(heading: string): readonly (readonly string[])[] {
  const [, after = ""] = text.split(`\n${heading}\n`);
  return rowsOf(after.split(/\n##+ /)[0]!);
}

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: boolean | Node;
  readonly items?: Node;
  readonly required?: readonly string[];
  readonly description?: string;
}

/** What has a table of its own, because it is part of many things. */
const apart = new Set(["evidence", "certificates"]);

/** Every member of a document as [path, whether it is required, description], parts before what they are parts of. */
function* members(node: Node, path = ""): Generator<readonly [string, boolean, string]> {
  for (const [name, member] of Object.entries(node.properties ?? {})) {
    const here = path === "" ? name : `${path}.${name}`;
    yield [here, node.required?.includes(name) === true, member.description ?? ""];
    if (apart.has(name)) continue;
    yield* members(member.items ?? member, member.items?.properties === undefined ? here : `${here}[]`);
  }
}

function documented(schema: z.ZodType): readonly (readonly [string, string, string])[] {
  const node = z.toJSONSchema(schema, { io: "input" }) as Node;
  return [...members(node)].map(([path, required, description]) => [
    `\`${path}\``,
    required ? "required" : "",
    description,
  ]);
}

test("docs/reference/policy.md lists every member of the facts, of the policy document and of a table of cases", () => {
  for (const [heading, schema] of [
    ["### Members of the facts", factsSchema],
    ["### Evidence", evidence],
    ["### Certificates", certificate],
    ["## The policy document", documentSchema],
    ["### Cases", tableSchema],
  ] as const) {
    assert.deepEqual(below(heading), documented(schema), heading);
  }
});

test("it lists every policy with its article", () => {
  const expected = new Map([...shippedPolicies().policies.values()].map(({ id, article }) => [`\`${id}\``, article]));
  const listed = new Map(rowsOf(text).map(([id = "", article = ""]) => [id, article]));
  for (const [id, article] of expected) assert.equal(listed.get(id), article, id);
});

test("it lists the shipped adequacy decisions, and their date", () => {
  assert.ok(text.includes(adequacyListVersion));
  assert.deepEqual(
    below("### Adequacy decisions"),
    shippedAdequacy.map(({ to, decidedOn, until = "", scheme, source }) => [
      `\`${to}\``,
      decidedOn,
      until,
      scheme === undefined ? "" : `\`${scheme}\``,
      source.split(", http")[0],
    ]),
  );
});

test("it names everything that a policy can look at", () => {
  const schema = cedar().schemaToJson(policySchema.text);
  assert.ok(schema.type === "success");
  const space = schema.json[""]! as unknown as {
    commonTypes: Record<string, { attributes: object }>;
    entityTypes: Record<string, { shape?: { attributes?: object } }>;
    actions: object;
  };
  const attributes = [
    ...Object.values(space.commonTypes).flatMap((type) => Object.keys(type.attributes)),
    ...Object.values(space.entityTypes).flatMap(({ shape }) => Object.keys(shape?.attributes ?? {})),
  ];
  const names = [...attributes, ...Object.keys(space.entityTypes), ...Object.keys(space.actions)];
  assert.deepEqual(
    [...new Set(names)].filter((name) => !new RegExp(`\`([a-z]+\\.)*${name}\``).test(text)),
    [],
  );
});
