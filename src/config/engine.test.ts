import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseSettings, type SettingsOverrides } from "./index.ts";

/** What is wrong with settings, each as its path and message; empty where nothing is. */
function problemsOf(text: string, overrides?: SettingsOverrides): readonly (readonly [string, string])[] {
  const loaded = parseSettings({ text, ...(overrides && { overrides }) });
  return loaded.outcome === "loaded" ? [] : loaded.problems.map(({ path, message }) => [path, message] as const);
}

const command = 'server: { command: [serve, "{path}", "{socket}"] }';

test("a program that serves a model is said with defaults for what may be left out", () => {
  const loaded = parseSettings({ text: `engine: { kind: vllm, memoryBytes: 80000000000, ${command} }` });
  assert.deepEqual(loaded.outcome === "loaded" && loaded.settings.engine.server, {
    command: ["serve", "{path}", "{socket}"],
    environment: {},
    startTimeoutMs: 240_000,
  });
});

test("kinds vllm and server need the program and the device's memory, unless there is no device", () => {
  for (const kind of ["vllm", "server"]) {
    const nothing = problemsOf(`engine: { kind: ${kind} }`);
    assert.deepEqual(
      nothing.map(([path]) => path),
      ["engine.server.command", "engine.memoryBytes"],
      "all that is missing is said at once",
    );
    assert.match(nothing[0]![1], new RegExp(`kind ${kind} starts a program: write it`));
    const [problem] = problemsOf(`engine: { kind: ${kind}, ${command} }`);
    assert.equal(problem?.[0], "engine.memoryBytes");
    assert.match(problem?.[1] ?? "", /cannot see what the device has/);
    assert.deepEqual(problemsOf(`engine: { kind: ${kind}, gpu: off, ${command} }`), []);
    assert.deepEqual(problemsOf(`engine: { kind: ${kind}, memoryBytes: 80000000000, ${command} }`), []);
  }
});

test("a program beside another kind of engine is refused, and named with that kind", () => {
  for (const kind of ["llamacpp", "fake"]) {
    const [problem] = problemsOf(`engine: { kind: ${kind}, ${command} }`);
    assert.deepEqual(problem?.[0], "engine.server");
    assert.match(problem?.[1] ?? "", new RegExp(`kind ${kind} starts no program`));
  }
  const [overridden] = problemsOf(`engine: { kind: server, gpu: off, ${command} }`, { engine: { kind: "fake" } });
  assert.match(overridden?.[1] ?? "", /kind fake starts no program/);
});

test("what no program could do is refused: to be reached nowhere, to start for longer than a load, to sleep", () => {
  const paths = (server: string, kind = "server") =>
    problemsOf(`engine: { kind: ${kind}, gpu: off, server: ${server} }`).map(([path]) => path);
  assert.deepEqual(paths("{ command: [serve] }"), ["engine.server.command"]);
  assert.deepEqual(paths('{ command: [serve], environment: { PORT: "{port}" } }'), []);
  assert.deepEqual(paths("{ command: [serve] }", "vllm"), []);
  assert.deepEqual(paths('{ command: ["{port}"], startTimeoutMs: 300001 }'), ["engine.server.startTimeoutMs"]);
  assert.deepEqual(paths('{ command: ["{port}"], sleeping: 1 }'), ["engine.server.sleeping"]);
});

test("a command and its variables are bounded", () => {
  const paths = (server: string) =>
    problemsOf(`engine: { kind: vllm, gpu: off, server: ${server} }`).map(([path]) => path);
  assert.deepEqual(paths("{ command: [] }"), ["engine.server.command"]);
  assert.deepEqual(paths("{ command: serve }"), ["engine.server.command"]);
  assert.deepEqual(paths(`{ command: [${"a, ".repeat(101)}] }`), ["engine.server.command"]);
  assert.deepEqual(paths('{ command: [""] }'), ["engine.server.command[0]"]);
  assert.deepEqual(paths('{ command: ["a\\0b"] }'), ["engine.server.command[0]"]);
  assert.deepEqual(paths('{ command: [a], environment: { "A=B": c } }'), ['engine.server.environment["A=B"]']);
  assert.deepEqual(paths("{ command: [a], environment: { A: 4 } }"), ["engine.server.environment.A"]);
  const many = Array.from({ length: 101 }, (_, index) => `A${index}: a`).join(", ");
  assert.deepEqual(paths(`{ command: [a], environment: { ${many} } }`), ["engine.server.environment"]);
  assert.deepEqual(problemsOf("engine: { kind: vllm, server: { command: [a], comand: [a] } }")[0], [
    "engine.server.comand",
    "is not a setting; did you mean engine.server.command?",
  ]);
});

test("the settings in the documents are valid as they stand", () => {
  for (const [name, count] of [
    ["operating/engines.md", 2],
    ["reference/models.md", 1],
  ] as const) {
    const text = readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
    const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
    assert.equal(blocks.length, count, name);
    for (const block of blocks) assert.deepEqual(problemsOf(block), [], name);
  }
});
