import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { deviceTypeOf, policyNames, roomBytes } from "../sim/index.ts";
import { run, temporaryFolder } from "./testing.ts";

const oneSeed = ["--workload", "synthetic:4x0.2", "--minutes", "2", "--seeds", "1", "--link-gbps", "16"];
const small = oneSeed.with(5, "2");

test("sim prints what the issue of its figures is, as JSON and as words", async () => {
  const { code, stdout } = await run(["sim", ...small, "--fleet", "2xH100", "--json"]);
  assert.equal(code, 0);
  const result = JSON.parse(stdout) as Record<string, unknown>;
  for (const field of [
    "attainmentStrict",
    "attainmentPerSeed",
    "goodput",
    "ttftMs",
    "tpotMs",
    "worstModel",
    "switches",
    "bytesMoved",
    "busyShare",
    "simulatedTokensPerSecond",
  ]) {
    assert.ok(field in result, field);
  }
  assert.equal(result["attainmentStrict"], 1);
  const words = await run(["sim", ...small, "--fleet", "2xH100"]);
  assert.match(words.stdout, /met strictly +100\.00 %/);
});

test("a fleet that has no memory for any model is an error, with what each takes and who would hold it", async () => {
  const large = ["sim", ...small, "--models", "qwen2.5-72b,llama3.1-70b"];
  const { code, stdout, stderr } = await run([...large, "--fleet", "16xA10"]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /^error: No device of the fleet has the memory for any of the models\. \(invalid_usage\)/);
  const reason = "its weights take 135.4 GiB, and the largest, a10, has room for 22.8 GiB; mi300x would hold it";
  assert.ok(stderr.includes(`  - qwen2.5-72b (model-01 and 1 more) fits no device of the fleet: ${reason}\n`), stderr);
  assert.match(stderr, /- llama3\.1-70b .* 131\.4 GiB.*; h200, mi300x would hold it\n {2}next: .*--fleet.*--models/);
  const json = await run([...large, "--fleet", "16xA10", "--json"]);
  assert.equal((JSON.parse(json.stderr) as { error: { reasons: string[] } }).error.reasons.length, 2);
  const capacity = await run(["sim", "capacity", ...small, "--models", "qwen2.5-72b", "--device", "A10"]);
  assert.equal(capacity.code, 2);
  assert.match(capacity.stderr, /- qwen2\.5-72b .* 135\.4 GiB.*\n {2}next: .*--device/);
});

test("where a fleet has the memory for some models, a note names the others", async () => {
  const mixed = ["sim", ...small, "--models", "qwen2.5-7b,qwen2.5-72b", "--fleet", "2xH100+1xA10"];
  const { code, stdout } = await run([...mixed, "--json"]);
  assert.equal(code, 0);
  const { notes, refused, refusals } = JSON.parse(stdout) as Record<string, unknown>;
  const told = (notes as string[]).filter((note) => note.includes("fits no device"));
  assert.equal(told.length, 1);
  assert.match(
    told[0]!,
    /^qwen2\.5-72b .* the largest, h100, has room for 76\.0 GiB; .*; its \d+ requests are missed$/,
  );
  assert.deepEqual(refusals, { model_too_large: refused });
  assert.match((await run(mixed)).stdout, /^refused +\d+: \d+ model_too_large$[^]*^note +qwen2\.5-72b/m);
});

