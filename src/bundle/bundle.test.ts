import assert from "node:assert/strict";
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { systemClock } from "../base/index.ts";
import { type Catalog, createCommandRunner, openCatalog } from "../catalog/index.ts";
import { tinyGguf } from "../catalog/tiny-gguf.ts";
import { exportBundle, importBundle, openBundleKey, readBundle } from "./index.ts";
import { type Bundle, signBundle, statementName } from "./statement.ts";

let base = "";
let to = "";
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "bailiwick-bundle-"));
  to = join(base, "medium");
  await writeFile(join(base, "file.gguf"), tinyGguf());
  await mkdir(join(base, "folder", "below"), { recursive: true });
  await writeFile(join(base, "folder", "config.json"), JSON.stringify({ max_position_embeddings: 2_048 }));
  await writeFile(join(base, "folder", "model.safetensors"), "weights".repeat(1_000));
  await writeFile(join(base, "folder", "below", "more.json"), "{}");
});
afterEach(() => rm(base, { recursive: true, force: true }));

const never = new AbortController().signal;
const nowMs = Date.parse("2026-03-01T00:00:00Z");
const key = () => openBundleKey(join(base, "data"), nowMs);
const jwks = () => Buffer.from(key().jwks());

const entryOf = (name: string, source: string) => ({
  name,
  family: "own",
  developer: { name: "we" },
  licence: { spdx: "MIT" },
  contextTokens: 4_096,
  sources: [`file:${join(base, source)}`],
});

async function catalogIn(folder: string, entries: readonly unknown[] = []): Promise<Catalog> {
  const opened = await openCatalog({
    folder: join(base, folder),
    entries,
    airGapped: true,
    clock: systemClock,
    environment: {},
    runCommand: createCommandRunner(systemClock),
    hub: { url: undefined, accessToken: undefined, dispatcher: undefined },
  });
  return opened.outcome === "opened" ? opened.catalog : assert.fail(opened.message);
}

async function exporting(models: readonly string[] = ["file", "folder"]) {
  const catalog = await catalogIn("connected", [entryOf("file", "file.gguf"), entryOf("folder", "folder")]);
  for (const name of models) await catalog.pull(name);
  return exportBundle({ catalog, models, to, key: key(), clock: systemClock, signal: never, onFile: () => {} });
}

const importing = (catalog: Catalog, keys: Buffer = jwks()) =>
  importBundle({ catalog, from: to, jwks: keys, signal: never, onProgress: () => {} });

async function refused(catalog: Catalog, keys?: Buffer): Promise<string> {
  const found = await importing(catalog, keys);
  return found.outcome === "refused" ? `${found.code}: ${found.message}` : assert.fail("it was taken");
}

test("a file and a folder go from one catalogue into another by a medium, and are served there as verified", async () => {
  const exported = await exporting();
  assert.ok(exported.outcome === "exported");
  const there = await catalogIn("apart");
  const imported = await importing(there);
  assert.ok(imported.outcome === "imported");
  assert.deepEqual(
    imported.models,
    exported.models.map(({ name, sha256 }) => ({ name, sha256, wasHere: false })),
  );
  await rm(to, { recursive: true });
  for (const { name, sha256 } of exported.models) {
    const verified = await there.verify(name, { full: true });
    assert.ok(verified.outcome === "verified", name);
    assert.deepEqual([verified.model.sha256, verified.model.verified], [sha256, true]);
  }
  const removed = await there.remove("folder", () => false);
  assert.equal(removed.outcome, "removed");
  assert.ok(!(await readdir(join(base, "apart", "folder"))).includes("files"));
});

test("a second import copies nothing, and one after a broken one goes on", async () => {
  await exporting();
  const there = await catalogIn("apart");
  const [last] = (await readdir(join(to, "files"))).toSorted().slice(-1);
  await copyFile(join(to, "files", last!), join(base, "kept"));
  await rm(join(to, "files", last!));
  assert.match(await refused(there), /model_unavailable: .* is not there/);
  await copyFile(join(base, "kept"), join(to, "files", last!));
  assert.equal((await importing(there)).outcome, "imported");
  const again = await importing(there);
  assert.ok(again.outcome === "imported" && again.models.every(({ wasHere }) => wasHere));
});

