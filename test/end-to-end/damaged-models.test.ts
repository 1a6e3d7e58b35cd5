import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { tinyGguf } from "../../src/catalog/tiny-gguf.ts";
import { testModel } from "../models.ts";
import { ask, control, errorIn, makeKey } from "./asking.ts";
import { commandFails, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";
import { program } from "./up.ts";

/**
 * Files that were damaged after they had been pulled, beside one that is whole: one is shorter than it was, which the
 * catalogue sees; of the other the header is overwritten and nothing else tells, until the engine reads it.
 */
const folder = temporaryFolder();
const names = ["whole", "damaged", "unreadable"];
let cloud: RunningCloud;
let key: string;

interface Fault {
  readonly code: string;
  readonly message: string;
  readonly next: string;
}

function settingsOf(serve: readonly string[], whole: string): string {
  const files: Readonly<Record<string, string>> = {
    whole,
    damaged: join(folder.path, "damaged.gguf"),
    unreadable: join(folder.path, "unreadable.gguf"),
  };
  const entries = serve.map((name) => ({
    name,
    family: "SmolLM2",
    developer: { name: "Hugging Face" },
    licence: { spdx: "Apache-2.0" },
    contextTokens: 2_048,
    sources: [`file:${files[name]}`],
  }));
  return JSON.stringify({
    site: { jurisdiction: "DE" },
    engine: { threads: 1, gpu: "off", sequences: 1, contextTokens: 512, memoryBytes: 300_000_000 },
    models: { serve, entries },
  });
}

/** Where the catalogue keeps what it has pulled. */
function pulledFile(data: string, name: string): string {
  const [path] = globSync(join(data, "models", "*", "*.gguf")).filter((each) => {
    const manifest = JSON.parse(readFileSync(join(dirname(each), "manifest.json"), "utf8")) as { name: string };
    return manifest.name === name;
  });
  return path!;
}

before(async () => {
  const { path } = await testModel();
  const [data, config, settings] = [join(folder.path, "data"), join(folder.path, "pull.yaml"), settingsOf(names, path)];
  writeFileSync(config, settings);
  const files = names.slice(1).map((name) => {
    writeFileSync(join(folder.path, `${name}.gguf`), tinyGguf());
    execFileSync(process.execPath, [program, "model", "pull", name, "--data", data, "--config", config]);
    return pulledFile(data, name);
  });
  truncateSync(files[0]!, 1_000);
  writeFileSync(files[1]!, "not GGUF", { flag: "r+" });
  // As where a disk has lost what it held, and says that nothing was written.
  const manifest = join(dirname(files[1]!), "manifest.json");
  const { mtimeMs: modifiedMs } = statSync(files[1]!);
  writeFileSync(manifest, JSON.stringify({ ...(JSON.parse(readFileSync(manifest, "utf8")) as object), modifiedMs }));
  cloud = await startCloud({ data, settings });
  key = await makeKey(cloud, "damaged");
});
after(async () => {
  await cloud?.kill();
  folder.remove();
});

test("the others are served; who asks for a damaged one hears that it is out of service, and nothing of the disk", async () => {
  const answer = (model: string) => ask({ url: cloud.url, key, more: { model, max_tokens: 2 } });
  const whole = await answer("whole");
  assert.equal(whole.status, 200, whole.text);
  for (const model of ["damaged", "unreadable"]) {
    const refused = await answer(model);
    assert.deepEqual([refused.status, errorIn(refused).code], [503, "model_out_of_service"]);
    assert.equal(refused.headers["x-should-retry"], "false");
    assert.ok(!refused.text.includes(folder.path), refused.text);
  }
  const listed = await fetch(`${cloud.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  const { data } = (await listed.json()) as { data: readonly { id: string }[] };
  assert.deepEqual(
    data.map(({ id }) => id),
    ["whole"],
  );
});

test("the operator sees which, why, and what to do: of each model, of the host, and in the log", async () => {
  for (const [model, why] of [
    ["damaged", /has 1000 bytes; it was pulled with \d+/],
    ["unreadable", /magic/],
  ] as const) {
    const shown = await control<{ served: boolean; faults: readonly Fault[] }>(cloud, "GET", `/models/${model}`);
    const [fault] = shown.faults;
    assert.deepEqual([shown.served, fault?.code], [false, "model_invalid"]);
    assert.match(fault!.message, why);
    assert.match(fault!.next, /pull it again/);
    assert.match(cloud.output(), new RegExp(`"model":"${model}"[^\\n]*a model is not served`));
  }
  const { hosts } = await cloud.command<{ hosts: readonly { faults: readonly { model: string }[] }[] }>("pool");
  assert.deepEqual(hosts[0]!.faults.map(({ model }) => model).toSorted(), ["damaged", "unreadable"]);
});

test("where none can be served the start fails, and each is named with its reason", async () => {
  const config = join(folder.path, "none.yaml");
  for (const name of ["damaged", "unreadable"])
    writeFileSync(join(folder.path, `${name}.gguf`), "this is no GGUF file");
  writeFileSync(config, settingsOf(["damaged", "unreadable"], ""));
  const data = join(folder.path, "none");
  const failed = await commandFails(["up", "--data", data, "--port", "0", "--config", config]);
  assert.equal(failed.code, 2, failed.stderr);
  assert.match(
    failed.stderr,
    /None of the models[^]*damaged\.gguf[^]*unreadable\.gguf[^]*\(cannot_start\)\n {2}next: /,
  );
});
