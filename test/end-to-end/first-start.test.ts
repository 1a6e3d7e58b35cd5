import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { tinyGguf } from "../../src/catalog/tiny-gguf.ts";
import { ask } from "./asking.ts";
import { commandFails, temporaryFolder } from "./cloud.ts";
import { startUp, type Started } from "./up.ts";

/** The first key is shown by the first start that succeeds, however many have failed before, and how late. */
const folder = temporaryFolder();
const started: Started[] = [];
after(async () => {
  for (const { process } of started) process.kill("SIGKILL");
  folder.remove();
});

const keyShown = /shown this once:\s+(bwk_\S+)/;

async function showsTheFirstKey(data: string): Promise<void> {
  const up = startUp(["--engine", "fake", "--data", data]);
  started.push(up);
  const [, key = ""] = await up.printed(keyShown);
  const [, url = ""] = await up.printed(/at (http:\S+)/);
  assert.match(up.output(), /fake is asked: .*[\s\S]*receipt +rcpt_\w+: valid/);
  assert.equal((await ask({ url, key })).status, 200);
  assert.equal(await up.stop(), 0);
}

test("a port in use is known before anything is made, and the next start shows the first key", async () => {
  const data = join(folder.path, "port");
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  const failed = await commandFails(["up", "--engine", "fake", "--data", data, "--port", String(port)]);
  holder.close();
  assert.equal(failed.code, 2, failed.stderr);
  assert.match(failed.stderr, new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use\\. \\(cannot_start\\)`));
  assert.doesNotMatch(failed.stderr, /database/);
  await showsTheFirstKey(data);
});

test("an engine that does not start makes no key; the next start shows it, and the one after says how to make one", async () => {
  const data = join(folder.path, "engine");
  const model = join(folder.path, "tiny.gguf");
  writeFileSync(model, tinyGguf());
  const config = join(folder.path, "tiny.yaml");
  const settings = {
    models: {
      serve: ["tiny"],
      entries: [
        {
          name: "tiny",
          family: "none",
          developer: { name: "nobody" },
          licence: { spdx: "MIT" },
          contextTokens: 128,
          sources: [`file:${model}`],
        },
      ],
    },
  };
  writeFileSync(config, JSON.stringify(settings));
  const failed = await commandFails(["up", "--data", data, "--port", "0", "--config", config]);
  assert.equal(failed.code, 2, failed.stderr);
  assert.match(failed.stderr, /The engine did not start: [^{}]*tiny[^{}]*\(cannot_start\)\n {2}next: /);
  assert.doesNotMatch(failed.stdout + failed.stderr, /bwk_/);
  await showsTheFirstKey(data);
  const again = startUp(["--engine", "fake", "--data", data]);
  started.push(again);
  await again.printed(/`npx bailiwick key create --project default --data \S+` makes a key/);
  assert.doesNotMatch(again.output(), /bwk_/);
  assert.equal(await again.stop(), 0);
});

test("a start says at once that it starts and what it does; stopped meanwhile, it makes no key and leaves nothing", async () => {
  const data = join(folder.path, "stopped");
  const up = startUp(["--engine", "fake", "--data", data]);
  started.push(up);
  await up.printed(/^Starting Bailiwick \S+ on \S+\n/);
  await up.printed(/starting the database/);
  assert.equal(await up.stop(), 0);
  assert.match(up.output(), /Stopped before it was up/);
  assert.doesNotMatch(up.output(), /bwk_/);
  await showsTheFirstKey(data);
});
