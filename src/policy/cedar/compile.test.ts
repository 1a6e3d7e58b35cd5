import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePolicies, createPolicy, policySchema, shippedFiles, shippedPolicies } from "../index.ts";
import { cedar } from "./cedar.ts";
import { statementsOf } from "./statements.ts";

function compile(text: string, name = "own.cedar") {
  return compilePolicies({ schema: policySchema, files: [{ name, text }] });
}

/** Problems as "line:column message". */
function problemsOf(text: string): readonly string[] {
  const compiled = compile(text);
  if (compiled.outcome === "compiled") return [];
  return compiled.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

function warningsOf(text: string): readonly string[] {
  const compiled = compile(text);
  if (compiled.outcome === "invalid") assert.fail(JSON.stringify(compiled.problems));
  return compiled.warnings.map(({ line, message }) => `${line} ${message}`);
}

const all = "(principal, action, resource)";

test("what is shipped is valid, without a warning, formatted as Cedar does, and says that it is no legal advice", () => {
  const compiled = compilePolicies({ schema: policySchema, files: shippedFiles });
  assert.ok(compiled.outcome === "compiled", JSON.stringify(compiled));
  assert.deepEqual([compiled.warnings, compiled.id], [[], shippedPolicies().id]);
  for (const { name, text } of shippedFiles) {
    assert.match(text, /^\/\/ An aid, not legal advice\.\n/, name);
    const formatted = cedar().formatPolicies({ policyText: text, lineWidth: 120, indentWidth: 2 });
    assert.ok(formatted.type === "success");
    const lines = (some: string) => some.split("\n").filter((line) => line !== "");
    assert.deepEqual(lines(text), lines(formatted.formatted_policy), name);
  }
});

test("every shipped policy has its name, its word, what to do, and its article; regimes only forbid", () => {
  for (const { id, file, effect, json } of shippedPolicies().policies.values()) {
    const { explain, article, reason } = json.annotations ?? {};
    assert.ok(explain !== undefined && article !== undefined, id);
    assert.equal(id.split(".")[0], file.replace(".cedar", ""));
    if (effect === "permit") assert.equal(file, "base.cedar");
    else assert.ok(reason !== undefined && explain.includes(";"), `${id} says what to do`);
    if (file === "base.cedar") continue;
    assert.deepEqual(json.principal, { op: "in", entity: { type: "Regime", id: file.replace(".cedar", "") } });
  }
});

test("a policy that does not parse is told with its line and column, each of several", () => {
  const text = `// ünïcode — moves bytes\n@id("a")\npermit ${all}\nwhen { principal.processing = 3 };\n\n@id("b") forbid (principal, action resource);\n`;
  const problems = problemsOf(text);
  assert.equal(problems.length, 2);
  assert.match(problems[0]!, /^4:\d+ /);
  assert.match(problems[1]!, /^6:36 unexpected token `resource`; expected/);
  assert.match(problemsOf(`@id("a") permit ${all}`)[0]!, /^1:\d+ unexpected end of input/);
  assert.match(problemsOf(`@id("a") permit (principal == ?principal, action, resource);`)[0]!, /^1:\d+ .*template/);
});

test("a policy that is not valid is told with its line, its column, and what was meant", () => {
  const text = `\n\n  @id("a") permit ${all} when {\n    resource.wihtin.contains("DE") };\n@id("b") forbid (principal, action == Action::"inferr", resource);`;
  assert.deepEqual(problemsOf(text), [
    "4:5 attribute `wihtin` on entity type `Host` not found; did you mean `within`?",
    '5:39 unrecognized action `Action::"inferr"`; did you mean `Action::"infer"`?',
  ]);
  const unsafe = `@id("a") forbid ${all} when { context.model.developer == "x" };`;
  assert.match(problemsOf(unsafe)[0]!, /^1:\d+ unable to guarantee safety of access to optional attribute `model/);
});

test("a bad schema, a missing or repeated name, and annotations that nobody could print are told", () => {
  const schema = { name: "s.cedarschema", text: "entity A;\nentity B\naction x;" };
  const compiled = compilePolicies({ schema, files: [] });
  assert.ok(compiled.outcome === "invalid");
  assert.deepEqual([compiled.problems[0]!.file, compiled.problems[0]!.line], ["s.cedarschema", 3]);
  assert.deepEqual(problemsOf(`permit ${all};`), ['1:1 a policy needs a name: put @id("...") before it']);
  assert.deepEqual(problemsOf(`@id("a") permit ${all};\n@id("a") permit ${all};`), [
    '2:1 @id("a") is there already, in own.cedar:1; choose another one',
  ]);
  assert.match(problemsOf(`@id("a b") permit ${all};`)[0]!, /@id is 1 to 100 letters/);
  assert.match(problemsOf(`@id("a") @reason("Not coarse!") permit ${all};`)[0]!, /@reason is one coarse word/);
  assert.match(problemsOf(`@id("a") @explain("in {resource.wihtin}") permit ${all};`)[0]!, /\{resource\.wihtin\}/);
  assert.equal(problemsOf(Array.from({ length: 80 }, () => `permit ${all};`).join("\n")).length, 50);
});

test("a file that does not compile changes nothing: what was compiled before decides on", () => {
  const before = createPolicy();
  const { id } = shippedPolicies();
  assert.equal(compile(`@id("a") permit ${all} when { nonsense };`).outcome, "invalid");
  assert.equal(before.policies.id, id);
  const question = { action: "infer", model: "m", project: { id: "p", dataClass: "public", processing: [] } } as const;
  const candidate = { kind: "host", name: "h", site: { name: "s", jurisdiction: "DE" } } as const;
  assert.equal(before.decide(question, [candidate]).outcome, "permitted");
});

test("policies that permit nothing are warned of, with the reason", () => {
  assert.deepEqual(warningsOf(`@id("a") forbid ${all} when { resource has country };`), [
    "1 no policy permits anything: what nothing permits is refused",
  ]);
  assert.deepEqual(warningsOf(`@id("p") permit ${all};\n@id("a") forbid ${all};`), [
    '2 "a" forbids everything to everybody, so nothing is permitted there',
  ]);
  assert.deepEqual(
    warningsOf(`@id("p") permit ${all};\n@id("a") forbid (principal in Regime::"x", action, resource);`),
    ['2 "a" forbids everything to Regime "x", so nothing is permitted there'],
  );
  const never = warningsOf(`@id("p") permit ${all};\n@id("a") permit (principal, action, resource is Organisation);`);
  assert.match(never[0]!, /^2 "a" can never apply, so it permits nothing: unable to find an applicable action/);
  const staff = `@id("p") permit ${all};\n@id("a") permit (principal is Staff, action == Action::"infer", resource);`;
  assert.match(warningsOf(staff)[0]!, /^2 "a" can never apply, so it permits nothing/);
});

test("one set of policies has one id, whatever the order and the names of its files; one letter more is another", () => {
  const id = (files: typeof shippedFiles) => {
    const compiled = compilePolicies({ schema: policySchema, files });
    return compiled.outcome === "compiled" ? compiled.id : assert.fail();
  };
  assert.equal(id(shippedFiles.toReversed()), shippedPolicies().id);
  const [first, ...others] = shippedFiles;
  const changed = { ...first!, text: first!.text.replace("isWithdrawn", "isWithdrawn && true") };
  assert.notEqual(id([changed, ...others]), shippedPolicies().id);
});

test("policies are told apart by their semicolons, not by those in strings and comments", () => {
  const text = '// a; b\n@x("1; \\"2;") permit(a); // c;\nforbid(b) when { "/;" };\n// end;\n';
  assert.deepEqual(
    statementsOf(text).map((each) => [each.start, each.text]),
    [
      [8, '@x("1; \\"2;") permit(a);'],
      [39, 'forbid(b) when { "/;" };'],
    ],
  );
  assert.deepEqual(statementsOf(" // nothing\n"), []);
  assert.equal(statementsOf('permit "open').length, 1);
});