test("what was changed on the way is refused, and nothing of it is kept", async () => {
  await exporting();
  for (const name of await readdir(join(to, "files"))) {
    const path = join(to, "files", name);
    const bytes = await readFile(path);
    const changed = Buffer.from(bytes);
    changed[changed.length - 1]! ^= 1;
    await writeFile(path, changed);
    const there = await catalogIn(`apart-${name}`);
    assert.match(await refused(there), /^model_invalid: /);
    const kept = (await there.list()).filter(({ installed }) => installed !== undefined);
    assert.ok(!kept.some(({ installed }) => installed!.sha256 === name));
    await writeFile(path, bytes);
  }
});

test("a statement with any byte flipped, or signed by another key, is believed in nothing", async () => {
  await exporting(["file"]);
  const there = await catalogIn("apart");
  const other = Buffer.from(openBundleKey(join(base, "other"), nowMs).jwks());
  assert.match(await refused(there, other), /it is signed by a key that is not in the set/);
  assert.match(await refused(there, Buffer.from("{}")), /^invalid_request: /);
  const path = join(to, statementName);
  const bytes = await readFile(path);
  for (let at = 0; at < bytes.length; at += 7) {
    const flipped = Buffer.from(bytes);
    flipped[at]! ^= 1;
    await writeFile(path, flipped);
    const found = await readBundle(to, jwks());
    assert.equal(found.outcome, "refused", `byte ${at}`);
  }
  await rm(path);
  assert.match(await refused(there), /it has no bundle.json/);
});

test("a path out of the model's folder, a link, and a name that is taken are refused", async () => {
  await exporting(["folder"]);
  const read = await readBundle(to, jwks());
  assert.ok(read.outcome === "read");
  const signedWith = (change: (models: Bundle["models"]) => unknown) =>
    writeFile(
      join(to, statementName),
      signBundle({ madeAt: read.madeAt, models: change(read.models) as Bundle["models"] }, key()),
    );
  for (const path of ["../../escaped", "/etc/escaped", "a/../../b", ".hidden", "a\\..\\b", "a//b", ""]) {
    await signedWith(([first]) => [{ ...first, files: first!.files.map((each) => ({ ...each, path })) }]);
    assert.match(await refused(await catalogIn("apart")), /^model_invalid: The bundle cannot be used: /, path);
  }
  const twoPaths = [
    ["a", "a/b"],
    ["a/b", "a"],
    ["a", "x".repeat(256)],
  ];
  for (const paths of twoPaths) {
    await signedWith(([model]) => [{ ...model, files: paths.map((path) => ({ ...model!.files[0], path })) }]);
    assert.match(await refused(await catalogIn("apart")), /^model_invalid: The bundle cannot be used: /, paths.join());
  }
  await signedWith((models) => models);
  const [first] = await readdir(join(to, "files"));
  await cp(join(to, "files", first!), join(base, "elsewhere"));
  await rm(join(to, "files", first!));
  await symlink(join(base, "elsewhere"), join(to, "files", first!));
  assert.match(await refused(await catalogIn("apart")), /is no file/);

  const taken = await catalogIn("taken", [{ ...entryOf("folder", "folder"), sha256: "0".repeat(64) }]);
  assert.match(await refused(taken), /^name_taken: /);
});

test("only what was pulled and is whole is exported, into an empty folder", async () => {
  const catalog = await catalogIn("connected", [entryOf("file", "file.gguf")]);
  const exported = (models: readonly string[]) =>
    exportBundle({ catalog, models, to, key: key(), clock: systemClock, signal: never, onFile: () => {} });
  assert.deepEqual(await exported(["none"]).then((found) => "code" in found && found.code), "model_not_found");
  assert.deepEqual(await exported(["file"]).then((found) => "code" in found && found.code), "model_not_found");
  await catalog.pull("file");
  await mkdir(to);
  await writeFile(join(to, "mine"), "");
  assert.deepEqual(await exported(["file"]).then((found) => "code" in found && found.code), "invalid_request");
});
