import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { ask, eventsOf, isDone, makeKey, usageIn, usageOf } from "./asking.ts";
import {
  alive,
  commandFails,
  descendants,
  eventually,
  type RunningCloud,
  startCloud,
  temporaryFolder,
} from "./cloud.ts";

/** How a cloud begins and ends: refusals to start in words with exit code 2, and a stop that loses nothing. */
const folder = temporaryFolder();
const data = join(folder.path, "data");
const clouds: RunningCloud[] = [];
const servers: Server[] = [];
after(async () => {
  for (const cloud of clouds) await cloud.kill();
  for (const server of servers) server.close();
  folder.remove();
});

async function up(): Promise<RunningCloud> {
  const cloud = await startCloud({ data, arguments: ["--engine", "fake"] });
  clouds.push(cloud);
  return cloud;
}

test("a second up on the same data folder: exit code 2, and the first one serves on", async () => {
  const cloud = await up();
  const second = await commandFails(["up", "--engine", "fake", "--data", data, "--port", "0"]);
  assert.equal(second.code, 2, second.stderr);
  assert.match(second.stderr, /Another Bailiwick runs on/);
  assert.match(second.stderr, /--data/);
  const key = await makeKey(cloud, "served-on");
  assert.equal((await ask({ url: cloud.url, key })).status, 200);
});

test("SIGTERM: a running stream finishes, new requests are turned away, exit code 0, nothing is left running", async () => {
  const cloud = clouds.at(-1)!;
  const key = await makeKey(cloud, "draining");
  const other = await makeKey(cloud, "too-late");
  const below = await descendants(cloud.process.pid!);
  assert.ok(below.length >= 2);
  let stopping: Promise<number | null> | undefined;
  let late: Promise<unknown> | undefined;
  const seen = await ask({
    url: cloud.url,
    key,
    stream: true,
    content: "[[fake:tokens=60]] [[fake:token-ms=20]]",
    onPart: (text) => {
      if (stopping !== undefined || eventsOf(text).length < 4) return;
      stopping = cloud.stop();
      late = eventually(
        "the refusal of new requests",
        async () => (await ask({ url: cloud.url, key: other })).status !== 200,
      );
      // A terminal sends the signal to the whole group, so that it comes twice: the drain goes on.
      cloud.process.kill("SIGTERM");
    },
  });
  assert.ok(isDone(seen.text), seen.text.slice(-300));
  assert.equal(usageIn(seen)?.completion_tokens, 61);
  await late;
  assert.equal(await stopping, 0, cloud.output());
  await eventually("the end of every process below", () => !below.some(alive));
});

test("it starts again in less than 5 s, with all that was", async () => {
  const startedAtMs = performance.now();
  const cloud = await up();
  assert.ok(performance.now() - startedAtMs < 5_000, "the second start took 5 s or longer");
  assert.deepEqual(
    [(await usageOf(cloud, "draining")).outputTokens, (await usageOf(cloud, "draining")).unrated],
    [61, 0],
  );
  assert.equal(await cloud.stop(), 0);
});

test("a port in use: exit code 2, and nothing is left running or locked", async () => {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const failed = await commandFails(["up", "--engine", "fake", "--data", data, "--port", String(port)]);
  assert.equal(failed.code, 2, failed.stderr);
  assert.match(failed.stderr, new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use`));
  assert.match(failed.stderr, /--port/);
  const cloud = await up();
  assert.equal(await cloud.stop(), 0);
});

test("settings with an unknown key: exit code 2, with its place and the nearest known key", async () => {
  const at = (name: string, text: string): string => {
    const path = join(folder.path, name);
    writeFileSync(path, text);
    return path;
  };
  const fresh = join(folder.path, "never");
  const up = (config: string) => commandFails(["up", "--config", config, "--data", fresh, "--port", "0"]);
  const unknown = await up(at("unknown.yaml", "limits:\n  bodyByte: 1000\n"));
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /limits\.bodyByte/);
  assert.match(unknown.stderr, /bodyBytes/);
  const wrong = await up(at("wrong.yaml", "limits: {bodyBytes: many}\n"));
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /limits\.bodyBytes/);
  const broken = await up(at("broken.yaml", "listen: {port: [\n"));
  assert.equal(broken.code, 2);
  assert.match(broken.stderr, /broken\.yaml/);
  const missing = await up(join(folder.path, "missing.yaml"));
  assert.equal(missing.code, 2);
  const option = await commandFails(["up", "--prot", "1"]);
  assert.equal(option.code, 2);
  assert.match(option.stderr, /--port/);
});

test("a data folder that is something else is refused, not filled", async () => {
  const path = join(folder.path, "documents");
  mkdirSync(path);
  writeFileSync(join(path, "installation.json"), "not ours");
  const failed = await commandFails(["up", "--engine", "fake", "--data", path, "--port", "0"]);
  assert.equal(failed.code, 2, failed.stderr);
  const file = join(folder.path, "file");
  writeFileSync(file, "");
  const isFile = await commandFails(["up", "--engine", "fake", "--data", file, "--port", "0"]);
  assert.equal(isFile.code, 2, isFile.stderr);
});
