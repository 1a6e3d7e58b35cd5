import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { testModel } from "../models.ts";
import { ContractClient } from "./client.ts";
import { hostCan, openHost } from "./host.ts";
import { contractSuite } from "./suite.ts";

const engine = { threads: 1, sequences: 8, gpu: "off", prefillSliceTokens: 64, loadTimeoutMs: 60_000 } as const;
const settings = { kind: "llamacpp", ...engine, fake: {} } as const;

contractSuite(
  "llama.cpp in a host",
  async () => openHost(settings, await testModel(), "Tell me a long story about a river."),
  hostCan,
);

test("a model without a chat template completes text, and says so where it is asked to chat", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-base-model-"));
  const model = { ...(await testModel()), path: join(folder, "base.gguf") };
  const bytes = readFileSync((await testModel()).path);
  // The same weights under metadata whose template has another name: what a base model's file looks like.
  bytes.write("tokenizer.chat_templatX", bytes.indexOf("tokenizer.chat_template"));
  writeFileSync(model.path, bytes);
  const { target, close } = await openHost(settings, model, "");
  const client = new ContractClient(target);
  try {
    const hello = (await (await client.get("/host/v1/hello")).body.json()) as { models: { endpoints: string[] }[] };
    assert.deepEqual(hello.models[0]!.endpoints, ["completions"]);
    assert.equal(await client.refusal("/v1/chat/completions", client.chatBody("a")), "400 endpoint_not_supported");
    const { usage } = await client.whole("/v1/completions", client.completionBody("Paris is", { max_tokens: 3 }));
    assert.equal(usage.completion_tokens, 3);
  } finally {
    await client.close();
    await close();
    rmSync(folder, { recursive: true, force: true });
  }
});
