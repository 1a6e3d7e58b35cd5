import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Held, shutOuts } from "./shut-out.ts";

const serving = {
  devices: [
    { name: "A", models: ["shared", "only-a", "up"] },
    { name: "B", models: ["shared"] },
  ],
  elsewhere: new Set(["up"]),
};
const hold = (device: string, holder: string, fromMs: number, untilMs: number): Held => ({
  device,
  holder: `prj_${holder}`,
  fromMs,
  untilMs,
});

test("who has the last device of a model shuts the others out of it, unless it can be had elsewhere", () => {
  const period = { fromMs: 10, untilMs: 20 };
  assert.deepEqual(shutOuts(period, [], serving), []);
  assert.deepEqual(shutOuts(period, [hold("B", "x", 0, 100)], serving), []);
  assert.deepEqual(shutOuts(period, [hold("A", "x", 10, 20)], serving), [
    { ...period, models: ["only-a"], holders: ["prj_x"] },
  ]);
  assert.deepEqual(shutOuts(period, [hold("A", "x", 10, 20), hold("B", "y", 14, 16)], serving), [
    { fromMs: 10, untilMs: 14, models: ["only-a"], holders: ["prj_x"] },
    { fromMs: 14, untilMs: 16, models: ["only-a", "shared"], holders: ["prj_x", "prj_y"] },
    { fromMs: 16, untilMs: 20, models: ["only-a"], holders: ["prj_x"] },
  ]);
  const inTurn = [hold("A", "x", 0, 15), hold("A", "x", 15, 30)];
  assert.deepEqual(shutOuts(period, inTurn, serving), [{ ...period, models: ["only-a"], holders: ["prj_x"] }]);
});

test("at each moment it is told of just those models that have no device open (property)", () => {
  const held = fc
    .record({
      device: fc.constantFrom("A", "B"),
      holder: fc.constantFrom("x", "y"),
      fromMs: fc.nat(20),
      lengthMs: fc.integer({ min: 1, max: 8 }),
    })
    .map(({ device, holder, fromMs, lengthMs }) => hold(device, holder, fromMs, fromMs + lengthMs));
  fc.assert(
    fc.property(
      fc.array(held, { maxLength: 6 }),
      fc.nat(20),
      fc.integer({ min: 1, max: 10 }),
      (all, fromMs, lengthMs) => {
        const times = shutOuts({ fromMs, untilMs: fromMs + lengthMs }, all, serving);
        for (let atMs = fromMs; atMs < fromMs + lengthMs; atMs++) {
          const taken = new Set(
            all.filter((each) => each.fromMs <= atMs && atMs < each.untilMs).map(({ device }) => device),
          );
          const isShut = (model: string): boolean =>
            serving.devices.every(({ name, models }) => taken.has(name) || !models.includes(model));
          const told = times
            .filter((time) => time.fromMs <= atMs && atMs < time.untilMs)
            .flatMap(({ models }) => models);
          assert.deepEqual(told, ["only-a", "shared"].filter(isShut));
        }
      },
    ),
  );
});
