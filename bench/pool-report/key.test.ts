import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { type Digests, digestSources, keyOf } from "./key.ts";
import { coreRows } from "./matrix.ts";

const digests: Digests = { ours: "o", baseline: "b", bound: "n" };
const rows = coreRows({ seeds: 10, minutes: 30 });
const ours = rows.find(({ name }) => name.endsWith("/ours"))!;
const baseline = rows.find(({ name }) => name.endsWith("/aegaeon"))!;
const ofTrace = (file: string): string => `digest of ${file}`;

test("no two rows have the same key", () => {
  const keys = rows.map((row) => keyOf(row, digests, ofTrace));
  assert.equal(new Set(keys).size, keys.length);
});

test("a name changes no key; an input does", () => {
  const key = keyOf(ours, digests, ofTrace);
  assert.equal(keyOf({ ...ours, name: "other" }, digests, ofTrace), key);
  assert.notEqual(keyOf({ ...ours, extent: { seeds: 3, minutes: 30 } }, digests, ofTrace), key);
});

test("the order in which inputs are written changes no key", () => {
  const turned = Object.fromEntries(Object.entries(ours).toReversed()) as unknown as typeof ours;
  assert.equal(keyOf(turned, digests, ofTrace), keyOf(ours, digests, ofTrace));
});

test("a change of the pool lets ours run again, and no baseline", () => {
  const changed = { ...digests, ours: "changed" };
  assert.notEqual(keyOf(ours, changed, ofTrace), keyOf(ours, digests, ofTrace));
  assert.equal(keyOf(baseline, changed, ofTrace), keyOf(baseline, digests, ofTrace));
});

test("another trace of the same name is another input", () => {
  const traced = rows.find(({ setting }) => setting.workload.kind === "trace")!;
  assert.notEqual(
    keyOf(traced, digests, ofTrace),
    keyOf(traced, digests, () => "other"),
  );
});

test("sources count for those who use them", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-key-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const files = ["src/sim/machine.ts", "src/sim/workload/arrivals.ts", "src/sim/bound/peak.ts", "src/pool/pool.ts"];
  const more = ["src/sim/policies/aegaeon.ts", "src/pool/cost/cost.ts", "src/pool/speed.ts", "src/pool/types.ts"];
  const own = ["measure", "row", "search", "switch-costs", "trials", "watched", "workloads"];
  for (const path of [...files, ...more, ...own.map((name) => `bench/pool-report/${name}.ts`)]) write(path, path);
  const before = digestSources(folder);
  const changedBy = (path: string): string[] => {
    write(path, "changed");
    const after = digestSources(folder);
    const changed = (["ours", "baseline", "bound"] as const).filter((family) => after[family] !== before[family]);
    write(path, path);
    return changed;
  };
  assert.deepEqual(changedBy("src/pool/pool.ts"), ["ours"]);
  assert.deepEqual(changedBy("src/sim/policies/aegaeon.ts"), ["baseline"]);
  assert.deepEqual(changedBy("src/sim/bound/peak.ts"), ["bound"]);
  assert.deepEqual(changedBy("src/sim/machine.ts"), ["ours", "baseline", "bound"]);
  assert.deepEqual(changedBy("src/pool/cost/cost.ts"), ["ours", "baseline", "bound"]);
  write("src/pool/pool.test.ts", "a test");
  assert.deepEqual(digestSources(folder), before);
});

test("the repository has the sources that are looked for", () => {
  const { ours, baseline, bound } = digestSources(resolve(import.meta.dirname, "../.."));
  assert.equal(new Set([ours, baseline, bound]).size, 3);
});
