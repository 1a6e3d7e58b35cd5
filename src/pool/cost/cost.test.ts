import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { prefillMs, stepMs } from "../speed.ts";
import { calibrations, rooflineFactors } from "./calibration.ts";
import { fits, speedOf } from "./cost.ts";
import { type DeviceType, deviceTypes, findDevice } from "./devices.ts";
import { rooflineSpeed } from "./roofline.ts";
import { fitRoofline, leaveOut, type MeasuredPair } from "./roofline-fit.ts";
import { type ModelShape, weightsBytes } from "./shape.ts";
import { findShape, modelShapes } from "./shapes.ts";
import { quantile } from "./fit.ts";

function shapeOf(id: string): ModelShape {
  const found = findShape(id);
  assert.ok(found.known, `${id} is not known`);
  return found.shape;
}

function deviceOf(id: string): DeviceType {
  const found = findDevice(id);
  assert.ok(found.known, `${id} is not known`);
  return found.device;
}

function measuredPairs(): readonly MeasuredPair[] {
  return calibrations.map(({ model, device, prefill, decode }) => ({
    shape: shapeOf(model),
    device: deviceOf(device),
    prefill,
    decode,
  }));
}

interface Check {
  readonly model: string;
  readonly device: string;
  readonly prefill: { readonly fixedMs: number; readonly tokenMs: number };
  readonly decode: { readonly fixedMs: number; readonly sequenceUs: number };
}

/** What another fit of the same measurements says, which the cost model is held against. */
const checks: readonly Check[] = [
  check("qwen2.5-7b", "a10", [7, 0.218], [32.5, 255]),
  check("qwen2.5-7b", "a100", [7, 0.059], [12.1, 135]),
  check("qwen2.5-7b", "h20", [10, 0.099], [11.2, 188]),
  check("qwen2.5-7b", "h800", [6, 0.022], [8.3, 103]),
  check("qwen2.5-7b", "h100", [6, 0.021], [9.2, 68]),
  check("llama2-13b", "a100", [16, 0.12], [19.7, 242]),
  check("llama2-13b", "h20", [18, 0.191], [20, 389]),
  check("llama2-13b", "h100", [7, 0.041], [12.6, 107]),
];

function check(
  model: string,
  device: string,
  [fixedMs, tokenMs]: readonly [number, number],
  [decodeFixedMs, sequenceUs]: readonly [number, number],
): Check {
  return { model, device, prefill: { fixedMs, tokenMs }, decode: { fixedMs: decodeFixedMs, sequenceUs } };
}

/** Where the measurements are on the cost model's side: medians of the source, at a batch of 30 and of 1. */
const measuredOtherwise: readonly { readonly at: string; readonly measuredMs: number }[] = [
  { at: "qwen2.5-7b h20 32", measuredMs: 13.04 },
  { at: "llama2-13b h20 1", measuredMs: 22.94 },
];

describe("the cost of a calibrated pair", () => {
  for (const { model, device, prefill, decode } of checks) {
    const { speed, basis } = speedOf(shapeOf(model), deviceOf(device));

    it(`${model} on ${device}: a prompt takes what it should`, () => {
      assert.equal(basis, "calibrated");
      for (const tokens of [512, 2048]) {
        const wanted = prefill.fixedMs + prefill.tokenMs * tokens;
        const error = prefillMs(speed, tokens) / wanted - 1;
        assert.ok(Math.abs(error) < 0.1, `${tokens} tokens: ${error}`);
      }
    });

    it(`${model} on ${device}: a step takes what it should`, () => {
      for (const batch of [1, 8, 32]) {
        // The other fit has no context of its own; the measurements have about a thousand tokens together.
        const ms = stepMs(speed, batch, 1024);
        const wanted = decode.fixedMs + (decode.sequenceUs * batch) / 1000;
        const otherwise = measuredOtherwise.find(({ at }) => at === `${model} ${device} ${batch}`);
        if (otherwise === undefined) assert.ok(Math.abs(ms / wanted - 1) < 0.1, `${batch}: ${ms / wanted - 1}`);
        else
          assert.ok(Math.abs(ms - otherwise.measuredMs) < Math.abs(wanted - otherwise.measuredMs), `${batch}: ${ms}`);
      }
    });
  }

  it("is that of its tunings too", () => {
    const base = shapeOf("qwen2.5-7b");
    const tuned = { ...base, id: "qwen2.5-7b-instruct" };
    assert.deepEqual(speedOf(tuned, deviceOf("h100")), speedOf(base, deviceOf("h100")));
  });
});

