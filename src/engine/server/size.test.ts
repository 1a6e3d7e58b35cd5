import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { RefusalError } from "../../base/index.ts";
import { readModel } from "./read-model.ts";
import { refuseTurnTokens } from "./control-tokens.ts";
import { kvBytesOf, sizeOf } from "./size.ts";
import { request } from "./testing.ts";

const folder = mkdtempSync(join(tmpdir(), "bailiwick-model-"));
after(() => rmSync(folder, { recursive: true }));

const llama = { num_hidden_layers: 4, num_attention_heads: 8, num_key_value_heads: 2, hidden_size: 512 };

/** A model's folder with two files of weights: twelve and six numbers. */
function write(name: string, files: Readonly<Record<string, unknown>>): { readonly path: string } {
  const path = join(folder, name);
  mkdirSync(path);
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(join(path, file), typeof content === "string" ? content : JSON.stringify(content));
  }
  return { path };
}

function weights(path: string, shapes: readonly (readonly number[])[]): void {
  for (const [index, shape] of shapes.entries()) {
    const header = Buffer.from(JSON.stringify({ __metadata__: {}, a: { dtype: "BF16", shape, data_offsets: [0, 0] } }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(join(path, `model-${index}.safetensors`), Buffer.concat([length, header, Buffer.alloc(100)]));
  }
}

function file(path: string): Parameters<typeof readModel>[0] {
  return { name: "m", path, sha256: "ab", contextTokens: 100 };
}

test("a folder tells its weights, numbers, layers, KV and whether it chats", async () => {
  const { path } = write("plain", { "config.json": llama, "chat_template.jinja": "{{ messages }}" });
  weights(path, [
    [3, 4],
    [2, 3],
  ]);
  const facts = await readModel(file(path));
  assert.deepEqual([facts.parameters, facts.layers, facts.chats], [18, 4, true]);
  assert.ok(facts.weightsBytes > 200 && facts.weightsBytes < 1_000);
  assert.equal(facts.kvBytesPerToken, 4 * 2 * 64 * 2 * 2);
  assert.equal(kvBytesOf(facts, file(path), 3), 300 * facts.kvBytesPerToken);
  const reserved = sizeOf(facts, file(path), { sequences: 3, elastic: false });
  const elastic = sizeOf(facts, file(path), { sequences: 3, elastic: true });
  assert.equal(reserved.loadedBytes - elastic.loadedBytes, 300 * facts.kvBytesPerToken);
  assert.deepEqual([reserved.kvBytesPerToken, elastic.kvBytesPerToken], [0, facts.kvBytesPerToken]);
});

test("models that also see, and latent attention, are read; a base model does not chat", async () => {
  const seeing = write("seeing", { "config.json": { text_config: { ...llama, head_dim: 32 } } });
  const latent = write("latent", {
    "config.json": { ...llama, kv_lora_rank: 512, qk_rope_head_dim: 64 },
    "tokenizer_config.json": { chat_template: "x" },
  });
  for (const { path } of [seeing, latent]) weights(path, [[1]]);
  const [first, second] = [await readModel(file(seeing.path)), await readModel(file(latent.path))];
  assert.deepEqual([first.kvBytesPerToken, first.chats], [4 * 2 * 32 * 2 * 2, false]);
  assert.deepEqual([second.kvBytesPerToken, second.chats], [4 * (512 + 64) * 2, true]);
});

test("the tokens that set turns apart are known, and no others", async () => {
  const token = (content: string, special = true): object => ({ content, special });
  const { path } = write("tokens", {
    "config.json": llama,
    "chat_template.jinja": "<|im_start|>{{ role }}<tool_call>",
    "tokenizer.json": { added_tokens: [token("<|im_start|>"), token("<filename>"), token("<tool_call>", false)] },
    "tokenizer_config.json": { eos_token: "</s>", bos_token: null, added_tokens_decoder: { 2: token("</s>") } },
  });
  weights(path, [[1]]);
  const { turnTokens } = await readModel(file(path));
  assert.deepEqual(turnTokens, ["<|im_start|>", "</s>"]);
  const refused = refuseTurnTokens(request("a </s> b"), turnTokens);
  assert.deepEqual([refused?.code, refused?.param], ["invalid_request", "messages[0]"]);
  assert.equal(refuseTurnTokens(request("<filename> <s>"), turnTokens), undefined);
});

test("what is no model is refused with the reason", async () => {
  const cases: readonly [string, Readonly<Record<string, unknown>>, RegExp][] = [
    ["empty", {}, /no \.safetensors/],
    ["without-config", { "a.safetensors": "" }, /no config\.json/],
    ["torn", { "a.safetensors": "", "config.json": "{" }, /config\.json cannot be read/],
  ];
  for (const [name, files, reason] of cases) {
    await assert.rejects(readModel(file(write(name, files).path)), (error) => {
      return error instanceof RefusalError && error.refusal.code === "model_invalid" && reason.test(error.message);
    });
  }
  const { path } = write("no-header", { "a.safetensors": "x".repeat(16), "config.json": llama });
  await assert.rejects(readModel(file(path)), /no safetensors file/);
});
