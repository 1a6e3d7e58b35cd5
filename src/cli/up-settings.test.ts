import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { CommandFailure } from "./failure.ts";
import { isLoopback } from "../base/index.ts";
import { readUpSettings, type UpOptions } from "./up-settings.ts";

test("where an upstream stands is never guessed: on this machine it is this machine's site, else as it is said", async (context) => {
  const currentFolder = mkdtempSync(join(tmpdir(), "bailiwick-up-"));
  context.after(() => rmSync(currentFolder, { recursive: true, force: true }));
  const siteOf = async (options: Omit<UpOptions, "data">): Promise<unknown> => {
    const { upstreams, models } = await readUpSettings({ data: "d", ...options }, { currentFolder });
    assert.deepEqual(models.serve, []);
    return upstreams[0]?.site;
  };
  const here = { name: "here", jurisdiction: "DE" };
  const undeclared = { name: "undeclared" };
  assert.deepEqual(await siteOf({ upstream: "http://127.0.0.1:8000/v1", site: "DE" }), here);
  assert.deepEqual(await siteOf({ upstream: "http://localhost:8000/v1", site: "DE" }), here);
  assert.deepEqual(await siteOf({ upstream: "http://[::1]:8000", site: "DE" }), here);
  assert.deepEqual(await siteOf({ upstream: "http://127.0.0.1:8000/v1" }), { name: "here" });
  assert.deepEqual(await siteOf({ upstream: "https://api.example.com/v1", site: "DE" }), undeclared);
  assert.deepEqual(await siteOf({ upstream: "http://10.0.0.5:8000/v1", site: "DE" }), undeclared);
  assert.deepEqual(await siteOf({ upstream: "http://10.0.0.5:8000/v1", site: "DE", upstreamSite: "fr" }), {
    name: "upstream",
    jurisdiction: "FR",
  });
  for (const [option, given] of [
    ["--site", { site: "Germany" }],
    ["--upstream-site", { upstream: "http://10.0.0.5:8000/v1", upstreamSite: "Germany" }],
  ] as const) {
    const message = `${option}: "Germany" is not an ISO 3166 code; did you mean "DE"?`;
    await assert.rejects(siteOf(given), { code: "invalid_option", message });
  }
  writeFileSync(join(currentFolder, "bailiwick.yaml"), "site: {name: rack-1, jurisdiction: DE-BE, operator: Us}\n");
  assert.deepEqual(await siteOf({ upstream: "http://127.0.0.1:8000/v1" }), {
    name: "rack-1",
    jurisdiction: "DE-BE",
    operator: "Us",
  });
  assert.deepEqual(await siteOf({ upstream: "http://10.0.0.5:8000/v1" }), undeclared);
  await assert.rejects(readUpSettings({ data: "d", upstreamKey: "KEY" }, { currentFolder }), /belong to an --upstream/);
});

test("each kind of engine can be chosen; what its program lacks in the settings is named, and where to write it", async (context) => {
  const currentFolder = mkdtempSync(join(tmpdir(), "bailiwick-up-"));
  context.after(() => rmSync(currentFolder, { recursive: true, force: true }));
  const kindOf = async (engine: NonNullable<UpOptions["engine"]>): Promise<string> =>
    (await readUpSettings({ data: "d", engine }, { currentFolder })).engine.kind;
  for (const kind of ["llamacpp", "fake"] as const) assert.equal(await kindOf(kind), kind);
  for (const kind of ["vllm", "server"] as const) {
    await assert.rejects(kindOf(kind), ({ reasons, next }: CommandFailure) => {
      assert.match(reasons.join("\n"), /^settings: engine\.server\.command: .*\nsettings: engine\.memoryBytes: /);
      assert.match(next!, /write bailiwick\.yaml here/);
      return true;
    });
  }
  const server = 'server: { command: [serve, "{path}", "{socket}"] }';
  writeFileSync(join(currentFolder, "bailiwick.yaml"), `engine: { kind: server, gpu: off, ${server} }\n`);
  for (const kind of ["vllm", "server"] as const) assert.equal(await kindOf(kind), kind);
});

test("loopback is this machine only", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST", "a.localhost", "::1", "[::1]"]) {
    assert.ok(isLoopback(host), host);
  }
  for (const host of ["0.0.0.0", "::", "127.0.0.1.example.com", "localhost.example.com", "10.0.0.1", "example.com"]) {
    assert.ok(!isLoopback(host), host);
  }
});
