import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "../base/index.ts";
import { createCommandRunner, openCatalog } from "../catalog/index.ts";
import { tinyGguf } from "../catalog/tiny-gguf.ts";
import { parseSettings } from "../config/index.ts";
import { cannotServe, readyModels } from "./models.ts";

let base: string;
before(async () => {
  base = await mkdtemp(join(tmpdir(), "bailiwick-ready-"));
  await mkdir(join(base, "folder"));
  await writeFile(join(base, "folder", "config.json"), "{}");
  await writeFile(join(base, "file.gguf"), tinyGguf());
});
after(() => rm(base, { recursive: true }));

type Kind = "llamacpp" | "vllm" | "server";

const entryOf = (name: string, source: string) => ({
  name,
  family: "own",
  developer: { name: "us" },
  licence: { spdx: "MIT" },
  contextTokens: 64,
  sources: [source],
});

/** What is served of models by their sources. */
async function readyOf(kind: Kind, serve: readonly string[], sources: Readonly<Record<string, string>>) {
  const engine = kind === "llamacpp" ? {} : { kind, gpu: "off", server: { command: ["serve", "{port}"] } };
  const entries = Object.entries(sources).map(([name, source]) => entryOf(name, source));
  const loaded = parseSettings({ text: JSON.stringify({ engine, models: { serve, entries } }) });
  if (loaded.outcome === "invalid") assert.fail(JSON.stringify(loaded.problems));
  const opened = await openCatalog({
    folder: await mkdtemp(join(base, "models-")),
    entries: loaded.settings.models.entries,
    clock: systemClock,
    environment: {},
    runCommand: createCommandRunner(systemClock),
    hub: { url: undefined, accessToken: undefined, dispatcher: undefined },
  });
  if (opened.outcome !== "opened") assert.fail(opened.message);
  return readyModels(loaded.settings, opened.catalog, () => {}, new AbortController().signal);
}

/** What an engine of a kind is given for a model with a source; the words of the refusal where it is given none. */
async function given(kind: Kind, source: string): Promise<string> {
  const ready = await readyOf(kind, ["own"], { own: source });
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

test("a model whose file cannot be used is left out with what is wrong, and the others are served", async () => {
  const damaged = join(base, "damaged.gguf");
  await writeFile(damaged, "this is no GGUF file");
  const sources = { own: `file:${join(base, "file.gguf")}`, damaged: `file:${damaged}`, absent: "file:/none/there" };
  const ready = await readyOf("llamacpp", ["damaged", "own", "absent"], sources);
  if (ready.outcome === "refused") assert.fail(ready.message);
  assert.deepEqual(
    ready.models.map(({ name }) => name),
    ["own"],
  );
  const [first, second] = ready.faults;
  assert.deepEqual([first?.model, first?.code, second?.model], ["damaged", "model_invalid", "absent"]);
  assert.match(first!.message, /could not be had: damaged could not be pulled\. file:\S+damaged\.gguf: /);
  assert.match(first!.next, /pull it again/);
});

test("a start ends where no model is left, and where a name is none of the catalogue's", async () => {
  const sources = { one: "file:/none/one", two: "file:/none/two" };
  const none = await readyOf("llamacpp", ["one", "two"], sources);
  if (none.outcome !== "refused") assert.fail("nothing can be served");
  assert.match([none.message, ...(none.reasons ?? [])].join(" "), /None of the models .*\/none\/one.*\/none\/two/);
  const unknown = await readyOf("llamacpp", ["own", "owm"], { own: `file:${join(base, "file.gguf")}` });
  if (unknown.outcome !== "refused") assert.fail("owm is served");
  assert.equal(unknown.code, "model_not_found");
  // Nothing runs that could be asked for its models.
  assert.match(cannotServe(unknown).next, /model list.*models\.serve/);
  assert.match(cannotServe(none).next, /./);
  assert.doesNotMatch(cannotServe(unknown).next, /v1\/models/);
});
