import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { test, type TestContext } from "node:test";
import { ManualClock } from "../base/index.ts";
import type { FakeControl } from "../gateway/control/fake-control.ts";
import { Screen } from "./screen.ts";
import { type Ran, startIn, withCloud } from "./testing.ts";

/** A clock that says when the watch has nothing left to do but wait. */
class WatchedClock extends ManualClock {
  #waits = Promise.withResolvers<number>();

  override after(delayMs: number, run: () => void) {
    const cancel = super.after(delayMs, run);
    this.#waits.resolve(delayMs);
    return cancel;
  }
  waits(): Promise<number> {
    return this.#waits.promise;
  }
  /** Lets the interval pass, and resolves when the watch waits for the next. */
  async nextWait(): Promise<void> {
    const delayMs = await this.#waits.promise;
    this.#waits = Promise.withResolvers();
    this.advance(delayMs);
    await this.#waits.promise;
  }
}

interface Terminal {
  text: string;
  columns: number;
  rows: number;
  readonly isTTY: true;
  write(text: string): void;
  on(event: string, run: () => void): void;
  off(event: string, run: () => void): void;
  /** What listens, by event. */
  readonly listeners: Map<string, () => void>;
}

function terminal(): Terminal {
  const listeners = new Map<string, () => void>();
  return {
    text: "",
    columns: 200,
    rows: 50,
    isTTY: true,
    listeners,
    write(text) {
      this.text += text;
    },
    on: (event, run) => void listeners.set(event, run),
    off: (event) => void listeners.delete(event),
  };
}

interface Watched {
  readonly clock: WatchedClock;
  readonly out: { stdout: string; stderr: string };
  readonly control: FakeControl;
  readonly folder: string;
  readonly ran: Promise<Ran>;
  readonly stop: () => void;
}

async function watching(context: TestContext, line: string, stdout?: Terminal): Promise<Watched> {
  const { run, control, folder } = await withCloud(context);
  const clock = new WatchedClock();
  const out = { stdout: "", stderr: "" };
  let stop = (): void => undefined;
  const ran = run(
    `pool ${line}`,
    { TERM: "xterm", NO_COLOR: "1" },
    {
      clock,
      stdout: stdout ?? { write: (text) => (out.stdout += text) },
      stderr: { write: (text) => (out.stderr += text) },
      onStopSignal: (run) => (stop = () => run("SIGTERM")),
    },
  );
  assert.equal(await Promise.race([clock.waits(), ran]), 5_000);
  return { clock, out, control, folder, ran, stop: () => stop() };
}

test("no terminal: a block for each interval; a server that goes away is told of once, and asked on", async (context) => {
  const { clock, out, control, folder, ran, stop } = await watching(context, "--watch 5");
  const block = out.stdout;
  assert.match(
    block,
    /^2026-03-01T12:00:00\.000Z\ncpu, here \(DE\): ready\ndevice [\s\S]*\nMODEL [\s\S]*\nRESERVED [\s\S]*Z\n\n$/,
  );
  assert.doesNotMatch(block, /[^\P{Cc}\n]/u, "no escape codes");
  await clock.nextWait();
  assert.equal(out.stdout, block + block);
  await control.close();
  await clock.nextWait();
  await clock.nextWait();
  assert.match(out.stderr, /^warning: Nothing answers at \S+ \(not_running\) It is asked again and again\.\n$/);
  await startIn(folder, context);
  await clock.nextWait();
  assert.equal(out.stdout, block + block + block);
  assert.match(out.stderr, /\nIt answers again\.\n$/);
  stop();
  assert.equal((await ran).code, 0);
});

test("with --json: a document a line for each interval, and errors as JSON", async (context) => {
  const screen = terminal();
  const { clock, out, control, ran, stop } = await watching(context, "--watch 5 --json", screen);
  await clock.nextWait();
  // A line is a line also on a terminal.
  const lines = screen.text.split("\n");
  assert.deepEqual([lines.length, lines.at(-1)], [3, ""]);
  for (const line of lines.slice(0, 2)) assert.deepEqual(JSON.parse(line), control.operations.cloud.pool());
  await control.close();
  await clock.nextWait();
  assert.equal((JSON.parse(out.stderr) as { error: { code: string } }).error.code, "not_running");
  stop();
  assert.equal((await ran).code, 0);
});

const opened = "\u001B[?1049h\u001B[?25l\u001B[?7l";
const closed = "\u001B[?7h\u001B[?25h\u001B[?1049l";

