import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "../base/index.ts";
import { createCommandRunner, openCatalog } from "../catalog/index.ts";
import { tinyGguf } from "../catalog/tiny-gguf.ts";
import { parseSettings } from "../config/index.ts";
import { readyModels } from "./models.ts";

let base: string;
before(async () => {
  base = await mkdtemp(join(tmpdir(), "bailiwick-ready-"));
  await mkdir(join(base, "folder"));
  await writeFile(join(base, "folder", "config.json"), "{}");
  await writeFile(join(base, "file.gguf"), tinyGguf());
});
after(() => rm(base, { recursive: true }));

/** What an engine of a kind is given for a model with a source; the words of the refusal where it is given none. */
async function given(kind: "llamacpp" | "vllm" | "server", source: string): Promise<string> {
  const engine = kind === "llamacpp" ? {} : { kind, gpu: "off", server: { command: ["serve", "{port}"] } };
  const developer = { name: "us" };
  const entry = {
    name: "own",
    family: "own",
    developer,
    licence: { spdx: "MIT" },
    contextTokens: 64,
    sources: [source],
  };
  const loaded = parseSettings({ text: JSON.stringify({ engine, models: { serve: ["own"], entries: [entry] } }) });
  if (loaded.outcome === "invalid") assert.fail(JSON.stringify(loaded.problems));
  const opened = await openCatalog({
    folder: await mkdtemp(join(base, "models-")),
    entries: loaded.settings.models.entries,
    clock: systemClock,
    environment: {},
    runCommand: createCommandRunner(systemClock),
    hub: { url: undefined, accessToken: undefined, dispatcher: undefined },
  });
  assert.equal(opened.outcome, "opened");
  if (opened.outcome !== "opened") return "";
  const ready = await readyModels(loaded.settings, opened.catalog, () => {}, new AbortController().signal);
  if (ready.outcome === "refused") return [ready.message, ...(ready.reasons ?? [])].join(" ");
  const [model] = ready.models;
  assert.match(model?.sha256 ?? "", /^[0-9a-f]{64}$/);
  return model?.path ?? "";
}

test("an engine is given what it can read: a file, a folder, or either", async () => {
  const [folder, file] = [join(base, "folder"), join(base, "file.gguf")];
  assert.equal(await given("vllm", `file:${folder}`), folder);
  assert.equal(await given("server", `file:${folder}`), folder);
  assert.match(await given("server", `file:${file}`), /own\.gguf$/);
  assert.match(await given("llamacpp", `file:${file}`), /own\.gguf$/);
});

test("what it cannot read is said, before anything is downloaded", async () => {
  assert.match(
    await given("llamacpp", `file:${join(base, "folder")}`),
    /own is the folder \S+\/folder: an engine of kind llamacpp runs GGUF files/,
  );
  assert.match(
    await given("vllm", `file:${join(base, "file.gguf")}`),
    /own is not a folder: an engine of kind vllm serves folders .* file:\S+\.gguf: it is a file$/,
  );
  assert.match(await given("vllm", "hf:nobody/nothing/none.gguf"), /hf:nobody\/nothing\/none\.gguf: it is a file$/);
  assert.match(await given("vllm", "file:/none/there"), /file:\/none\/there: there is nothing there$/);
  assert.match(await given("server", "file:/none/there"), /could not be had: .*file:\/none\/there: /);
});
