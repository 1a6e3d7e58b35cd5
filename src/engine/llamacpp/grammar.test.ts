import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { getLlama, type Llama, LlamaGrammar, LlamaLogLevel } from "node-llama-cpp";
import { GrammarWriter } from "./grammar.ts";
import { enforcedKeywords, readSchema, schemaLimits } from "./schema.ts";

const llama = await getLlama({ build: "never", gpu: false, skipDownload: true, logLevel: LlamaLogLevel.error });

interface Matcher {
  matches(text: string): boolean;
}

/** The grammar of a schema, as llama.cpp itself understands it. */
function grammarOf(schema: unknown): Matcher {
  const read = readSchema(schema, "schema");
  if (read.outcome === "refused") throw new Error(read.message);
  const writer = new GrammarWriter();
  return matcher(llama, writer.text(writer.schema(read.shapes)));
}

function matcher(owner: Llama, grammar: string): Matcher {
  const compiled = new LlamaGrammar(owner, { grammar });
  const native = Reflect.get(compiled, "_grammar") as { isTextCompatible(text: string): boolean };
  return { matches: (text) => native.isTextCompatible(text) };
}

function check(schema: unknown, yes: readonly string[], no: readonly string[]): void {
  const grammar = grammarOf(schema);
  for (const text of yes) assert.ok(grammar.matches(text), `${JSON.stringify(schema)} has ${text}`);
  for (const text of no) assert.ok(!grammar.matches(text), `${JSON.stringify(schema)} does not have ${text}`);
}

function refusal(schema: unknown): {
  readonly code: string;
  readonly param: string | undefined;
  readonly message: string;
} {
  const read = readSchema(schema, "schema");
  assert.ok(read.outcome === "refused", "it was let through");
  return { code: read.code, param: read.param, message: read.message };
}

test("an object has its properties in order, required ones always, others with and without", () => {
  const properties = { a: { type: "string" }, b: { type: "integer" }, c: { type: "boolean" } };
  check(
    { type: "object", properties, required: ["b"] },
    ['{"b":1}', '{"a":"x","b":-3}', '{ "a": "x", "b": 0, "c": true }', '{\n  "b": 2\n}'],
    ["{}", '{"a":"x"}', '{"b":1,"a":"x"}', '{"b":1.5}', '{"b":01}', '{"b":1e3}', '{"b":1,}', '{"b":1,"d":2}'],
  );
  check(
    { type: "object", properties: { a: { type: "null" }, b: { type: "null" } } },
    ["{}", '{"a":null}', '{"b":null}', '{"a":null,"b":null}'],
    ['{"a":null,}', '{,"b":null}', '{"b":null,"a":null}'],
  );
  check({ type: "object", required: ["x"] }, ['{"x":[1]}'], ["{}"]);
  check({ type: "object", properties: {} }, ["{}"], ['{"a":1}']);
  check({ type: "object" }, ["{}", '{"a":{"b":[1,"x",null,{}]}}'], ["[]"]);
  check({ type: "object", additionalProperties: { type: "integer" } }, ["{}", '{"a":1,"b":2}'], ['{"a":"x"}']);
  check({ type: "object", additionalProperties: false }, ["{}"], ['{"a":1}']);
});

test("strings have their length in characters, and their format", () => {
  const lengths = { type: "string", minLength: 2, maxLength: 4 };
  check(lengths, ['"ab"', String.raw`"\u00e9\n"`, '"日本語"', '"😀😀😀😀"'], ['"a"', '"abcde"', '""', '"a\nb"']);
  check(lengths, [], [String.raw`"\ud83d\ude00"`, String.raw`"a\ud83d"`]);
  check({ format: "date" }, ['"2024-02-28"', '"2023-12-31"'], ['"2023-02-30"', '"2023-04-31"', '"2023-13-01"']);
  check({ format: "time" }, ['"10:00:00Z"', '"23:59:59.5-08:30"'], ['"24:00:00Z"', '"10:00"']);
  check({ format: "date-time" }, ['"2024-02-28T10:00:00Z"'], ['"2024-02-28"']);
  check({ format: "uuid" }, ['"123e4567-e89b-12d3-a456-426614174000"'], ['"123e4567"']);
  check({ format: "ipv4" }, ['"10.0.0.255"'], ['"10.0.0.256"', '"10.0.0"']);
});

