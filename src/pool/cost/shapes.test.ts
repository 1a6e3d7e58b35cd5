import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  countedParameters,
  decodeFlop,
  kvBytesPerToken,
  layerFlop,
  type ModelShape,
  readBytes,
  weightsBytes,
} from "./shape.ts";
import { findShape, modelShapes, sameSizes } from "./shapes.ts";

function shapeOf(id: string): ModelShape {
  const found = findShape(id);
  assert.ok(found.known, `${id} is not known`);
  return found.shape;
}

describe("model shapes", () => {
  it("have as many parameters as their sizes make", () => {
    for (const shape of modelShapes) {
      const counted = countedParameters(shape);
      // Norms and biases are in the published number only.
      const missing = 1 - counted.all / shape.parameters;
      assert.ok(missing >= 0 && missing < 1e-3, `${shape.id}: ${counted.all} counted, ${shape.parameters} published`);
      const missingActive = Math.abs(1 - counted.active / shape.activeParameters);
      assert.ok(missingActive < 1e-3, `${shape.id}: ${counted.active} of ${shape.activeParameters} active`);
    }
  });

  it("have ids of their own, in lower case", () => {
    assert.equal(new Set(modelShapes.map(({ id }) => id)).size, modelShapes.length);
    for (const { id } of modelShapes) assert.equal(id, id.toLowerCase());
  });

  it("give bytes in bf16", () => {
    // 2 x 28 layers x 4 heads x 128 numbers x 2 bytes, and 2 x 40 x 40 x 128 x 2.
    assert.equal(kvBytesPerToken(shapeOf("qwen2.5-7b")), 57_344);
    assert.equal(kvBytesPerToken(shapeOf("llama2-13b")), 819_200);
    assert.equal(weightsBytes(shapeOf("qwen2.5-7b")), 15_231_233_024);
  });

  it("read everything but the embedding in a step, and of experts those that are needed", () => {
    const dense = shapeOf("qwen2.5-7b");
    assert.equal(readBytes(dense, 1), readBytes(dense, 100));
    assert.equal(readBytes(dense, 1), weightsBytes(dense) - 152_064 * 3584 * 2);
    const tied = shapeOf("smollm2-135m");
    assert.equal(readBytes(tied, 1), weightsBytes(tied));
    const mixture = shapeOf("qwen3-30b-a3b");
    assert.ok(readBytes(mixture, 1) < 8e9);
    assert.ok(readBytes(mixture, 8) > 2 * readBytes(mixture, 1));
    assert.ok(readBytes(mixture, 1000) > 0.98 * weightsBytes(mixture));
  });

  it("compute with the active parameters", () => {
    const mixture = shapeOf("qwen3-30b-a3b");
    assert.ok(layerFlop(mixture) < 2 * mixture.activeParameters);
    assert.ok(decodeFlop(mixture) > layerFlop(mixture));
  });

  it("are found in any case, and an unknown one has the nearest beside it", () => {
    assert.equal(shapeOf("Qwen2.5-7B").id, "qwen2.5-7b");
    assert.deepEqual(findShape("qwen2.5-8b"), { known: false, nearest: "qwen2.5-7b" });
    assert.deepEqual(findShape("smollm2-135m-instruct"), { known: false, nearest: "smollm2-135m" });
    assert.deepEqual(findShape("#"), { known: false, nearest: undefined });
  });

  it("are the same for a model and its tunings", () => {
    const base = shapeOf("qwen2.5-7b");
    assert.ok(sameSizes(base, { ...base, id: "qwen2.5-7b-instruct", contextTokens: 8192 }));
    assert.ok(!sameSizes(base, shapeOf("qwen2.5-14b")));
    assert.ok(!sameSizes(shapeOf("llama2-7b"), shapeOf("baichuan-7b")), "one has twice the vocabulary");
  });
});
