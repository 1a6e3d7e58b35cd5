import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  add,
  compare,
  decimalText,
  type Fraction,
  fraction,
  none,
  parseFraction,
  subtract,
  total,
} from "../book/fraction.ts";
import { balanceAt, draw, expire, type Grant } from "./grant.ts";
import { recognised } from "./recognition.ts";

const of = (text: string): Fraction => parseFraction(text)!;

function grant(credits: string, more: Partial<Grant> = {}): Grant {
  return {
    grant: "a",
    credits: of(credits),
    left: of(credits),
    lapsed: none,
    paid: of(credits),
    priority: 0,
    fromMs: 0,
    expiresMs: undefined,
    rollover: undefined,
    breakage: none,
    ...more,
  };
}

function texts({ ofUse, ofBreakage, liability }: ReturnType<typeof recognised>): readonly string[] {
  return [ofUse, ofBreakage, liability].map(decimalText);
}

test("the golden wallet: 10,000.00 buys 11,000 credits, and 4,180 of them are used", () => {
  const bought = grant("11000", { paid: of("10000") });
  const [expecting] = draw([{ ...bought, breakage: of("0.05") }], of("4180"), 1).grants;
  const { ofUse, ofBreakage, liability } = recognised(expecting!);
  assert.equal(decimalText(add(ofUse, ofBreakage)), "4000");
  assert.deepEqual(texts({ ofUse, ofBreakage, liability }), ["3800", "200", "6000"]);
  const [plain] = draw([bought], of("4180"), 1).grants;
  assert.deepEqual(texts(recognised(plain!)), ["3800", "0", "6200"]);
});

test("what lapses is revenue of breakage, whether it was expected or not, and a grant that is over is revenue whole", () => {
  const bought = grant("100", { paid: of("50"), expiresMs: 10, breakage: of("0.1") });
  const [used] = draw([bought], of("45"), 1).grants;
  assert.deepEqual(texts(recognised(used!)), ["22.5", "2.5", "25"]);
  const [over] = expire([used!], 10).grants;
  assert.deepEqual(texts(recognised(over!)), ["22.5", "27.5", "0"]);
  const [untouched] = expire([bought], 10).grants;
  assert.deepEqual(texts(recognised(untouched!)), ["0", "50", "0"]);
  // More was used than was expected to be: everything is recognised at 90 credits, and nothing more after them.
  const [most] = draw([bought], of("95"), 1).grants;
  assert.deepEqual(texts(recognised(most!)), ["47.5", "2.5", "0"]);
});

test("lower priorities first, then what expires first, then paid ones, then the older", () => {
  const grants = [
    grant("1", { grant: "late", priority: 1, expiresMs: 100 }),
    grant("1", { grant: "never" }),
    grant("1", { grant: "soon", expiresMs: 100 }),
    grant("1", { grant: "gift", paid: none, expiresMs: 50 }),
    grant("1", { grant: "paid", expiresMs: 50 }),
    grant("1", { grant: "older", expiresMs: 50, fromMs: -1 }),
    grant("1", { grant: "not-yet", priority: -1, fromMs: 5 }),
    grant("1", { grant: "expired", priority: -1, expiresMs: 1 }),
  ];
  assert.equal(decimalText(balanceAt(grants, 1)), "6");
  const { drawn, missing } = draw(grants, of("7.5"), 1);
  assert.deepEqual(
    drawn.map(({ grant }) => grant),
    ["older", "paid", "gift", "soon", "never", "late"],
  );
  assert.equal(decimalText(missing), "1.5");
});

test("a rest rolls over once, as far as it may", () => {
  const grants = [grant("100", { expiresMs: 10, rollover: { most: of("30"), forMs: 10 } })];
  const first = expire(draw(grants, of("20"), 1).grants, 10);
  assert.deepEqual(
    first.lapsed.map(({ credits }) => decimalText(credits)),
    ["50"],
  );
  assert.equal(decimalText(balanceAt(first.grants, 19)), "30");
  assert.deepEqual(expire(first.grants, 19).lapsed, []);
  const second = expire(first.grants, 20);
  assert.deepEqual(
    second.lapsed.map(({ credits }) => decimalText(credits)),
    ["30"],
  );
  // Nobody looked in between: it comes to the same.
  assert.deepEqual(expire(draw(grants, of("20"), 1).grants, 20).grants, second.grants);
});

const step = fc.oneof(
  fc.record({ kind: fc.constant("draw" as const), credits: fc.integer({ min: 0, max: 500 }) }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 30 }) }),
);

const anyGrant = fc.record({
  credits: fc.integer({ min: 1, max: 300 }),
  paid: fc.integer({ min: 0, max: 300 }),
  priority: fc.integer({ min: 0, max: 2 }),
  fromMs: fc.integer({ min: 0, max: 20 }),
  expiresMs: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
  rollover: fc.option(
    fc.record({
      most: fc.integer({ min: 0, max: 100 }).map((most) => fraction(BigInt(most))),
      forMs: fc.integer({ min: 1, max: 30 }),
    }),
    { nil: undefined },
  ),
  breakage: fc.integer({ min: 0, max: 99 }).map((percent) => fraction(BigInt(percent), 100n)),
});

test("no credit is used twice or lost, no more is recognised than was paid, and what is recognised never goes back", () => {
  fc.assert(
    fc.property(fc.array(anyGrant, { maxLength: 6 }), fc.array(step, { maxLength: 30 }), (made, steps) => {
      let grants: readonly Grant[] = made.map(({ credits, paid, ...rest }, at) => ({
        ...grant(String(credits), rest),
        grant: String(at),
        paid: fraction(BigInt(paid)),
      }));
      let [nowMs, asked, missing, lapsed] = [0, none, none, none];
      let before = grants.map(() => none);
      for (const step of steps) {
        if (step.kind === "pass") {
          nowMs += step.ms;
          const ended = expire(grants, nowMs);
          grants = ended.grants;
          lapsed = add(lapsed, total(ended.lapsed.map(({ credits }) => credits)));
        } else {
          const taken = draw(grants, fraction(BigInt(step.credits)), nowMs);
          grants = taken.grants;
          [asked, missing] = [add(asked, fraction(BigInt(step.credits))), add(missing, taken.missing)];
        }
        const sum = (of: (grant: Grant) => Fraction): Fraction => total(grants.map(of));
        const gone = add(
          add(
            sum(({ left }) => left),
            lapsed,
          ),
          subtract(asked, missing),
        );
        assert.deepEqual(
          gone,
          sum(({ credits }) => credits),
        );
        const revenue = grants.map((each) => {
          const { ofUse, ofBreakage, liability } = recognised(each);
          for (const part of [ofUse, ofBreakage, liability, each.left]) assert.ok(compare(part, none) >= 0);
          assert.deepEqual(total([ofUse, ofBreakage, liability]), each.paid);
          return add(ofUse, ofBreakage);
        });
        revenue.forEach((now, at) => assert.ok(compare(now, before[at]!) >= 0));
        before = revenue;
      }
    }),
  );
});
