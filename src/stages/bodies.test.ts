import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Ending,
  type GatewayId,
  type KeyId,
  type OrganisationId,
  type ProjectId,
  type ReceiptId,
  tiers,
} from "../base/index.ts";
import {
  type IntentBody,
  intentText,
  parseIntent,
  parseSettlement,
  type SettlementBody,
  settlementText,
} from "./bodies.ts";
import type { Placement } from "./placement.ts";

// Names come from settings and clients and may hold anything that is whole Unicode; ids, digests and words are ours.
const name = fc.string({ unit: "grapheme", maxLength: 12 });
const count = fc.maxSafeNat();
const orNull = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(value);
const id = <Type extends string>(prefix: string): fc.Arbitrary<Type> =>
  fc.stringMatching(/^[0-9A-Z]{26}$/).map((body) => `${prefix}_${body}` as Type);
const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
const decimal = fc.tuple(fc.nat(), fc.nat()).map(([whole, fraction]) => `${whole}.${fraction}`);
const price = fc.record({
  version: name,
  currency: fc.constant("EUR"),
  input: decimal,
  cachedInput: decimal,
  output: decimal,
  reasoning: decimal,
});
const usage = fc.record({ inputTokens: count, cachedInputTokens: count, outputTokens: count, reasoningTokens: count });
const tier = fc.constantFrom(...tiers, null);
const objective = orNull(fc.record({ ttftMs: count, tpotMs: count }));
const common = {
  v: fc.constant(1 as const),
  organisation: id<OrganisationId>("org"),
  project: id<ProjectId>("prj"),
  key: id<KeyId>("key"),
  endpoint: fc.constantFrom("chat.completions", "messages"),
  model: name,
};

const placement: fc.Arbitrary<Placement> = fc.record({
  question: fc.record({
    action: fc.constant("infer" as const),
    project: fc.record({ id: name, dataClass: name, processing: fc.array(name, { maxLength: 2 }) }),
    model: name,
  }),
  candidates: fc.array(
    fc.record({ kind: fc.constant("host" as const), name, site: fc.record({ name, jurisdiction: name }) }),
    { maxLength: 2 },
  ),
});

const intents: fc.Arbitrary<IntentBody> = fc.record({
  ...common,
  receivedAtMs: count,
  stream: fc.boolean(),
  tier,
  objective,
  destination: fc.record({ kind: fc.constantFrom("host" as const, "upstream" as const), name }),
  site: fc.record({ name, jurisdiction: orNull(name), operator: orNull(name) }),
  gatewaySite: orNull(fc.record({ name, jurisdiction: orNull(name), operator: orNull(name) })),
  engine: fc.record({ name, build: name }),
  sha256: orNull(hex),
  policy: fc.record({
    digest: hex,
    version: orNull(name),
    epoch: count,
    dataClass: name,
    processing: fc.array(name, { maxLength: 3 }),
    rejected: fc.array(fc.record({ name, reason: name }), { maxLength: 3 }),
    evidence: fc.constantFrom("measured" as const, null),
    narrowing: orNull(fc.dictionary(name, orNull(name), { maxKeys: 2, noNullPrototype: true })),
    placement: orNull(placement),
  }),
  price: orNull(price),
  bound: fc.record({ inputTokens: count, outputTokens: count }),
  request: fc.record({ digestKey: id<string>("dgk"), digest: hex, bytes: count, meaning: orNull(hex) }),
});

const settlements: fc.Arbitrary<SettlementBody> = fc.record({
  ...common,
  gateway: id<GatewayId>("gw"),
  receipt: id<ReceiptId>("rcpt"),
  site: name,
  startedAtMs: count,
  endedAtMs: count,
  ending: fc.constantFrom<Ending[]>("stop", "length", "tool", "abort", "error"),
  usage: orNull(usage),
  unrated: orNull(name),
  upperBoundTokens: orNull(count),
  amountBound: orNull(decimal),
  listAmount: orNull(decimal),
  currency: orNull(fc.constant("EUR")),
  priceVersion: orNull(name),
  tier,
  objective,
  decision: hex,
  destination: name,
  placement: orNull(placement),
});

test("what the journal gets of an intent and a settlement is their JSON, on one line", () => {
  fc.assert(
    fc.property(intents, settlements, (intent, settlement) => {
      assert.deepEqual(parseIntent(intentText(intent)), JSON.parse(JSON.stringify(intent)));
      assert.deepEqual(parseSettlement(settlementText(settlement)), JSON.parse(JSON.stringify(settlement)));
      assert.doesNotMatch(intentText(intent) + settlementText(settlement), /\n/);
    }),
  );
});

test("an intent of a release without tiers is read as one whose tier nobody noted", () => {
  fc.assert(
    fc.property(intents, (intent) => {
      const { tier: _, ...earlier } = JSON.parse(intentText(intent)) as IntentBody;
      assert.deepEqual(parseIntent(JSON.stringify(earlier)), { ...earlier, tier: null });
    }),
  );
});

test("an intent of a release that noted no objectives is read as one without", () => {
  fc.assert(
    fc.property(intents, (intent) => {
      const { objective: _, ...earlier } = JSON.parse(intentText(intent)) as IntentBody;
      assert.deepEqual(parseIntent(JSON.stringify(earlier)), { ...earlier, objective: null });
    }),
  );
});

test("a settlement of a release that noted no tier is read as one whose tier nobody knows", () => {
  fc.assert(
    fc.property(settlements, (settlement) => {
      const { tier: _, objective: __, ...earlier } = JSON.parse(settlementText(settlement)) as SettlementBody;
      assert.deepEqual(parseSettlement(JSON.stringify(earlier)), { ...earlier, tier: null, objective: null });
    }),
  );
});

test("an intent of a release that kept no question is read as one that cannot be replayed", () => {
  fc.assert(
    fc.property(intents, (intent) => {
      const earlier = JSON.parse(intentText(intent)) as { policy: { placement?: unknown } };
      delete earlier.policy.placement;
      assert.equal(parseIntent(JSON.stringify(earlier)).policy.placement, null);
    }),
  );
});

test("docs/reference/journal.md names what an intent says", () => {
  const reference = readFileSync(new URL("../../docs/reference/journal.md", import.meta.url), "utf8");
  const section = reference.split("\n## ").find((text) => text.startsWith("What an intent says"))!;
  const named = [...section.matchAll(/^\| `(\w+)` /gm)].map((row) => row[1]!);
  const [intent] = fc.sample(intents, 1);
  assert.deepEqual(named, Object.keys(JSON.parse(intentText(intent!)) as object));
});