test("numbers have their bounds", () => {
  check(
    { type: "integer", minimum: 3, maximum: 120 },
    ["3", "10", "99", "120"],
    ["2", "121", "03", "-3", "1000", "3.0"],
  );
  check({ type: "integer", minimum: -5, exclusiveMaximum: 2 }, ["-5", "-1", "0", "1"], ["-6", "2", "10"]);
  check({ type: "number", minimum: 0, maximum: 1 }, ["0", "0.5", "1", "0.123"], ["1.5", "-0.1", "2", "1.01"]);
  check({ type: "number", exclusiveMinimum: 0 }, ["0.5", "1", "100.25"], ["0", "0.0", "-1"]);
  check({ type: "number", exclusiveMaximum: -2 }, ["-2.5", "-3"], ["-2", "-1.9", "0"]);
  check({ type: ["integer", "null"] }, ["1", "null"], ["true"]);
});

test("every integer within two bounds is in the grammar, and no other", () => {
  const bounds = fc.tuple(fc.integer({ min: -2_000, max: 200_000 }), fc.nat(5_000));
  fc.assert(
    fc.property(
      bounds,
      fc.array(fc.integer({ min: -10_000, max: 10_000 }), { maxLength: 20 }),
      ([minimum, span], away) => {
        const maximum = minimum + span;
        const grammar = grammarOf({ type: "integer", minimum, maximum });
        const values = [minimum, maximum, ...away.map((distance) => minimum + distance)];
        for (const value of values) assert.equal(grammar.matches(String(value)), value >= minimum && value <= maximum);
      },
    ),
    { numRuns: 60 },
  );
});

test("arrays have their counts and their first items", () => {
  check(
    { type: "array", items: { type: "integer" }, minItems: 1, maxItems: 3 },
    ["[1]", "[1, 2,3]"],
    ["[]", "[1,2,3,4]"],
  );
  const prefixItems = [{ type: "integer" }, { type: "string" }];
  check({ prefixItems, items: false }, ["[]", "[1]", '[1,"a"]'], ['["a"]', '[1,"a",2]']);
  check({ prefixItems, items: { type: "null" }, minItems: 2, maxItems: 3 }, ['[1,"a"]', '[1,"a",null]'], ["[1]"]);
  check({ type: "array", maxItems: 0 }, ["[]"], ["[1]"]);
});

test("values, choices and references", () => {
  check({ enum: ['a"b', "é\n", 1, null] }, [String.raw`"a\"b"`, '"é\\n"', "1", "null"], ['"a"']);
  check({ const: "<|im_end|>" }, ['"<|im_end|>"'], ['""']);
  check({ type: "string", enum: ["a", 1] }, ['"a"'], ["1"]);
  const kinds = ["a", "b"].map((kind) => ({
    type: "object",
    properties: { kind: { const: kind } },
    required: ["kind"],
  }));
  check({ oneOf: kinds }, ['{"kind":"a"}', '{"kind":"b"}'], ['{"kind":"c"}']);
  check({ anyOf: [{ type: "string" }, { type: "integer" }] }, ['"a"', "1"], ["null"]);
  const node = {
    type: "object",
    properties: { value: { type: "integer" }, next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } },
    required: ["value", "next"],
  };
  const list = { $ref: "#/$defs/node", $defs: { node } };
  check(list, ['{"value":1,"next":{"value":2,"next":null}}'], ['{"value":1}']);
  check({}, ["1", '"x"', "[]", '{"a":[]}', "true"], ["tru", ""]);
});

