import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { formatProblems, loadSettings, parseSettings, type SettingsOverrides } from "./index.ts";

function problemsOf(text: string, overrides?: SettingsOverrides) {
  const loaded = parseSettings({ text, ...(overrides && { overrides }) });
  assert.equal(loaded.outcome, "invalid");
  return loaded.outcome === "invalid" ? loaded.problems : [];
}

function settingsOf(text: string, overrides?: SettingsOverrides) {
  const loaded = parseSettings({ text, ...(overrides && { overrides }) });
  if (loaded.outcome === "invalid") assert.fail(formatProblems(loaded));
  return loaded.settings;
}

test("an unknown key is refused with its path, its line and the nearest known key", () => {
  assert.deepEqual(problemsOf("site:\n  name: here\nlisten:\n  prot: 80\n"), [
    { path: "listen.prot", line: 4, message: "is not a setting; did you mean listen.port?", nearest: "listen.port" },
  ]);
  assert.equal(problemsOf("upstream: []")[0]?.nearest, "upstreams");
  assert.equal(problemsOf("port: 80")[0]?.nearest, "listen.port");
  const nested = problemsOf("upstreams:\n  - name: a\n    url: http://a/v1\n    sitee: {}\n");
  assert.deepEqual(
    [nested[0]?.path, nested[0]?.line, nested[0]?.nearest],
    ["upstreams[0].sitee", 4, "upstreams[0].site"],
  );
});

test("a wrong value is refused with its path and line, without repeating a secret", () => {
  const [port] = problemsOf("listen:\n  host: a\n  port: 70000\n");
  assert.deepEqual([port?.path, port?.line], ["listen.port", 3]);
  assert.match(port?.message ?? "", /65535/);
  assert.equal(problemsOf("engine:\n  threads: many\n")[0]?.path, "engine.threads");
  assert.match(
    problemsOf("engine:\n  threads: many\n")[0]?.message ?? "",
    /^must be "auto" or a whole number from 1 to 1024$/,
  );
  for (const [size, meant] of [
    ["24GB", /number from 1048576 to 1000000000000000 \(bytes, written without a unit: 24GB is 24000000000\)$/],
    ["1.5 GiB", /1\.5 GiB is 1610612736\)$/],
    ["much", /\(bytes, written without a unit\)$/],
  ] as const) {
    assert.match(problemsOf(`engine:\n  memoryBytes: ${size}\n`)[0]?.message ?? "", meant);
  }
  assert.match(problemsOf("limits:\n  bodyBytes: 2MB\n")[0]?.message ?? "", /2MB is 2000000\)$/);
  assert.match(problemsOf("listen:\n")[0]?.message ?? "", /is empty/);
  assert.match(problemsOf("upstreams:\n  - name: a\n")[0]?.message ?? "", /is required/);
  assert.doesNotMatch(JSON.stringify(problemsOf("database:\n  url: mysql://me:hunter2@db/x\n")), /hunter2/);
});

test("a jurisdiction must exist; case does not matter", () => {
  assert.equal(settingsOf("site: { jurisdiction: de-be }").site.jurisdiction, "DE-BE");
  assert.equal(settingsOf("site: { jurisdiction: NO }").site.jurisdiction, "NO");
  assert.match(problemsOf("site: { jurisdiction: UK }")[0]?.message ?? "", /did you mean "GB"/);
  assert.match(problemsOf("site: { jurisdiction: Germany }")[0]?.message ?? "", /^"Germany" .*did you mean "DE"/);
  assert.match(problemsOf("site: { jurisdiction: EU }")[0]?.message ?? "", /group/);
});

test("prices are decimal strings, in one currency, each version once", () => {
  const version = (more: string) =>
    `prices:\n  - version: a\n    currency: EUR\n    effectiveFrom: "2026-01-01"\n    ${more}\n`;
  const models = 'models: { "*": { inputPerMillion: "1", outputPerMillion: "2.5" } }';
  assert.equal(settingsOf(version(models)).prices[0]?.models["*"]?.outputPerMillion, "2.5");
  assert.match(problemsOf(version(models.replace('"1"', "1")))[0]?.message ?? "", /quotes/);
  assert.match(problemsOf(version(models.replace('"1"', '"-1"')))[0]?.message ?? "", /at least 0/);
  assert.match(problemsOf(version(models).replace("01-01", "02-30"))[0]?.message ?? "", /exists/);
  const twice = version(models) + version(models).replace("prices:\n", "").replace("EUR", "USD");
  assert.deepEqual(
    problemsOf(twice).map((problem) => problem.path),
    ["prices[1].version", "prices[1].effectiveFrom", "prices[1].currency"],
  );
});

test("one site has one jurisdiction", () => {
  const upstream = (jurisdiction: string) =>
    `site: { name: berlin, jurisdiction: DE }\nupstreams: [{ name: a, url: "http://a", site: { name: berlin, jurisdiction: ${jurisdiction} } }]`;
  assert.equal(settingsOf(upstream("DE")).upstreams.length, 1);
  assert.equal(problemsOf(upstream("FR"))[0]?.path, "upstreams[0].site.name");
});

