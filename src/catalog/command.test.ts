import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { ManualClock, systemClock } from "../base/index.ts";
import { type Command, createCommandRunner } from "./command.ts";

const run = createCommandRunner(systemClock);
const node = (code: string, more: Partial<Command> = {}): Command => ({
  program: process.execPath,
  arguments: ["-e", code],
  environment: {},
  timeoutMs: 30_000,
  outputBytes: 1_000,
  ...more,
});

describe("a command", () => {
  it("gives its code and its output, and sees the environment that it was given", async () => {
    const code = "console.log(process.env.WORD); console.error('errors'); process.exitCode = 3";
    const result = await run(node(code, { environment: { WORD: "$(echo no shell)" } }));
    assert.deepEqual(result, { outcome: "exited", code: 3, output: "$(echo no shell)\n", errors: "errors\n" });
  });

  it("has its output bounded, and ends all the same", async () => {
    const result = await run(node("process.stdout.write('x'.repeat(5_000_000))"));
    assert.equal(result.outcome === "exited" && result.output.length, 1_000);
  });

  it("may be missing", async () => {
    assert.deepEqual(await run(node("", { program: "no-such-program-here" })), { outcome: "not_found" });
  });

  it("ends when it is stopped", async () => {
    const stop = new AbortController();
    const running = run(node("setInterval(() => {}, 1000)", { signal: stop.signal }));
    stop.abort();
    assert.deepEqual(await running, { outcome: "failed", message: "stopped" });
    const late = await run(node("", { signal: stop.signal }));
    assert.equal(late.outcome, "failed");
  });

  it("is killed when it runs past its time and ignores being told to end", async () => {
    const clock = new ManualClock();
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    // It says by connecting that it is up and ignores SIGTERM, and by what it sends that it got one.
    const code = `
      const socket = require("node:net").connect(${port}, "127.0.0.1");
      process.on("SIGTERM", () => socket.write("ignored"));
    `;
    const running = createCommandRunner(clock)(node(code, { timeoutMs: 5_000 }));
    const [socket] = await once(server, "connection");
    socket.on("error", () => {});
    clock.advance(5_000);
    await once(socket, "data");
    clock.advance(2_000);
    assert.deepEqual(await running, { outcome: "failed", message: "no answer within 5000 ms" });
    server.close();
  });
});
