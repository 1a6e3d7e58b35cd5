import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { systemClock } from "../base/index.ts";
import { type Catalog, openCatalog, type VerifyOptions } from "./catalog.ts";
import { createCommandRunner } from "./command.ts";
import type { ModelEntry } from "./entry.ts";
import { folderSha256 } from "./folder-digest.ts";
import { tinyGguf } from "./tiny-gguf.ts";

const reference = new URL("../../docs/reference/models.md", import.meta.url);
let base: string;
let model: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "bailiwick-folder-"));
  model = join(base, "model");
  await mkdir(join(model, "original"), { recursive: true });
  await writeFile(join(model, "config.json"), JSON.stringify({ max_position_embeddings: 2_048 }));
  await writeFile(join(model, "model.safetensors"), "weights".repeat(1_000));
  await writeFile(join(model, "original", "params.json"), "{}");
});
afterEach(() => rm(base, { recursive: true, force: true }));

function open(more: Partial<ModelEntry> = {}): Promise<Catalog> {
  const entry: ModelEntry = {
    name: "own",
    family: "own",
    developer: { name: "us" },
    licence: { spdx: "MIT" },
    contextTokens: 8_192,
    sources: [`file:${model}`],
    ...more,
  };
  return openCatalog({
    folder: join(base, "models"),
    entries: [entry],
    clock: systemClock,
    environment: {},
    runCommand: createCommandRunner(systemClock),
    hub: { url: undefined, accessToken: undefined, dispatcher: undefined },
  }).then((opened) => (opened.outcome === "opened" ? opened.catalog : assert.fail(opened.message)));
}

/** The model as it was found, and the bytes that were read for it. */
async function verified(catalog: Catalog, options: VerifyOptions = {}) {
  const read: number[] = [];
  const onProgress: VerifyOptions["onProgress"] = ({ receivedBytes }) => void read.push(receivedBytes);
  const found = await catalog.verify("own", { onProgress, ...options });
  if (found.outcome === "refused") assert.fail(found.message);
  return { ...found.model, didRead: read.length > 0 };
}

async function refusedFor(catalog: Catalog, options: VerifyOptions = {}): Promise<string> {
  const found = await catalog.verify("own", options);
  assert.equal(found.outcome === "refused" && found.code, "model_invalid");
  return found.outcome === "refused" ? [found.message, ...(found.reasons ?? [])].join("\n") : "";
}

describe("a model that is a folder", () => {
  it("is served where it is, with the digest that the reference's command computes", async () => {
    await writeFile(join(model, ".notes"), "not looked at");
    await mkdir(join(model, ".cache"));
    await writeFile(join(model, "a name, with ünicode"), "x");
    await symlink("model.safetensors", join(model, "linked.safetensors"));
    const found = await verified(await open());
    assert.deepEqual([found.form, found.path, found.verified, found.contextTokens], ["folder", model, false, 2_048]);
    const [row] = (await (await open()).list()).filter(({ entry }) => entry.name === "own");
    assert.equal(row?.installed?.sha256, found.sha256);
    // The command is for GNU's tools.
    if (process.platform !== "linux") return;
    const [, command = ""] = /```sh\n(cd FOLDER[\s\S]*?)```/.exec(await readFile(reference, "utf8")) ?? [];
    assert.equal(
      execFileSync("bash", ["-c", command.replace("FOLDER", model)], { encoding: "utf8" }).slice(0, 64),
      found.sha256,
    );
  });

  it("is read once: afterwards only what is not as it was, or everything where that is asked for", async () => {
    const first = await verified(await open());
    assert.ok(first.didRead);
    assert.ok(!(await verified(await open())).didRead);
    assert.ok((await verified(await open(), { full: true })).didRead);
    // New times with the old bytes are no change; they are looked at, and remembered.
    await utimes(join(model, "config.json"), 1, 1);
    const touched = await verified(await open());
    assert.deepEqual([touched.didRead, touched.sha256], [true, first.sha256]);
    assert.ok(!(await verified(await open())).didRead);
  });

  it("that changed has another digest, and is unverified; where the entry states one, it is refused", async () => {
    const { sha256 } = await verified(await open());
    assert.equal((await verified(await open({ sha256 }))).verified, true);
    await writeFile(join(model, "model.safetensors"), "Weights".repeat(1_000));
    const changed = await verified(await open());
    assert.notEqual(changed.sha256, sha256);
    assert.equal(changed.verified, false);
    await writeFile(join(model, "config.json"), "{}");
    const message = await refusedFor(await open({ sha256 }));
    assert.match(message, new RegExp(`has the SHA-256 [0-9a-f]{64}; own is to have ${sha256}`));
    assert.match(message, /Changed since it was last read: config\.json\./);
    const [row] = (await (await open({ sha256 })).list()).filter(({ entry }) => entry.name === "own");
    assert.equal(row?.installed, undefined);
  });

  it("whose file was replaced behind the same size and time is noticed when everything is read", async () => {
    const path = join(model, "model.safetensors");
    await utimes(path, 1_000, 1_000);
    const { sha256 } = await verified(await open());
    await writeFile(path, "Weights".repeat(1_000));
    await utimes(path, 1_000, 1_000);
    assert.equal((await verified(await open({ sha256 }))).sha256, sha256);
    assert.match(await refusedFor(await open({ sha256 }), { full: true }), /SHA-256/);
  });

  it("changes its digest with a file that comes, goes, or has another name", async () => {
    const seen = new Set<string>();
    const look = async (): Promise<void> => void seen.add((await verified(await open())).sha256);
    await look();
    await writeFile(join(model, "extra.py"), "print()");
    await look();
    await rename(join(model, "extra.py"), join(model, "other.py"));
    await look();
    assert.equal(seen.size, 3);
    await rm(join(model, "other.py"));
    await look();
    assert.equal(seen.size, 3);
  });

  it("is pulled by being read, and forgotten without being touched", async () => {
    const catalog = await open();
    const pulled = await catalog.pull("own");
    assert.equal(pulled.outcome === "pulled" && pulled.downloaded, false);
    assert.ok(!(await verified(catalog)).didRead);
    await catalog.remove("own", () => false);
    assert.equal((await readFile(join(model, "original", "params.json"), "utf8")).length, 2);
    assert.ok((await verified(catalog)).didRead);
  });

  it("stops being read where the caller stops", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(
      open().then((catalog) => catalog.verify("own", { signal })),
      /enough/,
    );
    assert.ok((await verified(await open())).didRead);
  });

  it("is the folder that a link named when it was read", async () => {
    const link = join(base, "current");
    await symlink(model, link);
    const entry = { sources: [`file:${link}`] };
    assert.equal((await verified(await open(entry))).path, model);
    const next = join(base, "next");
    await mkdir(next);
    await writeFile(join(next, "config.json"), "{}");
    await rm(link);
    await symlink(next, link);
    const found = await verified(await open(entry));
    assert.deepEqual([found.path, found.contextTokens], [next, 8_192]);
  });
});