describe("any cost", () => {
  const costs = modelShapes.flatMap((shape) =>
    deviceTypes.map((device) => ({ shape, device, speed: speedOf(shape, device).speed })),
  );

  it("is positive", () => {
    for (const { shape, device, speed } of costs) {
      for (const [name, ms] of Object.entries(speed)) {
        assert.ok(Number.isFinite(ms) && ms > 0, `${shape.id} ${device.id} ${name}: ${ms}`);
      }
    }
  });

  it("grows with tokens, sequences and context", () => {
    for (const { shape, device, speed } of costs) {
      const name = `${shape.id} ${device.id}`;
      assert.ok(prefillMs(speed, 2048) > prefillMs(speed, 512), name);
      assert.ok(stepMs(speed, 8, 4096) > stepMs(speed, 1, 4096), name);
      assert.ok(stepMs(speed, 8, 8192) > stepMs(speed, 8, 4096), name);
    }
  });

  it("is never less than what the data sheets allow", () => {
    for (const { shape, device, speed } of costs.filter(({ shape }) => shape.experts === undefined)) {
      const name = `${shape.id} ${device.id}`;
      const embedding = shape.isTied ? 0 : shape.vocabularySize * shape.hiddenSize;
      const readMs = ((shape.parameters - embedding) * 2) / (device.bandwidthTBps * 1e9);
      assert.ok(stepMs(speed, 1, 1) > readMs, `${name} reads its weights`);
      const layers = shape.parameters - (shape.isTied ? 1 : 2) * shape.vocabularySize * shape.hiddenSize;
      assert.ok(prefillMs(speed, 2048) > (2 * layers * 2048) / (device.bf16Tflops * 1e9), `${name} computes`);
    }
  });

  it("loads as fast as the link", () => {
    const shape = shapeOf("llama2-13b");
    const device = deviceOf("a100");
    assert.equal(speedOf(shape, device).speed.loadMs, weightsBytes(shape) / 32e6);
    assert.equal(speedOf(shape, device, { linkGBps: 25 }).speed.loadMs, weightsBytes(shape) / 25e6);
  });
});

describe("the roofline", () => {
  it("has the factors that the calibrations give", () => {
    // The script fits before it rounds.
    for (const [name, factor] of Object.entries(fitRoofline(measuredPairs()))) {
      const written = rooflineFactors[name as keyof typeof rooflineFactors];
      assert.ok(Math.abs(factor / written - 1) < 0.01, `${name}: ${factor} and ${written}`);
    }
  });

  it("is as close to what it has not seen as the docs say", () => {
    const dense = measuredPairs().filter(({ shape }) => shape.experts === undefined);
    const byPair = leaveOut(dense, (one, other) => one === other).map(({ error }) => Math.abs(error));
    const byDevice = leaveOut(dense, (one, other) => one.device === other.device).map(({ error }) => Math.abs(error));
    assert.ok(quantile(byPair, 0.5) < 0.07, `${quantile(byPair, 0.5)}`);
    assert.ok(quantile(byDevice, 0.5) < 0.11, `${quantile(byDevice, 0.5)}`);
    assert.ok(Math.max(...byPair, ...byDevice) < 0.5, `${Math.max(...byPair, ...byDevice)}`);
  });

  it("makes a better device faster and a larger model slower", () => {
    const steps = ["l4", "l20", "h100", "h200"].map((device) => {
      const speed = rooflineSpeed(shapeOf("llama3.1-8b"), deviceOf(device), rooflineFactors);
      return stepMs({ ...speed, loadMs: 0 }, 8, 4096);
    });
    assert.deepEqual(
      steps,
      steps.toSorted((one, other) => other - one),
    );
    const models = ["smollm2-135m", "qwen3-0.6b", "qwen3-8b", "qwen2.5-14b", "qwen2.5-72b"].map((model) => {
      const speed = rooflineSpeed(shapeOf(model), deviceOf("h200"), rooflineFactors);
      return prefillMs({ ...speed, loadMs: 0 }, 1024);
    });
    assert.deepEqual(
      models,
      models.toSorted((one, other) => one - other),
    );
  });
});

describe("what fits", () => {
  it("leaves a tenth of the memory", () => {
    assert.ok(fits(shapeOf("qwen2.5-7b"), deviceOf("a10")));
    assert.ok(!fits(shapeOf("llama2-13b"), deviceOf("a10")), "26 GB into 24 GiB");
    assert.ok(!fits(shapeOf("llama3.1-70b"), deviceOf("h100")));
    assert.ok(fits(shapeOf("llama3.1-70b"), deviceOf("mi300x")));
  });

  it("counts the context", () => {
    const shape = shapeOf("qwen2.5-7b");
    const device = deviceOf("a10");
    assert.ok(fits(shape, device, 100_000));
    assert.ok(!fits(shape, device, 200_000));
  });
});
