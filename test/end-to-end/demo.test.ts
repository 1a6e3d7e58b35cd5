import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Found } from "../../demo/borders/found.ts";
import { testModel } from "../models.ts";
import { alive, descendants, eventually, temporaryFolder } from "./cloud.ts";

/** `npm run demo -- borders --json`, as it is written, with the real engine; and how it ends when it is broken off. */
const folder = temporaryFolder();
after(() => folder.remove());
/** Where the demo puts what it needs while it runs. */
const temporary = join(folder.path, "tmp");
mkdirSync(temporary);
const program = fileURLToPath(new URL("../../demo/run.ts", import.meta.url));

function start(...args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: folder.path,
    env: { ...process.env, TMPDIR: temporary },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (part: Buffer) => (stdout += part.toString()));
  child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
  return { child, stdout: () => stdout, stderr: () => stderr };
}

test("borders: each request ran where it may, or nowhere; every receipt holds, and every forgery is refused", async () => {
  const { path } = await testModel();
  const out = join(folder.path, "out");
  const { child, stdout, stderr } = start("borders", "--json", "--models", join(path, "..", ".."), "--out", out);
  const [code] = (await once(child, "close")) as [number];
  assert.equal(code, 0, `${stderr()}\n${stdout()}`);
  const found = JSON.parse(stdout().trimEnd().split("\n").at(-1)!) as Found;
  assert.deepEqual(found.unmet, []);
  assert.deepEqual([found.engine, found.model], ["llamacpp", "smollm2-135m-instruct"]);

  assert.deepEqual(
    found.sites.map(({ name, jurisdiction }) => `${name} ${jurisdiction}`),
    ["de DE", "fr FR", "us US"],
  );
  assert.equal(new Set(found.sites.map(({ host }) => host)).size, 3);

  const classes = found.requests.filter(({ step }) => step === "each class");
  assert.equal(classes.length, 6 * 5);
  for (const { tenant, dataClass, site, permitted, code } of classes) {
    if (permitted.length === 0) assert.deepEqual([site, code], [null, "no_permitted_site"], `${tenant} ${dataClass}`);
    else assert.ok(site !== null && permitted.includes(site), `${tenant} ${dataClass} at ${site}`);
  }
  const of = (pattern: RegExp) => found.requests.filter(({ step }) => pattern.test(step));
  assert.deepEqual(
    of(/^its headers/).map(({ code }) => code),
    Array.from({ length: 4 }, () => "no_permitted_site"),
  );
  const [stream] = of(/dies under its stream/);
  assert.deepEqual([stream!.outcome, stream!.site, stream!.code], ["broken-off", "fr", "engine_failed"]);
  assert.deepEqual([of(/is away$/)[0]!.code, of(/is away$/)[1]!.site], ["engine_unavailable", "de"]);
  assert.ok(of(/goes on elsewhere/).length > 0);
  for (const { outcome, site } of of(/goes on elsewhere/)) assert.deepEqual([outcome, site], ["answered", "de"]);

  assert.equal(found.receipts.count, found.requests.filter(({ receipt }) => receipt !== null).length);
  assert.equal(found.receipts.verified, found.receipts.count);
  const kept = readdirSync(join(out, "receipts"), { recursive: true }).map(String);
  assert.equal(kept.filter((name) => name.endsWith(".tlog-proof")).length, found.receipts.count);

  for (const kind of [
    /^a flipped byte anywhere in the receipt$/,
    /^a flipped byte anywhere in the proof$/,
    /swapped receipt/,
    /older than the pinned/,
    /forked log/,
    /revoked key/,
    /unknown key/,
    /wrong jurisdiction map/,
    /replay under another tenant/,
  ]) {
    const tried = found.forgeries.filter(({ what }) => kind.test(what));
    assert.ok(tried.length > 0 && tried.every(({ refused }) => refused), String(kind));
  }

  assert.deepEqual(found.drill.tenants, ["clinic", "studio"]);
  assert.deepEqual(
    found.reports.map(({ name }) => name),
    ["sovereignty", "processing", "transfers"],
  );
  for (const { html, json } of found.reports) {
    assert.match(readFileSync(html, "utf8"), /^<!doctype html>/i);
    assert.ok(existsSync(json));
  }
  assert.match(readFileSync(join(out, "reports", "processing.html"), "utf8"), /hospital/);
  assert.doesNotMatch(readFileSync(join(out, "reports", "processing.html"), "utf8"), /clinic|ministry|studio/);
  assert.match(stdout(), /Everything came as it was said beforehand\./);
  assert.deepEqual(readdirSync(temporary), [], "its data is gone");
});

test("a demo that is broken off leaves no process and no data behind", async () => {
  const { child, stderr } = start("borders", "--engine", "fake", "--out", join(folder.path, "broken-off"));
  const below = async (): Promise<readonly number[]> => descendants(child.pid!);
  await eventually("its cloud", async () => (await below()).length > 6);
  const all = await below();
  child.kill("SIGINT");
  const [code] = (await once(child, "close")) as [number];
  assert.equal(code, 1, stderr());
  await eventually("the end of all processes", () => !all.some(alive));
  assert.deepEqual(readdirSync(temporary), []);
});

test("what it cannot be asked is refused with how it is asked", async () => {
  for (const [args, problem] of [
    [[], /Name a demo: borders/],
    [["walls"], /Name a demo: borders/],
    [["borders", "--engine", "real"], /--engine takes llamacpp or fake/],
    [["borders", "--fast"], /--fast/],
  ] as const) {
    const { child, stderr } = start(...args);
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 2);
    assert.match(stderr(), problem);
    assert.match(stderr(), /usage: npm run demo -- borders/);
  }
});