test("a keyword that the grammar does not enforce is refused by its name and path", () => {
  const notEnforced: readonly (readonly [string, unknown])[] = [
    ["pattern", "^a"],
    ["multipleOf", 2],
    ["uniqueItems", true],
    ["contains", {}],
    ["minContains", 1],
    ["maxContains", 1],
    ["minProperties", 1],
    ["maxProperties", 1],
    ["patternProperties", {}],
    ["propertyNames", {}],
    ["dependentRequired", {}],
    ["dependentSchemas", {}],
    ["if", {}],
    ["then", {}],
    ["else", {}],
    ["not", {}],
    ["unevaluatedItems", false],
    ["unevaluatedProperties", false],
    ["$dynamicRef", "#a"],
    ["$anchor", "a"],
    ["nullable", true],
  ];
  for (const [keyword, value] of notEnforced) {
    const schema = { type: "object", properties: { p: { [keyword]: value } } };
    const { code, param, message } = refusal(schema);
    assert.equal(code, "unsupported_schema");
    assert.equal(param, `schema.properties.p.${keyword}`);
    assert.match(message, new RegExp(`keyword \\${keyword}|keyword ${keyword}`));
    assert.ok(!enforcedKeywords.includes(keyword));
  }
  assert.equal(refusal({ type: "string", format: "email" }).param, "schema.format");
  assert.equal(refusal({ type: "string", minimum: 3 }).param, "schema.minimum");
  assert.equal(refusal({ type: "number", minimum: 0.5 }).param, "schema.minimum");
  assert.equal(refusal({ enum: ["a"], maxLength: 3 }).param, "schema.maxLength");
  assert.equal(refusal({ $ref: "#/$defs/a", type: "string", $defs: { a: {} } }).param, "schema.type");
  assert.equal(refusal({ allOf: [{ type: "string" }, {}] }).param, "schema.allOf");
  assert.equal(refusal({ oneOf: [{ type: "string" }, {}] }).param, "schema.oneOf");
  assert.equal(refusal({ type: "strng" }).param, "schema.type");
  assert.equal(refusal({ enum: [{ a: 1 }] }).param, "schema.enum");
  assert.equal(refusal({ $ref: "other.json" }).param, "schema.$ref");
  assert.equal(refusal({ $ref: "#/$defs/missing" }).param, "schema.$ref");
});

test("a schema that no value satisfies is refused", () => {
  const unsatisfiable: readonly unknown[] = [
    false,
    { enum: [] },
    { type: "string", enum: [1] },
    { type: "string", minLength: 3, maxLength: 2 },
    { type: "integer", minimum: 3, exclusiveMaximum: 3 },
    { type: "array", minItems: 3, items: false },
    { type: "object", required: ["a"], additionalProperties: false },
    { type: "object", properties: { self: { $ref: "#" } }, required: ["self"] },
    { anyOf: [{ $ref: "#" }, { type: "string" }] },
    { $ref: "#" },
  ];
  for (const schema of unsatisfiable) assert.equal(refusal(schema).code, "unsupported_schema");
});

