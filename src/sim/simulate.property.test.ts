import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Fleet, Pool } from "../pool/index.ts";
import type { SimulatedRequest } from "./outcome.ts";
import { simulate } from "./simulate.ts";

const gigabyte = 1e9;

const fleets = fc
  .record({
    devices: fc.array(fc.integer({ min: 12, max: 40 }), { minLength: 1, maxLength: 4 }),
    models: fc.array(
      fc.record({
        weights: fc.integer({ min: 2, max: 30 }),
        kv: fc.constantFrom(0, 1e4, 1e5, 8e5),
        sequencesMax: fc.constantFrom(1, 3, 1_000),
        keepWarmMs: fc.constantFrom(0, 5_000),
        isPinned: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
      }),
      {
        minLength: 1,
        maxLength: 10,
        size: "max",
      },
    ),
    link: fc.constantFrom(2e6, 16e6),
    keepsKv: fc.boolean(),
  })
  .map(({ devices, models, link, keepsKv }): Fleet => {
    return {
      devices: devices.map((memory, index) => {
        return { id: `d${index}`, type: "t", memoryBytes: memory * gigabyte, linkBytesPerMs: link, keepsKv };
      }),
      models: models.map(({ weights, kv, ...rest }, index) => {
        return {
          ...rest,
          id: `m${index}`,
          weightsBytes: weights * gigabyte,
          kvBytesPerToken: kv,
          contextTokens: 8_192,
        };
      }),
      speed: (model) => ({
        prefillFixedMs: 5,
        prefillTokenMs: 0.05,
        prefillTokenSquaredMs: 1e-6,
        decodeFixedMs: 8,
        decodeSequenceMs: 0.1,
        decodeContextTokenMs: 1e-5,
        loadMs: model.weightsBytes / link,
      }),
    };
  });

const arrivals = fc.array(
  fc.record({
    afterMs: fc.nat(2_000),
    model: fc.nat(9),
    tenant: fc.nat(2),
    inputTokens: fc.integer({ min: 1, max: 6_000 }),
    outputTokens: fc.integer({ min: 1, max: 800 }),
    objective: fc.constantFrom({ ttftMs: 500, tpotMs: 20 }, { ttftMs: 10_000, tpotMs: 100 }),
  }),
  { minLength: 10, maxLength: 150, size: "max" },
);

test("on any fleet, whatever comes: nothing impossible, nobody forgotten, the same again for the same", () => {
  fc.assert(
    fc.property(fleets, arrivals, (fleet, wanted) => {
      let atMs = 0;
      const requests = wanted.map(({ afterMs, model, tenant, ...rest }, index): SimulatedRequest => {
        atMs += afterMs;
        const id = `m${model % fleet.models.length}`;
        return { ...rest, id: `r${index}`, atMs, model: id, tenant: `t${tenant}`, maxOutputTokens: 1_000 };
      });
      const first = simulate(fleet, new Pool(fleet), requests);
      assert.equal(first.outcomes.length, requests.length);
      const again = simulate(fleet, new Pool(fleet), requests);
      assert.deepEqual(again.totals, first.totals);
      assert.deepEqual(
        again.outcomes.map(({ lastTokenMs }) => lastTokenMs),
        first.outcomes.map(({ lastTokenMs }) => lastTokenMs),
      );
    }),
    { numRuns: 100 },
  );
});
