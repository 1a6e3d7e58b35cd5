import assert from "node:assert/strict";
import { test } from "node:test";
import { type Tier, tiers } from "../../base/index.ts";
import { isServiceTier, servedTier, type ServiceTier, serviceTiers, tierOf } from "./service-tier.ts";

test("a request has its project's tier, and steps down with flex only", () => {
  const expected: Readonly<Record<ServiceTier | "nothing", Readonly<Record<Tier, Tier>>>> = {
    nothing: { interactive: "interactive", standard: "standard", batch: "batch" },
    auto: { interactive: "interactive", standard: "standard", batch: "batch" },
    default: { interactive: "interactive", standard: "standard", batch: "batch" },
    flex: { interactive: "batch", standard: "batch", batch: "batch" },
    priority: { interactive: "interactive", standard: "standard", batch: "batch" },
  };
  for (const project of tiers) {
    assert.equal(tierOf(undefined, project), expected.nothing[project], project);
    for (const asked of serviceTiers) assert.equal(tierOf(asked, project), expected[asked][project], asked + project);
  }
});

test("each tier has a name of OpenAI's in answers, and asking for that name asks for no more", () => {
  assert.deepEqual(tiers.map(servedTier), ["priority", "default", "flex"]);
  for (const tier of tiers) assert.equal(tierOf(servedTier(tier), tier), tier);
});

test("only OpenAI's words are words, also where JavaScript has some of its own", () => {
  for (const known of serviceTiers) assert.ok(isServiceTier(known));
  for (const wrong of ["scale", "Flex", "", "constructor", "batch", 1, true, {}, ["flex"], undefined, null]) {
    assert.ok(!isServiceTier(wrong), JSON.stringify(wrong));
  }
});