describe("a folder that is no model to be served", () => {
  it("is refused in words: gone, without config.json, with one that is not JSON, of another size", async () => {
    await verified(await open());
    assert.match(await refusedFor(await open({ sizeBytes: 7 })), /have \d+ bytes, 7 are expected/);
    await writeFile(join(model, "config.json"), "{");
    assert.match(await refusedFor(await open()), /its config\.json is not JSON/);
    await rm(join(model, "config.json"));
    assert.match(await refusedFor(await open()), /holds no config\.json/);
    await rm(model, { recursive: true });
    assert.match(await refusedFor(await open()), /cannot be used as a model: it is not there/);
  });

  it("is refused where a program would read what nobody looked at", async () => {
    const outside = join(base, "outside");
    await writeFile(outside, "x");
    await symlink(outside, join(model, "linked"));
    assert.match(await refusedFor(await open()), /linked is a link out of it/);
    await rm(join(model, "linked"));
    await symlink(join(base, "model-2"), join(model, "linked"));
    assert.match(await refusedFor(await open()), /linked is a link to nothing/);
    await rm(join(model, "linked"));
    await symlink("original", join(model, "linked"));
    assert.match(await refusedFor(await open()), /linked is no regular file/);
    await rm(join(model, "linked"));
    const socket = createServer().listen(join(model, "socket"));
    await once(socket, "listening");
    assert.match(await refusedFor(await open()), /socket is no regular file/);
    socket.close();
  });

  it("is refused beyond its bounds, and with names that no list can hold", async () => {
    await writeFile(join(model, "two\nlines"), "");
    assert.match(await refusedFor(await open()), /"two\\nlines" is no plain name/);
    await rm(join(model, "two\nlines"));
    await mkdir(join(model, "1", "2", "3", "4", "5"), { recursive: true });
    assert.match(await refusedFor(await open()), /1\/2\/3\/4\/5 lies more than 4 folders deep/);
    await rm(join(model, "1"), { recursive: true });
    for (let index = 0; index < 1_000; index++) await writeFile(join(model, `file-${index}`), "");
    assert.match(await refusedFor(await open()), /more than 1000 files/);
  });

  it("is told from a file, whichever of them an engine wants", async () => {
    const folder = { form: "folder", why: "the engine wants it" } as const;
    const gguf = { form: "gguf", why: "the engine wants one" } as const;
    assert.match(
      await refusedFor(await open(), { wanted: gguf }),
      /own is the folder \S+\/model: the engine wants one\./,
    );
    const path = join(base, "own.gguf");
    await writeFile(path, tinyGguf());
    const catalog = await open({ sources: [`file:${path}`, "file:/none/there", "hf:a/b/c.gguf"] });
    assert.deepEqual((await refusedFor(catalog, { wanted: folder })).split("\n"), [
      "The model own is not a folder: the engine wants it.",
      `file:${path}: it is a file`,
      "file:/none/there: there is nothing there",
      "hf:a/b/c.gguf: it is a file",
    ]);
    assert.equal((await catalog.pull("own")).outcome, "pulled");
    assert.equal((await catalog.verify("own", { wanted: gguf })).outcome, "verified");
  });
});

it("a folder's digest does not depend on the order in which its files are found", () => {
  const files = ["b", "a/c", "a", "ü", "Z"].map((path, index) => ({ path, sizeBytes: index, sha256: "0".repeat(64) }));
  assert.equal(folderSha256(files), folderSha256(files.toReversed()));
});