test("a device that is reckoned from what others report says so, in words and as JSON", async () => {
  const notesOf = async (argv: readonly string[]): Promise<readonly string[]> =>
    (JSON.parse((await run([...argv, "--json"])).stdout) as { notes: string[] }).notes;
  const range =
    /^Ascend 910B: Huawei publishes no bandwidth.*0\.4 to 1\.6 TB\/s and 256 to 376 Tflop\/s, .* 1 TB\/s and 316/;
  assert.ok((await notesOf(["sim", ...small, "--fleet", "2x910B"])).some((note) => range.test(note)));
  assert.ok((await notesOf(["sim", "capacity", ...small, "--device", "910B"])).some((note) => range.test(note)));
  assert.match((await run(["sim", ...small, "--fleet", "2x910B"])).stdout, /^note +Ascend 910B: /m);
  const l20 = await notesOf(["sim", ...small, "--fleet", "2xL20+1xL20"]);
  assert.equal(
    l20.filter((note) => /^L20: we know of no data sheet of NVIDIA's; .* as others report them$/.test(note)).length,
    1,
  );
  for (const fleet of ["2xH100", "2xH20"]) {
    assert.ok(
      (await notesOf(["sim", ...small, "--fleet", fleet])).every((note) => !/report/.test(note)),
      fleet,
    );
  }
});

test("percentiles of nothing are null, and a dash for people", async () => {
  const none = ["sim", ...small, "--fleet", "2xH100", "--slo", "1ms/1ms"];
  const { code, stdout } = await run([...none, "--json"]);
  assert.equal(code, 0);
  const { ttftMs, tpotMs } = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual(
    [ttftMs, tpotMs],
    [
      { p50: null, p90: null, p99: null },
      { p50: null, p90: null, p99: null },
    ],
  );
  const words = (await run(none)).stdout;
  assert.match(words, /^first token +p50 -, p90 -, p99 -$/m);
  assert.match(words, /^per token +p50 -, p90 -, p99 -: of each request's mean/m);
  assert.match(words, /^refused +\d+: \d+ overloaded$/m);
});

test("docs/reference/sim.md has every field that is printed", async () => {
  const page = await readFile(new URL("../../docs/reference/sim.md", import.meta.url), "utf8");
  const capacity = ["sim", "capacity", ...small, "--device", "A10", "--json"];
  for (const argv of [["sim", ...small, "--fleet", "A10", "--json"], capacity, [...capacity, "--most", "1"]]) {
    const fields = Object.keys(JSON.parse((await run(argv)).stdout) as object);
    for (const field of fields) assert.ok(page.includes(`\`${field}\``), field);
  }
});

test("docs/reference/cost-model.md says of how much memory a device has room", async () => {
  const page = await readFile(new URL("../../docs/reference/cost-model.md", import.meta.url), "utf8");
  const type = deviceTypeOf("h100");
  const percent = Number(((100 * roomBytes(type)) / (type.memoryGiB * 2 ** 30)).toFixed(3));
  assert.ok(page.includes(`take at most ${percent} % of its memory`), String(percent));
});

test("sim capacity says how many, the bound, and the ratio", async () => {
  const { stdout } = await run(["sim", "capacity", ...small, "--device", "H100", "--json"]);
  const { outcome, accelerators, bound, ratio } = JSON.parse(stdout) as { outcome: string } & Record<string, number>;
  assert.equal(outcome, "reached");
  assert.ok(accelerators! >= bound! && bound! >= 1);
  assert.equal(ratio, accelerators! / bound!);
});

test("what sim capacity does not reach ends with exit code 1, and how far it came", async () => {
  const few = [
    "sim",
    "capacity",
    "--workload",
    "synthetic:32x0.2",
    "--minutes",
    "2",
    "--seeds",
    "2",
    "--device",
    "A10",
  ];
  const { code, stdout, stderr } = await run([...few, "--most", "3", "--json"]);
  assert.equal(code, 1);
  assert.equal(stderr, "");
  const found = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual([found["outcome"], found["accelerators"], found["ratio"]], ["unreached", null, null]);
  assert.equal(found["most"], 3);
  assert.ok((found["bound"] as number) > 3);
  const shares = found["attainmentPerSeed"] as number[];
  assert.ok(shares.length === 2 && shares.every((share) => share > 0 && share < 0.99));
  const words = await run([...few, "--most", "3"]);
  assert.equal(words.code, 1);
  assert.match(words.stdout, /^accelerators +not found: up to 3 A10 were tried \(--most\)$/m);
  assert.match(words.stdout, /^reached +\d+\.\d\d % with 3, by the seed that fares worst; asked for are 99\.00 %$/m);
  assert.match(words.stdout, /^bound +\d+; nobody does with fewer$/m);
  const alone = await run([...few, "--most", "1", "--policy", "aegaeon"]);
  assert.equal(alone.code, 2);
  assert.match(alone.stderr, /aegaeon needs more than 1 device/);
});

test("each policy can be named, and the help names each", async () => {
  const help = await run(["sim", "run", "--help"]);
  for (const policy of policyNames) {
    assert.ok(help.stdout.replace(/\s+/g, " ").includes(policy), policy);
    const { code } = await run(["sim", ...oneSeed, "--fleet", "4xH100", "--policy", policy, "--json"]);
    assert.equal(code, 0, policy);
  }
});

test("sim runs without a command, so that its help has the options of a run, and a misspelt command is one", async () => {
  const { code, stdout } = await run(["sim", "--help"]);
  assert.equal(code, 0);
  const options = (text: string): readonly string[] => text.match(/^ {2}--[a-z-]+/gm) ?? [];
  assert.deepEqual(options(stdout), options((await run(["sim", "run", "--help"])).stdout));
  assert.ok(options(stdout).includes("  --fleet") && options(stdout).includes("  --seeds"));
  assert.match(stdout, /^Commands:\n {2}run .*the default.*\n {2}capacity /m);
  assert.equal((await run(["help", "sim"])).stdout, stdout);
  assert.match((await run(["sim", "capacity", "--help"])).stdout, /--device <device>/);
  const misspelt = await run(["sim", "capcity", ...small, "--device", "H100"]);
  assert.equal(misspelt.code, 2);
  assert.match(misspelt.stderr, /no command "sim capcity".*\n {2}next: Did you mean `bailiwick sim capacity`\?/);
  assert.match(
    (await run(["sim", "nonsense"])).stderr,
    /no command "sim nonsense".*\n {2}next: `bailiwick sim --help`/,
  );
  assert.match((await run(["sim", ...small])).stderr, /'--fleet <fleet>' not specified/);
});

test("a recorded trace is replayed once: seeds and minutes that are given mean nothing, and that is said", async (context) => {
  const trace = join(temporaryFolder(context), "trace.csv");
  await writeFile(trace, "Request Time,Model Name,Input Length,Output Length\n00:00:01.000,a,10,5\n");
  const replay = ["--workload", trace, "--seeds", "4", "--minutes", "9"];
  const note = "--seeds and --minutes mean nothing here: a recorded trace is replayed once, from beginning to end";
  for (const [command, device] of [
    [["sim"], "--fleet"],
    [["sim", "capacity"], "--device"],
  ] as const) {
    const words = await run([...command, ...replay, device, "H100"]);
    assert.deepEqual([words.code, words.stderr], [0, `note: ${note}\n`]);
    assert.ok(!words.stdout.includes(note), "once");
    const json = await run([...command, ...replay, device, "H100", "--json"]);
    assert.equal(json.stderr, `note: ${note}\n`);
    assert.equal((JSON.parse(json.stdout) as { notes: string[] }).notes.at(-1), note);
  }
  const one = await run(["sim", "--workload", trace, "--seeds", "4", "--fleet", "H100"]);
  assert.match(one.stderr, /^note: --seeds means nothing here: /);
  for (const without of [["--workload", trace], small]) {
    assert.equal((await run(["sim", ...without, "--fleet", "H100"])).stderr, "");
  }
});

test("a format means nothing for a synthetic workload, and that is said; what is the same for all seeds stands once", async () => {
  const note = "--format means nothing here: a synthetic workload is no file";
  for (const devices of [
    ["sim", "--fleet", "2xH100"],
    ["sim", "capacity", "--device", "H100"],
  ]) {
    const { code, stdout, stderr } = await run([...devices, ...small, "--format", "aegaeon", "--json"]);
    assert.deepEqual([code, stderr], [0, `note: ${note}\n`]);
    const { notes } = JSON.parse(stdout) as { notes: string[] };
    assert.equal(notes.at(-1), note);
    assert.equal(notes.filter((text) => text.endsWith("requests/s each, for 2 minutes by seeds 1 to 2")).length, 1);
    assert.equal(notes.filter((text) => text.includes("seed")).length, 1);
    assert.equal(notes.filter((text) => text === "Poisson arrivals").length, 1);
  }
});

test("an option of the other question, and one that is given twice, is refused in words of its own", async () => {
  const cases: readonly [readonly string[], RegExp][] = [
    [
      ["capacity", ...small, "--fleet", "2xH100", "--device", "H100"],
      /^error: `sim capacity` finds .*--device.*no fleet/,
    ],
    [[...small, "--device", "H100"], /^error: --device is an option of `sim capacity`/],
    [
      ["run", ...small, "--fleet", "H100", "--attainment", "0.9"],
      /^error: --attainment is an option of `sim capacity`/,
    ],
    [[...small, "--fleet", "H100", "--fleet", "2xH100"], /^error: --fleet is given twice: "H100" and "2xH100"\./],
  ];
  for (const [line, message] of cases) {
    const { code, stdout, stderr } = await run(["sim", ...line]);
    assert.deepEqual([code, stdout], [2, ""], line.join(" "));
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /unknown option/);
  }
  const help = await run(["sim", "capacity", "--help"]);
  assert.doesNotMatch(help.stdout, /--fleet/);
  const same = await run(["sim", ...small, "--fleet", "2xH100", "--fleet", "2xH100"]);
  assert.equal(same.code, 0, "what is said twice in the same words contradicts nothing");
});

test("what cannot be simulated is refused in words that say what to write", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-sim-"));
  try {
    const trace = join(folder, "trace.csv");
    await writeFile(
      trace,
      "Request Time,Model Name,Input Length,Output Length\n00:00:01.000,a,10,5\n00:00:02.000,b,-1,5\n",
    );
    const cases: readonly [string[], RegExp][] = [
      [["--workload", "synthetic:4", "--fleet", "2xH100"], /models x requests/],
      [["--workload", trace, "--fleet", "2xH100"], /trace\.csv.*3/s],
      [["--workload", join(folder, "nothing"), "--fleet", "2xH100"], /nothing/],
      [[...small, "--fleet", "2xH1000"], /no device "H1000".*did you mean/s],
      [[...small, "--fleet", "H100x2"], /no device "H100x2".*a100/],
      [[...small, "--fleet", "0xH100"], /has no device/],
      [[...small, "--fleet", "-3xH100"], /"-3xH100" has -3 devices: write a whole number/],
      [[...small, "--fleet", "1.5xH100"], /"1\.5xH100" has 1\.5 devices: write a whole number/],
      [[...small, "--fleet", "1000000xH100"], /"1000000xH100" has more than 10000 devices/],
      [[...small, "--fleet", "99999999999999999999xH100"], /has more than 10000 devices/],
      [[...small, "--fleet", "2xH100+"], /"" is no part of a fleet/],
      [[...small, "--fleet", "2xH100", "--models", "qwen2.5-7"], /did you mean "qwen2\.5-7b"/],
      [[...small, "--fleet", "2xH100", "--slo", "10/100"], /10s\/100ms/],
      [[...small, "--fleet", "2xH100", "--policy", "best"], /no policy "best"/],
      [[...small, "--fleet", "1xH100", "--policy", "aegaeon"], /needs more than 1/],
      [[...small, "--fleet", "2xH100", "--seeds", "0"], /1 to 1000/],
      [[...small, "--fleet", "2xH100", "--minutes", "1e9"], /at most 10,080/],
      [[...small, "--fleet", "2xH100", "--deal-to", "3"], /--deal-to: does not apply to synthetic workloads/],
      [[...small, "--fleet", "2xH100", "--from", "3"], /--from: does not apply to synthetic workloads/],
      [[...small, "--fleet", "2xH100", "--map", "nonsense"], /--map: does not apply to synthetic workloads/],
      [["--workload", "", "--fleet", "2xH100"], /--workload: is empty/],
      [["--workload", folder, "--fleet", "2xH100"], /that is a folder/],
      [
        ["--workload", trace, "--format", "azure", "--fleet", "2xH100"],
        /trace\.csv: looks like aegaeon .* not like azure/,
      ],
      [["--workload", "synthetic:9999x9999", "--fleet", "2xH100"], /10,000,000 at most/],
    ];
    for (const [options, message] of cases) {
      const { code, stderr } = await run(["sim", ...options]);
      assert.equal(code, 2, options.join(" "));
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n +at /, "no trace of a defect");
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
