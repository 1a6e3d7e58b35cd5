import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Counts, type Market, priceOf, propose, type Wish } from "./market.ts";
import type { Template } from "./templates.ts";
import { offer, solverFor } from "./testing.ts";

const shares = fc.integer({ min: 1, max: 10 }).map((tenths) => tenths / 10);

/** Two offers, two groups, up to five templates. */
const markets = fc
  .record({
    prices: fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 })),
    available: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
    templates: fc.array(
      fc.record({
        offer: fc.nat(1),
        devices: fc.integer({ min: 1, max: 3 }),
        a: fc.option(shares, { nil: undefined }),
        b: fc.option(shares, { nil: undefined }),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  })
  .map(({ prices, available, templates }): Market => {
    const offers = [offer(`H100 ${prices[0]} x${available[0]}`), offer(`L40S ${prices[1]} x${available[1]}`)];
    return {
      offers,
      groups: ["a", "b"],
      templates: templates.map(({ offer, devices, a, b }): Template => {
        const cover = new Map(
          Object.entries({ a, b }).flatMap(([group, share]) => (share === undefined ? [] : [[group, share] as const])),
        );
        return { offer: offers[offer]!, devices, kind: "shared", groups: [...cover.keys()], cover };
      }),
    };
  });

const counts = fc.tuple(fc.nat(4), fc.nat(4));
const wishes = fc.record({
  cover: fc.constantFrom(0.5, 1, 1.35),
  tooSmall: fc.array(counts, { maxLength: 2 }),
  other: fc.option(counts, { nil: undefined }),
});

test("the solver's fleet is as cheap as the cheapest of all fleets", async (context) => {
  const solver = solverFor(context);
  await fc.assert(
    fc.asyncProperty(markets, wishes, async (market, wish) => {
      const proposal = await propose(market, wish, solver);
      const cheapest = bruteForce(market, wish);
      if (proposal === undefined || cheapest === undefined) assert.equal(proposal?.counts, cheapest);
      else {
        assert.ok(keeps(market, wish, proposal.counts), String(proposal.counts));
        assert.equal(priceOf(market, proposal.counts), priceOf(market, cheapest));
      }
    }),
    { numRuns: 60, seed: 7 },
  );
});

test("only what is cheaper than a known fleet is proposed where that is asked for", async (context) => {
  const solver = solverFor(context);
  const offers = [offer("H100 2.5"), offer("L40S 0.9")];
  const whole = (index: number, devices: number): Template => ({
    offer: offers[index]!,
    devices,
    kind: "dedicated",
    groups: ["a"],
    cover: new Map([["a", 1]]),
  });
  const market: Market = { offers, groups: ["a"], templates: [whole(0, 1), whole(1, 3)] };
  const first = await propose(market, { cover: 1, tooSmall: [] }, solver);
  assert.deepEqual(first?.counts, [1, 0]);
  assert.equal(await propose(market, { cover: 1, tooSmall: [], cheaperThan: [1, 0] }, solver), undefined);
  assert.deepEqual((await propose(market, { cover: 1, tooSmall: [[1, 0]] }, solver))?.counts, [0, 3]);
  assert.deepEqual((await propose(market, { cover: 1, tooSmall: [], other: [1, 0] }, solver))?.counts, [0, 3]);
});

/** Every fleet, and for each whether some templates that it has the devices for carry everything. */
function bruteForce(market: Market, wish: Wish): Counts | undefined {
  let best: Counts | undefined;
  for (let first = 0; first <= market.offers[0]!.availableMax!; first++) {
    for (let second = 0; second <= market.offers[1]!.availableMax!; second++) {
      const fleet = [first, second];
      if (best !== undefined && priceOf(market, fleet) >= priceOf(market, best)) continue;
      if (keeps(market, wish, fleet)) best = fleet;
    }
  }
  return best;
}

function keeps(market: Market, wish: Wish, fleet: Counts): boolean {
  if (wish.tooSmall.some((small) => fleet.every((count, index) => count <= small[index]!))) return false;
  if (wish.other !== undefined && fleet.every((count, index) => count >= wish.other![index]!)) return false;
  return carries(market, fleet, new Map(market.groups.map((group) => [group, wish.cover])), 0);
}

function carries(market: Market, devices: Counts, missing: ReadonlyMap<string, number>, from: number): boolean {
  if ([...missing.values()].every((share) => share <= 1e-6)) return true;
  for (let index = from; index < market.templates.length; index++) {
    const template = market.templates[index]!;
    const at = market.offers.indexOf(template.offer);
    if (template.cover.size === 0 || devices[at]! < template.devices) continue;
    const left = devices.map((count, each) => (each === at ? count - template.devices : count));
    const still = new Map([...missing].map(([group, share]) => [group, share - (template.cover.get(group) ?? 0)]));
    if (carries(market, left, still, index)) return true;
  }
  return false;
}