test("choices that double from level to level are refused; those that can be told apart are not", () => {
  const doubling = (choice: (name: string) => unknown[], levels: number): object => ({
    $ref: `#/$defs/a${levels}`,
    $defs: Object.fromEntries([
      ["a0", { type: "string" }],
      ...Array.from({ length: levels }, (_, level) => [`a${level + 1}`, { anyOf: choice(`#/$defs/a${level}`) }]),
    ]),
  });
  const object = (properties: object): object => ({
    type: "object",
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  });
  const twice = (pointer: string): unknown[] => [{ $ref: pointer }, { $ref: pointer }];
  const twiceInside = (pointer: string): unknown[] => [
    object({ x: { $ref: pointer }, a: { type: "null" } }),
    object({ x: { $ref: pointer }, b: { type: "null" } }),
  ];
  const named = (pointer: string): unknown[] => [
    object({ kind: { const: "a" }, x: { $ref: pointer } }),
    object({ kind: { const: "b" }, x: { $ref: pointer } }),
  ];
  for (const levels of [8, 20, 29]) {
    assert.equal(refusal(doubling(twice, levels)).code, "unsupported_schema");
    assert.equal(refusal(doubling(twiceInside, levels)).code, "unsupported_schema");
    assert.equal(readSchema(doubling(named, levels), "schema").outcome, "read");
  }
  assert.equal(readSchema(doubling(twiceInside, 7), "schema").outcome, "read");
  // A tree that grows without end: each node says at its beginning which it is, or cannot be told from the other.
  const tree = (first: object, second: object): object => ({
    $ref: "#/$defs/node",
    $defs: {
      node: {
        anyOf: [
          object({ ...first, left: { $ref: "#/$defs/node" }, right: { $ref: "#/$defs/node" } }),
          object({ ...second, left: { $ref: "#/$defs/node" } }),
          { type: "number" },
        ],
      },
    },
  });
  assert.equal(readSchema(tree({ op: { const: "+" } }, { op: { const: "-" } }), "schema").outcome, "read");
  assert.equal(readSchema(tree({ sum: { type: "null" } }, { negated: { type: "null" } }), "schema").outcome, "read");
  assert.match(refusal(tree({}, {})).message, /more than 128 ways/);
  assert.match(refusal(tree({ op: { type: "string" } }, { op: { const: "-" } })).message, /more than 128 ways/);
});

test("names and strings that no grammar can spell are refused", () => {
  for (const name of ["\ud800", "__proto__"]) {
    const properties = JSON.parse(`{${JSON.stringify(name)}: {"type": "null"}}`) as object;
    assert.equal(refusal({ type: "object", properties, required: [name] }).param, "schema.properties");
    assert.equal(refusal({ type: "object", required: [name] }).param, "schema.properties");
  }
  assert.equal(refusal({ const: "a\udfff" }).param, "schema.const");
  assert.equal(readSchema({ enum: ["😀", "__proto__"] }, "schema").outcome, "read");
});

test("a hostile schema is refused before anything is made of it", () => {
  const nested = (levels: number): unknown => {
    let schema: unknown = { type: "string" };
    for (let level = 0; level < levels; level++) schema = { type: "array", items: schema };
    return schema;
  };
  const wide = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`p${index}`, {}]));
  const chain = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, index) => [`d${index}`, { $ref: `#/$defs/d${index + 1}` }]),
  );
  const branches = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => {
      const next = { $ref: `#/$defs/d${(index + 1) % 30}` };
      const option = { type: "object", properties: { next }, required: ["next"] };
      return [`d${index}`, { oneOf: [option, option, option, option, option] }];
    }),
  );
  for (const schema of [
    nested(100_000),
    nested(schemaLimits.depth + 1),
    { type: "object", properties: wide },
    { $ref: "#/$defs/d0", $defs: chain },
    { $ref: "#/$defs/d0", $defs: branches },
    { enum: Array.from({ length: 5_000 }, (_, index) => index) },
    { type: "string", maxLength: 1_000_000 },
    { type: "array", items: { type: "string", maxLength: 1e308 } },
    { description: "x".repeat(100_000) },
    { anyOf: Array.from({ length: 2_000 }, () => ({ type: "string" })) },
  ]) {
    assert.equal(refusal(schema).code, "unsupported_schema");
  }
});

