import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { copyFile, mkdtemp, open, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { getLlama, LlamaLogLevel, type Token } from "node-llama-cpp";
import { withOnePoolThread } from "../../../test/one-pool-thread.ts";
import { testModel } from "../../../test/models.ts";
import { ManualClock, RefusalError, systemClock } from "../../base/index.ts";
import { createLlamaCpp } from "./index.ts";
import { TemplateCheck } from "./template-check.ts";
import { Vocabulary } from "./vocabulary.ts";

function isInvalidModel(error: unknown): boolean {
  return error instanceof RefusalError && error.refusal.code === "model_invalid";
}

await withOnePoolThread(import.meta.url, async () => {
  const file = await testModel();
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-llamacpp-"));
  after(() => rm(folder, { recursive: true, force: true }));

  test("a token's bytes are what llama.cpp makes of it", async () => {
    const llama = await getLlama({ build: "never", gpu: false, skipDownload: true, logLevel: LlamaLogLevel.error });
    const model = await llama.loadModel({ modelPath: file.path });
    const vocabulary = new Vocabulary(model);
    for (let token = 0; token < vocabulary.size; token++) {
      const { bytes, isControl, endsAnswer } = vocabulary.piece(token as Token);
      const expected = model.detokenize([token as Token], true);
      // The library writes a replacement where a token is a part of a character only.
      if (!expected.includes("\uFFFD")) assert.equal(bytes.toString(), expected, String(token));
      if (endsAnswer) assert.ok(isControl);
    }
    const text = "Grüße, 世界 😀\n\tif (a && b) { return 'x'; }\u0000\u007f";
    const bytes = Buffer.concat(model.tokenize(text).map((token) => vocabulary.piece(token).bytes));
    assert.equal(bytes.toString(), text);
    assert.ok(vocabulary.has(vocabulary.size - 1) && !vocabulary.has(vocabulary.size) && !vocabulary.has(-1));
    await llama.dispose();
  });

  test("a file that is no model, or only a part of one, is refused in words", async () => {
    const needs = { threadPoolSize: "1", entropy: randomBytes, clock: systemClock };
    const engine = await createLlamaCpp(needs).open({
      threads: 1,
      sequences: 1,
      gpu: "off",
      prefillSliceTokens: 48,
      memoryBytes: undefined,
    });
    const load = (path: string): Promise<unknown> => engine.load({ ...file, path });
    const garbage = join(folder, "garbage.gguf");
    await writeFile(garbage, randomBytes(100_000));
    await assert.rejects(load(garbage), isInvalidModel);
    await assert.rejects(load(join(folder, "missing.gguf")), isInvalidModel);
    const cut = join(folder, "cut.gguf");
    await copyFile(file.path, cut);
    for (const bytes of [50_000_000, 1_000_000, 1_000, 3]) {
      await truncate(cut, bytes);
      await assert.rejects(load(cut), isInvalidModel, `cut to ${bytes} bytes`);
    }
    const renamed = join(folder, "renamed.gguf");
    await copyFile(file.path, renamed);
    const handle = await open(renamed, "r+");
    await handle.write(Buffer.from("GGML"), 0, 4, 0);
    await handle.close();
    await assert.rejects(load(renamed), isInvalidModel);
    // The engine goes on.
    await (await engine.load({ ...file, contextTokens: 256 })).unload();
    await engine.close();
  });

  test("a chat template that does not come to an end, or takes all the memory, is refused", async () => {
    const templates = new TemplateCheck(systemClock);
    await templates.check(undefined);
    await templates.check("{% for message in messages %}{{ message.content }}{% endfor %}");
    await templates.check("{% this is no template");
    await assert.rejects(templates.check("x".repeat(300_000)), isInvalidModel);
    const endless =
      "{% for a in range(100000) %}{% for b in range(100000) %}{% set c = a * b %}{% endfor %}{% endfor %}";
    const clock = new ManualClock();
    const stopped = new TemplateCheck(clock);
    for (let tries = 0; tries < 2; tries++) {
      const checking = stopped.check(endless);
      clock.advance(60_000);
      await assert.rejects(checking, isInvalidModel);
    }
    const hungry = "{% set a = range(10000000) %}".repeat(20);
    await assert.rejects(templates.check(hungry), isInvalidModel);
  });

  test("a chat template that has passed is not tried again when its model comes back", async (context) => {
    let threads = 0;
    const count = (): void => void threads++;
    process.on("worker", count);
    context.after(() => process.off("worker", count));
    const templates = new TemplateCheck(systemClock);
    for (const template of ["{{ messages[0].content }}", "{{ messages[0].role }}", "{{ messages[0].content }}"]) {
      await templates.check(template);
    }
    assert.equal(threads, 2);
  });
});
