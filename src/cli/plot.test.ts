import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { marksOf, readSvg, wordsOf } from "../plot/testing.ts";
import { run, temporaryFolder } from "./testing.ts";

const small = ["--workload", "synthetic:4x0.2", "--minutes", "2", "--seeds", "2", "--link-gbps", "16"];
const sim = ["sim", ...small, "--fleet", "2xH100"];

test("sim --plot prints what it prints without, and draws it", async (context) => {
  const folder = temporaryFolder(context);
  const { code, stdout, stderr } = await run([...sim, "--json", "--plot", "plot.svg"], folder);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /The plot is in .*plot\.svg\.\n$/);
  const figures = JSON.parse(stdout) as Record<string, unknown>;
  const without = JSON.parse((await run([...sim, "--json"])).stdout) as Record<string, unknown>;
  for (const result of [figures, without]) delete result["simulatedTokensPerSecond"];
  assert.deepEqual(figures, without);
  const svg = readSvg(readFileSync(join(folder, "plot.svg"), "utf8"));
  assert.ok(wordsOf(svg).includes("ours on 2xH100: 100 % met strictly"));
  assert.ok(wordsOf(svg).some((text) => /synthetic:4x0\.2, models qwen2\.5-7b; first token within 10 s/.test(text)));
  assert.equal(marksOf(svg, "met-seeds").length, 2);
});

test("sim capacity --plot draws each number that was tried", async (context) => {
  const folder = temporaryFolder(context);
  const argv = ["sim", "capacity", ...small, "--device", "H100", "--json", "--plot", "capacity.SVG"];
  const { code, stdout, stderr } = await run(argv, folder);
  assert.equal(code, 0, stderr);
  const { accelerators, tried } = JSON.parse(stdout) as { accelerators: number; tried?: unknown };
  assert.equal(tried, undefined, "what is printed is as it was");
  const svg = readSvg(readFileSync(join(folder, "capacity.SVG"), "utf8"));
  assert.ok(wordsOf(svg).some((text) => text.startsWith(`ours needs ${accelerators} H100`)));
  assert.ok(marksOf(svg, "tried").length >= 1);
  assert.equal(marksOf(svg, "bound").length, 1);
});

test("what is no SVG is refused before anything is simulated, with the way to a PNG", async (context) => {
  const folder = temporaryFolder(context);
  for (const file of ["plot.png", "plot"]) {
    const { code, stdout, stderr } = await run([...sim, "--plot", file], folder);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /\(invalid_option\)\n.*rsvg-convert/);
  }
  assert.deepEqual(readdirSync(folder), []);
});

test("a file that cannot be written loses no figures, and its error has a code", async (context) => {
  const folder = temporaryFolder(context);
  mkdirSync(join(folder, "taken.svg"));
  for (const file of ["absent/plot.svg", "taken.svg"]) {
    const words = await run([...sim, "--plot", file], folder);
    assert.equal(words.code, 2);
    assert.match(words.stdout, /met strictly +100\.00 %/);
    assert.match(words.stderr, /cannot be written.*\(unwritable_file\)\n {2}next: /);
  }
  const { stdout, stderr } = await run([...sim, "--json", "--plot", "absent/plot.svg"], folder);
  assert.ok("attainmentStrict" in (JSON.parse(stdout) as object));
  const { error } = JSON.parse(stderr) as { error: { code: string } };
  assert.equal(error.code, "unwritable_file");
});