test("overrides replace what the file says, and are checked alike", () => {
  const settings = settingsOf("listen: { host: a, port: 1 }\nmodels: { serve: [a, b] }", {
    listen: { port: 2 },
    models: { serve: [] },
    site: { jurisdiction: "FR" },
  });
  assert.deepEqual(settings.listen, { host: "a", port: 2 });
  assert.deepEqual(settings.models.serve, []);
  assert.equal(settings.site.jurisdiction, "FR");
  assert.deepEqual(Object.keys(problemsOf("listen: { port: 1 }", { listen: { port: -1 } })[0] ?? {}), [
    "path",
    "message",
  ]);
});

test("settings are frozen all the way down", () => {
  const settings = settingsOf("");
  assert.ok(Object.isFrozen(settings) && Object.isFrozen(settings.prices[0]?.models["*"]));
});

test("YAML's traps are refused: tags, repeated keys, merge keys, alias bombs, two documents, odd keys", () => {
  assert.match(problemsOf("site: !!js/function x")[0]?.message ?? "", /[Tt]ag/);
  assert.match(problemsOf("site: !own { name: a }")[0]?.message ?? "", /[Tt]ag/);
  assert.match(problemsOf("%YAML 1.1\n---\nsite: { name: !!binary aGk= }")[0]?.message ?? "", /[Tt]ag/);
  assert.match(problemsOf("log: { level: info }\nlog: { level: warn }")[0]?.message ?? "", /unique/);
  const merged = problemsOf("log: &a { level: info }\nlisten: { <<: *a }");
  assert.equal(merged[0]?.path, 'listen["<<"]');
  assert.match(problemsOf("log: {}\n---\nlog: {}")[0]?.message ?? "", /document/);
  assert.equal(problemsOf("__proto__: { port: 1 }")[0]?.path, '["__proto__"]');
  assert.equal(problemsOf("? [a, b]\n: 1")[0]?.message, "a key must be a plain word");
  const levels = Array.from({ length: 12 }, (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level},`.repeat(9)}]`);
  assert.match(problemsOf(`l0: &l0 [x]\n${levels.join("\n")}`)[0]?.message ?? "", /alias/);
  assert.match(problemsOf("listen: *nothing")[0]?.message ?? "", /alias/i);
});

test("files that are too large, not text, deep or missing are problems, not crashes", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-config-"));
  try {
    const path = join(folder, "bailiwick.yaml");
    await writeFile(path, "log:\n  level: debug\n");
    const loaded = await loadSettings({ path, overrides: { listen: { port: 0 } } });
    assert.ok(
      loaded.outcome === "loaded" && loaded.settings.log.level === "debug" && loaded.settings.listen.port === 0,
    );
    await writeFile(path, `# ${"x".repeat(300_000)}\n`);
    assert.match(await describeFailure(path), /is larger than/);
    await writeFile(path, Buffer.from([0x61, 0x3a, 0xff, 0xfe]));
    assert.match(await describeFailure(path), /UTF-8/);
    assert.match(await describeFailure(join(folder, "absent.yaml")), /absent\.yaml: cannot be read/);
    assert.match(await describeFailure(folder), /cannot be read/);
  } finally {
    await rm(folder, { recursive: true });
  }
  for (const deep of ["[".repeat(20_000), "{a: ".repeat(20_000), "- ".repeat(20_000)]) problemsOf(deep);
});

async function describeFailure(path: string): Promise<string> {
  const loaded = await loadSettings({ path });
  assert.equal(loaded.outcome, "invalid");
  return loaded.outcome === "invalid" ? formatProblems(loaded) : "";
}

test("no text makes it throw", () => {
  const word = fc.constantFrom(
    "listen",
    "port",
    "- ",
    ": ",
    "\n",
    "  ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!x ",
    '"',
    "#",
    "1",
    "%",
    "?",
    "|",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(word, { maxLength: 40 }).map((words) => words.join("")),
      ),
      (text) => {
        const loaded = parseSettings({ text });
        assert.ok(loaded.outcome === "loaded" || loaded.problems.length > 0);
      },
    ),
    { numRuns: 500 },
  );
});

test("a file that is no mapping, or holds what a flag replaces, is refused all the same", () => {
  for (const text of ["[]", '"x"', "7"]) {
    const outcome = parseSettings({ text });
    assert.equal(outcome.outcome, "invalid", text);
  }
  const overrides = { engine: { kind: "fake" as const }, listen: { port: 1 } };
  for (const text of ["engine: {kind: llama}", 'listen: {port: "x"}', "listen: {port: 99999}"]) {
    const outcome = parseSettings({ text, overrides });
    assert.equal(outcome.outcome === "invalid" && outcome.problems[0]?.line, 1, text);
  }
  // What only does not go together may still be put right by a flag.
  assert.equal(parseSettings({ text: "", overrides }).outcome, "loaded");
});