test("the largest schemas that are let through make grammars that llama.cpp takes", () => {
  const properties = Object.fromEntries(
    Array.from({ length: schemaLimits.propertiesOfOne }, (_, index) => [
      `p${index}`,
      { type: "string", maxLength: 30 },
    ]),
  );
  check({ type: "object", properties }, ['{"p3":"x","p100":"y"}'], ['{"p3":1}']);
  const values = Array.from({ length: schemaLimits.enumValues }, (_, index) => `value ${index}`);
  check(
    { type: "array", items: { enum: values }, maxItems: schemaLimits.repetition },
    ['["value 999"]'],
    ['["value"]'],
  );
  let deep: unknown = { type: "array", items: { type: "integer" }, minItems: 1 };
  for (let level = 2; level < schemaLimits.depth; level++) deep = { type: "array", items: deep, minItems: 1 };
  check(deep, ["[".repeat(23) + "1" + "]".repeat(23)], ["[1]"]);
});

/** A schema together with values of it. */
const schemas = fc.letrec<{ schema: Record<string, unknown> }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom({ type: "string" }, { type: "integer" }, { type: "number" }, { type: "boolean" }, { type: "null" }),
    fc.nat(4).map((minLength) => ({ type: "string", minLength, maxLength: minLength + 3 })),
    fc.integer({ min: -20, max: 20 }).map((minimum) => ({ type: "integer", minimum, maximum: minimum + 7 })),
    fc.array(fc.jsonValue({ maxDepth: 0 }), { minLength: 1, maxLength: 4 }).map((values) => ({ enum: values })),
    fc.record({ type: fc.constant("array"), items: tie("schema"), minItems: fc.nat(2) }),
    fc.array(tie("schema"), { minLength: 1, maxLength: 3 }).map((options) => ({ anyOf: options })),
    fc
      .array(fc.tuple(fc.string({ maxLength: 4 }), tie("schema"), fc.boolean()), { maxLength: 4 })
      .filter((members) => members.every(([name]) => name !== "__proto__"))
      .map((members) => ({
        type: "object",
        properties: Object.fromEntries(members.map(([name, schema]) => [name, schema])),
        required: [...new Set(members.filter(([, , isRequired]) => isRequired).map(([name]) => name))],
        additionalProperties: false,
      })),
  ),
})).schema;

test("what the grammar takes a validator takes, whatever the schema", () => {
  fc.assert(
    fc.property(schemas, fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 20 }), (schema, values) => {
      const validate = new Ajv2020({ strict: false }).compile(schema);
      const grammar = grammarOf(schema);
      for (const value of [...values, ...samples(schema)]) {
        const text = JSON.stringify(value);
        if (grammar.matches(text)) assert.ok(validate(JSON.parse(text)), `${JSON.stringify(schema)} ${text}`);
      }
      for (const value of samples(schema))
        assert.ok(grammar.matches(JSON.stringify(value)), JSON.stringify([schema, value]));
    }),
    { numRuns: 150 },
  );
});

/** A few values of a schema of the kinds above. */
function samples(schema: Record<string, unknown>): readonly unknown[] {
  if (Array.isArray(schema["enum"])) return schema["enum"];
  if (Array.isArray(schema["anyOf"])) return (schema["anyOf"] as Record<string, unknown>[]).flatMap(samples);
  switch (schema["type"]) {
    case "string":
      return ["é".repeat(Number(schema["minLength"] ?? 2))];
    case "integer":
      return [schema["minimum"] ?? -12, schema["maximum"] ?? 34];
    case "number":
      return [0, -1.5];
    case "boolean":
      return [true, false];
    case "null":
      return [null];
    case "array": {
      const item = samples(schema["items"] as Record<string, unknown>)[0];
      return [Array.from({ length: Number(schema["minItems"]) }, () => item)];
    }
    default: {
      const properties = Object.entries(schema["properties"] as Record<string, Record<string, unknown>>);
      const required = schema["required"] as readonly string[];
      const whole = properties.map(([name, property]): [string, unknown] => [name, samples(property)[0]]);
      return [Object.fromEntries(whole), Object.fromEntries(whole.filter(([name]) => required.includes(name)))];
    }
  }
}
