import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ask, usageIn } from "../../end-to-end/asking.ts";
import { alive, descendants, type RunningCloud, startCloud, temporaryFolder } from "../../end-to-end/cloud.ts";
import { receiptOf } from "../../end-to-end/receipt.ts";
import { engine, model, settings, skipped } from "./vllm.ts";

describe("a cloud whose engine is the real vLLM", { skip: skipped }, () => {
  const folder = temporaryFolder();
  const data = join(folder.path, "data");
  let cloud: RunningCloud;
  let key: string;

  async function start(): Promise<void> {
    const entry = {
      name: model.name,
      family: "SmolLM2",
      developer: { name: "Hugging Face, Inc.", country: "US" },
      licence: { spdx: "Apache-2.0" },
      contextTokens: 8_192,
      sources: [`file:${model.path}`],
    };
    const text = JSON.stringify({
      engine: { kind: "vllm", ...engine, contextTokens: model.contextTokens, server: settings },
      models: { serve: [model.name], entries: [entry] },
      site: { jurisdiction: "DE" },
    });
    cloud = await startCloud({ data, settings: text, readyWithinMs: 280_000 });
  }
  const recordPath = join(data, "models", model.name, "folder.json");
  const record = () => JSON.parse(readFileSync(recordPath, "utf8")) as { readonly sha256: string };

  before(async () => {
    await start();
    key = await cloud.newKey();
  });
  after(async () => {
    await cloud?.kill();
    folder.remove();
  });

  for (const stream of [false, true]) {
    test(`it answers ${stream ? "as a stream" : "whole"}, with a receipt of vLLM and the folder's digest`, async () => {
      const seen = await ask({ url: cloud.url, key, stream, more: { model: model.name, max_tokens: 8 } });
      assert.equal(seen.status, 200, seen.text);
      const statement = await receiptOf(cloud, key, seen);
      assert.deepEqual(statement.engine, { name: "vllm", build: "vllm 0.32.0" });
      assert.deepEqual(statement.model, { name: model.name, sha256: record().sha256, adapter: null });
      assert.equal(statement.usage?.inputTokens, usageIn(seen)?.prompt_tokens);
      assert.equal(statement.usage?.outputTokens, usageIn(seen)?.completion_tokens);
    });
  }

  test("a stop leaves no vLLM, and the next start reads no file of the model again", async () => {
    const below = await descendants(cloud.process.pid!);
    assert.equal(await cloud.stop(), 0);
    assert.deepEqual(below.filter(alive), []);
    const { mtimeMs } = statSync(recordPath);
    await start();
    assert.equal(statSync(recordPath).mtimeMs, mtimeMs);
    const seen = await ask({ url: cloud.url, key, more: { model: model.name, max_tokens: 2 } });
    assert.equal((await receiptOf(cloud, key, seen)).model.sha256, record().sha256);
  });
});
