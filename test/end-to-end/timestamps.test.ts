import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, test } from "node:test";
import { lacksAuthority, testAuthority } from "../../src/timestamp/testing.ts";
import { makeKey } from "./asking.ts";
import { eventually, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";
import { aboutLog, judged, keep, proofOf, receiptIdOf } from "./transparency.ts";

const folder = temporaryFolder();
const data = join(folder.path, "data");
let cloud: RunningCloud | undefined;
after(async () => {
  await cloud?.kill();
  folder.remove();
});

test(
  "an authority dates the log's checkpoint, and with it the receipts in it, checked offline",
  { skip: lacksAuthority },
  async (context) => {
    const authority = await testAuthority();
    context.after(() => authority.remove());
    const types: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      types.push(request.headers["content-type"]);
      void buffer(request)
        .then((query) => authority.reply(query))
        .then((reply) => response.setHeader("content-type", "application/timestamp-reply").end(reply));
    }).listen(0, "127.0.0.1");
    context.after(() => server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const dating = `log: {timestamps: {url: "http://127.0.0.1:${port}/tsr"}}\n`;
    const settings =
      "engine: {kind: fake}\nmodels: {serve: [fake]}\nsite: {jurisdiction: DE}\nnetwork: {airGapped: true}\n";
    cloud = await startCloud({ data, settings });
    const key = await makeKey(cloud, "tenant");
    const id = await receiptIdOf(cloud, key);
    await proofOf(cloud, key, id);
    // The newest checkpoint of a process is dated at once: its receipt is in it.
    assert.equal(await cloud.stop(), 0);
    cloud = await startCloud({ data, settings: `${settings}${dating}` });
    const at = cloud.url;
    await eventually("a dated checkpoint", async () => (await (await fetch(`${at}/log/timestamps`)).text()) !== "");
    const [size] = (await (await fetch(`${at}/log/timestamps`)).text()).split("\n");
    const saved = async (name: string, path: string): Promise<string> => {
      const file = join(folder.path, name);
      writeFileSync(file, Buffer.from(await (await fetch(`${at}/log/timestamps/${path}`)).arrayBuffer()));
      return file;
    };
    const checkpoint = await saved("dated", size!);
    const reply = await saved("dated.tsr", `${size}.tsr`);
    const [issuer, stranger] = (["issuer", "stranger"] as const).map((name) => {
      writeFileSync(join(folder.path, name), authority[name]);
      return join(folder.path, name);
    });
    const network = await cloud.command<{ connections: { purpose: string; port: number }[] }>(
      "network",
      "--data",
      data,
      "--json",
    );
    assert.deepEqual(
      network.connections.filter(({ purpose }) => purpose === "timestamp").map((each) => each.port),
      [port],
    );
    await receiptIdOf(cloud, key);
    const kept = await keep(cloud, key, id, folder.path);
    const { keys } = await aboutLog(cloud);
    const logs = ["--log", `${at}/log`];
    const given = [
      "receipt",
      "verify",
      kept.receipt,
      "--key",
      kept.keys,
      "--proof",
      kept.proof,
      ...keys.flatMap((each) => ["--log-key", each]),
    ];
    const pinned = [...given, "--checkpoint", checkpoint, ...logs, "--timestamp", reply];
    const verdict = await judged(...pinned, "--tsa-certificate", issuer!);
    assert.equal(verdict.code, 0, verdict.reason);
    assert.equal((verdict["checked"] as string[]).at(-1), "timestamp");
    assert.equal((verdict["dated"] as { by: string }).by, "CN=Test authority");
    const outcomes = [
      [...pinned, "--tsa-certificate", stranger!],
      [...pinned],
      [...given, "--timestamp", reply, "--tsa-certificate", issuer!],
    ];
    const codes = await Promise.all(outcomes.map(async (each) => (await judged(...each)).code));
    assert.deepEqual(codes, [1, 2, 2], "another authority, no certificate, no checkpoint");
    const between = ["log", "verify", "--from", checkpoint, "--to", checkpoint, "--key", ...keys, ...logs];
    const consistent = await judged(...between, "--timestamp", reply, "--tsa-certificate", issuer!);
    assert.deepEqual([consistent.code, typeof consistent["dated"]], [0, "object"]);
    assert.equal((await judged(...between, "--timestamp", checkpoint, "--tsa-certificate", issuer!)).code, 1);
    assert.deepEqual(new Set(types), new Set(["application/timestamp-query"]));
  },
);
