import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Readable } from "node:stream";
import { run } from "./testing.ts";

const prices = `currency: EUR
devices:
  - { device: H100, pricePerHour: "2.50", available: 4 }
  - { device: L40S, pricePerHour: "0.90" }
  - { device: 910B, pricePerHour: "1.20", exportClassification: as counsel wrote }
`;
const small = ["--workload", "synthetic:4x0.1", "--minutes", "2", "--seeds", "2"];

async function folderWith(context: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-plan-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

test("plan prints the best, the second best and why, as JSON and as words", async (context) => {
  const folder = await folderWith(context, { "prices.yaml": prices });
  const options = ["plan", ...small, "--prices", join(folder, "prices.yaml")];
  const { code, stdout } = await run([...options, "--json"]);
  assert.equal(code, 0);
  const plan = JSON.parse(stdout) as Record<string, Record<string, unknown>>;
  assert.equal(plan["outcome"], "planned");
  for (const field of ["fleet", "pricePerHour", "pricePerMillionTokens", "attainmentPerSeed", "busyShare", "devices"]) {
    assert.ok(field in plan["best"]! && field in plan["secondBest"]!, field);
  }
  assert.match(String(plan["best"]!["pricePerHour"]), /^\d+(\.\d+)?$/, "money is a decimal string");
  for (const field of ["why", "alternatives", "warnings", "tried", "notes", "simulations", "excluded"]) {
    assert.ok(field in plan, field);
  }
  const words = await run(options);
  assert.equal(words.code, 0);
  assert.match(words.stdout, /^best +\S+ +[\d.]+/m);
  assert.match(words.stdout, /^Why\n {2}- \S/m);
  assert.doesNotMatch(words.stderr, / met/, "no progress where it is no terminal");
});

test("docs/reference/plan.md has what its example prints", async (context) => {
  const page = await readFile(new URL("../../docs/reference/plan.md", import.meta.url), "utf8");
  const [, listed] = /```yaml\n([^]*?)```/.exec(page)!;
  const [, line, printed] = /^ {4}\$ bailiwick (plan .*)\n((?: {4}.*\n|\n)+)/m.exec(page)!;
  const folder = await folderWith(context, { "prices.yaml": listed! });
  const { code, stdout } = await run(line!.replace("prices.yaml", join(folder, "prices.yaml")).split(" "));
  assert.equal(code, 0);
  const expected = printed!.replaceAll(/^ {4}/gm, "").trim();
  assert.ok(stdout.trimEnd().endsWith(expected), stdout);
});

test("no device from an excluded country, and exit code 1 where none is left or none does", async (context) => {
  const folder = await folderWith(context, { "prices.yaml": prices });
  const options = ["plan", ...small, "--prices", join(folder, "prices.yaml")];
  const { code, stdout, stderr } = await run([...options, "--exclude-origin", "us"]);
  assert.equal(code, 0);
  assert.match(stdout, /left out +h100 \(US\), l40s \(US\)/);
  assert.match(stdout, /^best +\d+x910B/m);
  assert.match(stdout, /^note +Ascend 910B: .*0\.4 to 1\.6 TB\/s/m);
  assert.match(stderr, /warning: Ascend 910B: .*as counsel wrote\. As given, and not legal advice\./);
  const none = await run([...options, "--exclude-origin", "US", "--exclude-origin", "CN", "--json"]);
  assert.equal(none.code, 1);
  const plan = JSON.parse(none.stdout) as { outcome: string; reasons: string[] };
  assert.equal(plan.outcome, "none");
  assert.match(plan.reasons.join("\n"), /no device is left/);
  const large = await run([...options, "--models", "qwen2.5-72b"]);
  assert.equal(large.code, 1);
  assert.match(large.stdout, /No fleet keeps the objective:\n {2}- qwen2\.5-72b.*would run on/);
});

test("a usage export is planned for with the models that take others' places", async (context) => {
  const row = (second: number): object => ({
    startTime: `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z`,
    model: "gpt-4o-mini",
    prompt_tokens: 300,
    completion_tokens: 60,
    team_id: "a",
  });
  const usage = JSON.stringify(Array.from({ length: 30 }, (_, index) => row(2 * index)));
  const folder = await folderWith(context, { "prices.yaml": prices, "usage.json": usage });
  const options = ["plan", "--workload", join(folder, "usage.json"), "--format", "litellm", "--prices"];
  const { code, stdout } = await run([...options, join(folder, "prices.yaml"), "--map", "gpt-4o-mini=qwen2.5-7b"]);
  assert.equal(code, 0);
  assert.match(stdout, /qwen2\.5-7b stands for gpt-4o-mini/);
  const unknown = await run([...options, join(folder, "prices.yaml")]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /gpt-4o-mini \(30 requests\).*--map/);
});

test("a token's price is that of the time that is planned for, whatever else the export spans", async (context) => {
  const row = (minute: number): object => ({
    startTime: new Date(Date.UTC(2026, 0, 1, 0, 0, 30) + minute * 60_000).toISOString(),
    model: "qwen2.5-7b",
    prompt_tokens: 300,
    completion_tokens: 60,
  });
  const busy = Array.from({ length: 6 }, (_, index) => row(3 * index));
  const folder = await folderWith(context, {
    "prices.yaml": prices,
    "short.json": JSON.stringify(busy),
    "later.json": JSON.stringify([...busy, row(400)]),
    "earlier.json": JSON.stringify([row(-400), ...busy]),
  });
  const options = ["plan", "--prices", join(folder, "prices.yaml"), "--format", "litellm", "--json", "--workload"];
  const planned: { best: { pricePerHour: string; pricePerMillionTokens: string }; notes: string[] }[] = [];
  for (const name of ["short.json", "later.json", "earlier.json"]) {
    planned.push(JSON.parse((await run([...options, join(folder, name)])).stdout) as (typeof planned)[number]);
  }
  const [short, later, earlier] = planned;
  // Half an hour of the devices, for six requests of 360 tokens.
  const expected = (Number(short!.best.pricePerHour) * 0.5 * 1e6) / (6 * 360);
  assert.ok(Math.abs(Number(short!.best.pricePerMillionTokens) - expected) < 1e-5, short!.best.pricePerMillionTokens);
  assert.deepEqual(later!.best, short!.best);
  assert.equal(earlier!.best.pricePerMillionTokens, short!.best.pricePerMillionTokens);
  assert.match(short!.notes.join("\n"), /export is about 15 minute\(s\) long.*over all 30: give --minutes 15/);
  assert.doesNotMatch(later!.notes.join("\n"), /long/);
});

test("options that mean nothing for a file are said", async (context) => {
  const row = { startTime: "2026-01-01T00:00:00.000Z", model: "qwen2.5-7b", prompt_tokens: 300, completion_tokens: 60 };
  const folder = await folderWith(context, {
    "prices.yaml": prices,
    "usage.json": JSON.stringify([row, { ...row, startTime: "2026-01-01T00:00:09.000Z" }]),
    "trace.csv": "Request Time,Model Name,Input Length,Output Length\n00:00:01.000,a,10,5\n00:00:02.000,a,10,5\n",
  });
  const options = ["plan", "--prices", join(folder, "prices.yaml"), "--seeds", "2", "--minutes", "5", "--workload"];
  const trace = await run([...options, join(folder, "trace.csv"), "--json"]);
  assert.match(trace.stderr, /^note: --seeds and --minutes mean nothing here: a recorded trace is replayed once/);
  assert.match((JSON.parse(trace.stdout) as { notes: string[] }).notes.at(-1)!, /^--seeds and --minutes mean nothing/);
  const usage = await run([...options, join(folder, "usage.json"), "--format", "litellm"]);
  assert.match(usage.stderr, /^note: --seeds means nothing here: each request of the export has a time of its own$/m);
  assert.doesNotMatch((await run([...options, "synthetic:2x0.1"])).stderr, /means? nothing/);
  const described = await run([...options, "synthetic:2x0.1", "--format", "litellm"]);
  assert.equal(described.code, 0);
  assert.match(described.stderr, /^note: --format means nothing here: a synthetic workload is no file$/m);
});

test("what tenants reserved is read as `reservation list --json` prints it, from a file or from standard input", async (context) => {
  const row = (device: string | null, state: string): object => ({
    id: "rsv_1",
    device,
    share: null,
    state,
    note: null,
  });
  const list = JSON.stringify([
    row("host_A", "active"),
    row("host_A", "upcoming"),
    row("host_B", "upcoming"),
    row("host_C", "ended"),
    { ...row(null, "active"), share: 0.25 },
  ]);
  const folder = await folderWith(context, { "prices.yaml": prices, "list.json": list, "bad.json": "[{}]" });
  const options = ["plan", ...small, "--prices", join(folder, "prices.yaml")];
  const named = [...options, "--reserved", join(folder, "list.json"), "--reserved-types"];
  const { code, stdout, stderr } = await run([...named, "host_A=H100,host_B=L40S"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^reserved +1 x H100 SXM, 1 x L40S, 3\.4 EUR an hour; the workload cannot count on them$/m);
  assert.match(stdout, /^ +fleet +EUR\/h +with reserved +EUR\/h /m);
  const piped = [...options, "--reserved", "-", "--reserved-types", "H100", "--reserved-devices", "2xH100", "--json"];
  const { reserved, best } = JSON.parse(
    (await run(piped, folder, {}, { stdin: () => Readable.from([list]) })).stdout,
  ) as {
    reserved: { devices: { count: number }[]; pricePerHour: string };
    best: { withReserved: { fleet: string } };
  };
  assert.deepEqual([reserved.devices[0]?.count, reserved.pricePerHour], [4, "10"]);
  assert.match(best.withReserved.fleet, /^4xH100/);
  const cases: readonly [string[], RegExp][] = [
    [
      ["--reserved", join(folder, "list.json")],
      /host_A is reserved: say what it is, with --reserved-types host_A=H100/,
    ],
    [["--reserved", join(folder, "bad.json")], /bad\.json: `\[0\]\.device` .*reservation list --json/],
    [["--reserved", join(folder, "prices.yaml")], /prices\.yaml: that is no JSON/],
    [["--reserved", join(folder, "none.json")], /none\.json/],
    [["--reserved-types", "H100"], /--reserved-types says what the devices of --reserved are/],
    [["--reserved-devices", "5xH100"], /5 x H100 SXM are reserved, and 4 can be had/],
    [["--reserved-devices", "2xH1000"], /no device "H1000" \(did you mean "h100"\?\)/],
  ];
  for (const [more, message] of cases) {
    const refused = await run([...options, ...more]);
    assert.equal(refused.code, 2, more.join(" "));
    assert.match(refused.stderr, message);
    assert.doesNotMatch(refused.stderr, /\n +at /, "no trace of a defect");
  }
});

test("a wrong usage is refused in words that say what to write", async (context) => {
  const folder = await folderWith(context, {
    "prices.yaml": prices,
    "bad.yaml": "currency: EUR\ndevices:\n  - device: H1\n",
  });
  const good = join(folder, "prices.yaml");
  const cases: readonly [string[], RegExp][] = [
    [[...small], /--prices/],
    [[...small, "--prices", join(folder, "none.yaml")], /none\.yaml: there is no such file/],
    [[...small, "--prices", join(folder, "bad.yaml")], /bad\.yaml:3: .*pricePerHour.*required/],
    [["--workload", "synthetic:4", "--prices", good], /models x requests/],
    [
      ["--workload", join(folder, "none.csv"), "--format", "openai", "--prices", good],
      /none\.csv: there is no such file/,
    ],
    [["--workload", good, "--format", "openai", "--models", "qwen2.5-7b", "--prices", good], /--models does not apply/],
    [[...small, "--prices", good, "--models", "qwen2.5-7"], /did you mean "qwen2\.5-7b"/],
    [[...small, "--prices", good, "--slo", "10/100"], /10s\/100ms/],
    [[...small, "--prices", good, "--exclude-origin", "America"], /"America" is no country.*ISO 3166/],
    [[...small, "--prices", good, "--exclude-origin", "US,ZZ"], /"ZZ" is no country.*such as US\.$/m],
    [[...small, "--prices", good, "--exclude-origin", "China"], /"China" is no country.*Did you mean CN\?/],
    [[...small, "--prices", good, "--attainment", "99"], /0\.99/],
  ];
  for (const [options, message] of cases) {
    const { code, stderr } = await run(["plan", ...options]);
    assert.equal(code, 2, options.join(" "));
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n +at /, "no trace of a defect");
  }
});
