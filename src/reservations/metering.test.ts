import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseAmount } from "../base/index.ts";
import { type Agreed, meteredHours } from "./metering.ts";

const hourMs = 3_600_000;

const reservation: fc.Arbitrary<Agreed> = fc
  .record({
    fromMs: fc.nat(1e9),
    durationMs: fc.integer({ min: 1, max: 1e9 }),
    endedMs: fc.option(fc.integer({ min: -1e8, max: 2e9 }), { nil: undefined }),
  })
  .map(({ fromMs, durationMs, endedMs }) => ({
    fromMs,
    untilMs: fromMs + durationMs,
    ...(endedMs === undefined ? {} : { endedAtMs: fromMs + endedMs }),
  }));

test("hours over periods that follow one another add up to the whole, to the last decimal (property)", () => {
  const cuts = fc.array(fc.integer({ min: -1e8, max: 2.2e9 }), { minLength: 2, maxLength: 20 });
  fc.assert(
    fc.property(reservation, cuts, (held, moments) => {
      const sorted = moments.toSorted((a, b) => a - b);
      const parts = sorted
        .slice(1)
        .map((untilMs, index) => parseAmount(meteredHours(held, { fromMs: sorted[index]!, untilMs }))!);
      const whole = parseAmount(meteredHours(held, { fromMs: sorted[0]!, untilMs: sorted.at(-1)! }))!;
      assert.ok(parts.every((part) => part >= 0n));
      assert.equal(
        parts.reduce((sum, part) => sum + part, 0n),
        whole,
      );
    }),
  );
});

test("hours are those between, to less than a millionth (property)", () => {
  fc.assert(
    fc.property(reservation, fc.nat(2e9), fc.nat(2e9), (held, fromMs, durationMs) => {
      const untilMs = fromMs + durationMs;
      const endMs = Math.min(held.untilMs, held.endedAtMs ?? Infinity, untilMs);
      const expected = Math.max(0, endMs - Math.max(held.fromMs, fromMs)) / hourMs;
      const text = meteredHours(held, { fromMs, untilMs });
      assert.match(text, /^\d+(\.\d{1,6})?$/);
      assert.ok(Math.abs(Number(text) - expected) < 1.001e-6, `${text} ${expected}`);
    }),
  );
});

test("hours are clipped to the period, and an end before the time stops them", () => {
  const held = { fromMs: 10 * hourMs, untilMs: 34 * hourMs };
  const day = (index: number) => ({ fromMs: index * 24 * hourMs, untilMs: (index + 1) * 24 * hourMs });
  assert.deepEqual(
    [0, 1, 2].map((index) => meteredHours(held, day(index))),
    ["14", "10", "0"],
  );
  assert.equal(meteredHours({ ...held, endedAtMs: 11.5 * hourMs }, day(0)), "1.5");
  assert.equal(meteredHours({ ...held, endedAtMs: 9 * hourMs }, day(0)), "0", "ended before it began");
  assert.equal(meteredHours({ fromMs: 0, untilMs: 1 }, day(0)), "0");
  assert.equal(meteredHours({ fromMs: 0, untilMs: 4 }, day(0)), "0.000001");
});