/** The pictures that were drawn, as lines without what steers the terminal. */
function pictures({ text }: Terminal): readonly (readonly string[])[] {
  return text
    .replaceAll(opened, "")
    .replaceAll(closed, "")
    .split("\u001B[H")
    .slice(1)
    .map((picture) => picture.replaceAll("\u001B[K", "").replaceAll("\u001B[J", "").split("\r\n"));
}

test("a terminal: one picture in place, redrawn at its size; it is restored at the end", async (context) => {
  const screen = terminal();
  const { clock, control, ran, stop } = await watching(context, "--watch 5", screen);
  assert.ok(screen.text.startsWith(`${opened}\u001B[H`));
  const [first] = pictures(screen);
  assert.deepEqual(first!.slice(0, 3), ["12:00:00 UTC, every 5 s, Ctrl-C ends", "", "cpu, here (DE): ready"]);
  assert.match(first!.at(-1)!, /^0\.25 of the pool /);
  Object.assign(screen, { columns: 40, rows: 50 });
  screen.listeners.get("resize")!();
  const narrow = pictures(screen).at(-1)!;
  assert.equal(narrow[4], "memory   49.2 of 78.0 GB (63 %) used b…", "what is cut off is missed");
  assert.ok(narrow.includes("fake              resident         2  …"), narrow.join("\n"));
  Object.assign(screen, { columns: 30, rows: 8 });
  screen.listeners.get("resize")!();
  const small = pictures(screen).at(-1)!;
  assert.equal(small.length, 8);
  assert.match(small.at(-1)!, /^… \d+ more lines$/);
  assert.ok(small.every((line) => line.length < 30));
  Object.assign(screen, { columns: 200, rows: 50 });
  await control.close();
  await clock.nextWait();
  const away = pictures(screen).at(-1)!;
  assert.match(away[1]!, /^Nothing answers at \S+ \(not_running\)$/);
  assert.match(away[2]!, /below is what was at 12:00:00 UTC/);
  assert.deepEqual(away.slice(4), first!.slice(2), "the last figures are still to be seen");
  stop();
  assert.equal((await ran).code, 0);
  assert.ok(screen.text.endsWith(closed));
  assert.ok(!screen.listeners.has("resize"));
});

test("a terminal that does not know its size has the usual one", () => {
  const output = { ...terminal(), columns: 0, rows: 0 };
  new Screen(output, false).show([{ text: "a".repeat(100) }, ...Array.from({ length: 30 }, () => ({ text: "b" }))]);
  assert.ok(output.text.includes(`${"a".repeat(78)}…`), output.text);
  assert.match(output.text, /… 8 more lines/);
});

test("a screen that was never drawn on leaves the terminal alone", () => {
  const output = terminal();
  new Screen(output, false).close();
  assert.equal(output.text, "");
});

test("what is wrong from the start is an error, and the terminal stays as it is", async (context) => {
  const { run } = await withCloud(context);
  const stdout = terminal();
  for (const [line, wanted] of [
    ["pool --watch --url http://127.0.0.1:1", /\(not_running\)/],
    ["pool --watch 0", /a number of seconds from 0\.1 to 3,600/],
  ] as const) {
    const ran = await run(line, { TERM: "xterm" }, { stdout });
    assert.deepEqual([ran.code, stdout.text], [2, ""], line);
    assert.match(ran.stderr, wanted);
  }
});

test("a server that does not answer does not hold up the end", async (context) => {
  const { run } = await withCloud(context);
  const server = createServer();
  context.after(() => server.closeAllConnections());
  context.after(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const asked = once(server, "request");
  let stop = (): void => undefined;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ran = run(`pool --watch --url ${url}`, {}, { onStopSignal: (run) => (stop = () => run("SIGINT")) });
  await asked;
  stop();
  assert.deepEqual(await ran, { code: 0, stdout: "", stderr: "" });
});

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

test("a process that watches ends with 0 at SIGTERM, and when its reader goes away", async (context) => {
  const { folder } = await withCloud(context);
  for (const end of ["SIGTERM", "reader"] as const) {
    const child = spawn(process.execPath, [main, "pool", "--watch", "0.1", "--json", "--data", folder]);
    context.after(() => child.kill("SIGKILL"));
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const lines = createInterface({ input: child.stdout });
    const [line] = (await once(lines, "line")) as [string];
    assert.ok("hosts" in (JSON.parse(line) as object));
    if (end === "SIGTERM") child.kill(end);
    else child.stdout.destroy();
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    assert.deepEqual([code, signal, stderr], [0, null, ""], end);
  }
});
