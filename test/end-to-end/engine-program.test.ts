import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { defaultModel } from "../../src/catalog/index.ts";
import { llamaProgram } from "../contract/llama-program.ts";
import { testModel } from "../models.ts";
import { ask, usageIn } from "./asking.ts";
import { alive, descendants, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";
import { receiptOf } from "./receipt.ts";

/** What an operator has who names a program as this machine's engine: here llama.cpp's own server. */
const program = await llamaProgram("{socket}");

describe("a program of the operator's as the engine", { skip: program === undefined && "no llama.cpp server" }, () => {
  const folder = temporaryFolder();
  let cloud: RunningCloud;
  let key: string;
  let sha256: string;

  before(async () => {
    const { path, sha256: digest } = await testModel();
    sha256 = digest;
    const settings = {
      engine: { kind: "server", gpu: "off", threads: 1, sequences: 2, contextTokens: 1_024, server: program },
      // The file that tests share, so that nothing is downloaded.
      models: { serve: [defaultModel], folder: join(path, "..", "..") },
      site: { jurisdiction: "DE" },
    };
    const data = join(folder.path, "data");
    cloud = await startCloud({ data, settings: JSON.stringify(settings), readyWithinMs: 120_000 });
    key = await cloud.newKey();
  });
  after(async () => {
    await cloud?.kill();
    folder.remove();
  });

  for (const stream of [false, true]) {
    test(`answers ${stream ? "as a stream" : "whole"}, with a receipt that names it and the model's digest`, async () => {
      const seen = await ask({ url: cloud.url, key, stream, more: { model: defaultModel, max_tokens: 8 } });
      assert.equal(seen.status, 200, seen.text);
      const statement = await receiptOf(cloud, key, seen);
      assert.equal(statement.engine.name, "server");
      assert.match(statement.engine.build, /^llama\.cpp \S+/);
      assert.deepEqual(statement.model, { name: defaultModel, sha256, adapter: null });
      assert.equal(statement.usage?.inputTokens, usageIn(seen)?.prompt_tokens);
      assert.equal(statement.usage?.outputTokens, usageIn(seen)?.completion_tokens);
      assert.ok((statement.usage?.inputTokens ?? 0) > 0 && statement.usage?.outputTokens === 8);
    });
  }

  test("a stop ends the program, too", async () => {
    const below = await descendants(cloud.process.pid!);
    assert.ok(below.length >= 3, "the host, the program's supervisor and the program");
    assert.equal(await cloud.stop(), 0);
    assert.deepEqual(below.filter(alive), []);
  });
});
