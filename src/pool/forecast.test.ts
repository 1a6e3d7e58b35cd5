import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Forecast } from "./forecast.ts";
import type { PoolRequest } from "./types.ts";

const leadMs = 5_000;
const minuteMs = 60_000;

function asked(model: string): PoolRequest {
  const objective = { ttftMs: 1_000, tpotMs: 50 };
  return { id: "r", model, tenant: "t", objective, inputTokens: 1, maxOutputTokens: 1 };
}

function after(timesMs: readonly number[], leadOf: () => number | undefined = () => leadMs): Forecast {
  const forecast = new Forecast();
  for (const timeMs of timesMs) forecast.arrived(asked("m"), timeMs, leadOf);
  return forecast;
}

const due = (forecast: Forecast, nowMs: number): string[] => [...forecast.due(nowMs)].map(({ model }) => model);

test("who began four times at the same distance is expected at the next, in time for the copy, and not for ever", () => {
  const hourly = [0, 1, 2, 3].map((hour) => hour * 60 * minuteMs);
  const forecast = after(hourly);
  const nextMs = 240 * minuteMs;
  assert.equal(forecast.nextMs(hourly.at(-1)!), nextMs - leadMs);
  assert.deepEqual(due(forecast, nextMs - leadMs - 1), []);
  assert.deepEqual(due(forecast, nextMs - leadMs), ["m"]);
  assert.deepEqual(due(forecast, nextMs), ["m"]);
  const overMs = forecast.nextMs(nextMs);
  assert.equal(overMs, nextMs + minuteMs + 1);
  assert.deepEqual(due(forecast, overMs), []);
  assert.equal(forecast.nextMs(overMs), Infinity, "one that did not come says that it was no schedule");
});

test("what differs a little begins so much earlier, and what is asked in between belongs to the one before", () => {
  const times = [0, 20_000, 300_000, 310_000, 604_000, 620_000, 900_000];
  const forecast = after(times);
  assert.equal(forecast.nextMs(900_000), 1_200_000 - (304_000 - 296_000) - leadMs);
});

test("three times, other distances, more than a week apart, or a copy that takes no time: nobody is expected", () => {
  const weekMs = 7 * 24 * 60 * minuteMs;
  assert.equal(after([0, 300_000, 600_000]).nextMs(0), Infinity);
  assert.equal(after([0, 300_000, 600_000, 940_000]).nextMs(0), Infinity);
  assert.equal(after([0, 1.1, 2.2, 3.3].map((weeks) => weeks * weekMs)).nextMs(0), Infinity);
  assert.equal(after([0, 300_000, 600_000, 900_000], () => undefined).nextMs(0), Infinity);
});

test("whoever comes is expected no longer, until the next", () => {
  const forecast = after([0, 1, 2, 3, 4].map((turn) => turn * 300_000));
  assert.deepEqual(due(forecast, 1_200_000), []);
  assert.deepEqual(due(forecast, 1_500_000), ["m"]);
});

test("any schedule is found, whatever happens at each of its times (property)", () => {
  const burst = fc.array(fc.nat({ max: 20_000 }), { maxLength: 8 });
  const schedule = fc.record({
    everyMs: fc.integer({ min: 90_000, max: 86_400_000 }),
    fromMs: fc.nat(),
    bursts: fc.array(burst, { minLength: 4, maxLength: 9 }),
  });
  fc.assert(
    fc.property(schedule, ({ everyMs, fromMs, bursts }) => {
      const times = bursts.flatMap((offsets, turn) => [0, ...offsets].map((ms) => fromMs + turn * everyMs + ms));
      const forecast = after(times.sort((a, b) => a - b));
      const nextMs = fromMs + bursts.length * everyMs;
      assert.deepEqual(due(forecast, nextMs), ["m"]);
      assert.ok(Math.abs(forecast.nextMs(times.at(-1)!) - (nextMs - leadMs)) <= 1);
    }),
  );
});
