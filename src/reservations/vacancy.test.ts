import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { freeFrom, peakOf, type Shared } from "./vacancy.ts";

const overlap = (a: { fromMs: number; untilMs: number }, b: { fromMs: number; untilMs: number }): boolean =>
  Math.max(a.fromMs, b.fromMs) < Math.min(a.untilMs, b.untilMs);

const shared: fc.Arbitrary<Shared> = fc
  .record({ fromMs: fc.nat(30), lengthMs: fc.integer({ min: 1, max: 10 }), tenths: fc.integer({ min: 1, max: 9 }) })
  .map(({ fromMs, lengthMs, tenths }) => ({ fromMs, untilMs: fromMs + lengthMs, share: tenths / 10 }));

test("a device is free from the first moment at which nobody has it for so long (property)", () => {
  fc.assert(
    fc.property(
      fc.array(shared, { maxLength: 8 }),
      fc.nat(30),
      fc.integer({ min: 1, max: 10 }),
      (taken, from, length) => {
        let expected = from;
        while (taken.some((other) => overlap(other, { fromMs: expected, untilMs: expected + length }))) expected++;
        assert.equal(freeFrom(taken, from, length), expected);
      },
    ),
  );
});

test("the peak is the most that is reserved at a moment of the period (property)", () => {
  fc.assert(
    fc.property(fc.array(shared, { maxLength: 8 }), shared, (holders, period) => {
      const sums = Array.from({ length: period.untilMs - period.fromMs }, (_, index) => {
        const moment = { fromMs: period.fromMs + index, untilMs: period.fromMs + index + 1 };
        const tenths = holders
          .filter((holder) => overlap(holder, moment))
          .reduce((sum, { share }) => sum + Math.round(share * 10), 0);
        return { atMs: moment.fromMs, share: tenths / 10 };
      });
      const most = sums.reduce((a, b) => (b.share > a.share ? b : a));
      const { atMs, share } = peakOf(holders, period);
      assert.deepEqual({ atMs, share }, most);
    }),
  );
});
