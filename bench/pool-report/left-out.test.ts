import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { leftOutOf } from "./left-out.ts";
import { type Scene, scenes } from "./matrix.ts";

const extent = { seeds: 1, minutes: 5 };

test("requests that no model has the context for are counted, of a trace", async (context) => {
  const traces = mkdtempSync(join(tmpdir(), "bailiwick-traces-"));
  context.after(() => rmSync(traces, { recursive: true }));
  const line = (input: number): string =>
    JSON.stringify({ timestamp: 0, input_length: input, output_length: 5, hash_ids: [0] });
  writeFileSync(join(traces, "short.jsonl"), [line(10), line(1_000_000), line(20)].join("\n"));
  const [first] = scenes;
  const scene: Scene = {
    ...first!,
    title: "long prompts",
    setting: { ...first!.setting, workload: { kind: "trace", file: "short.jsonl" } },
  };
  assert.deepEqual(
    [...(await leftOutOf([first!, scene], { traces, extent }))],
    [["long prompts", "1 of 3 requests are left out: longer than their model's context"]],
  );
  assert.equal((await leftOutOf([scene], { traces: undefined, extent })).size, 0);
});
