import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSettings } from "../config/index.ts";
import { DestinationList } from "../destinations/index.ts";
import type { Destination } from "../engine/index.ts";
import type { InForce } from "../residency/index.ts";
import { createPolicy, type FactsInput, parseFacts } from "../policy/index.ts";
import { KnownDigests } from "./known-digests.ts";
import { Sites } from "./sites.ts";

const attested = { class: "operator-attested", on: "2026-01-01" } as const;
const [digest, other] = ["a".repeat(64), "b".repeat(64)];

/** The part of what is in force that sites and digests look at; `apply` puts other facts in force. */
function inForce() {
  const held = { policy: createPolicy() };
  const apply = (facts: FactsInput): void => {
    const parsed = parseFacts(facts);
    if (parsed.outcome !== "parsed") throw new Error(JSON.stringify(parsed));
    held.policy = createPolicy({ facts: parsed.facts, nowMs: () => Date.parse("2026-06-01") });
  };
  return { held: held as unknown as InForce, apply };
}

function settingsOf(text: string) {
  const loaded = parseSettings({ text });
  if (loaded.outcome === "invalid") throw new Error(JSON.stringify(loaded));
  return loaded.settings;
}

test("a site is what the settings declare, else the facts in force, and is nowhere once nobody declares it", () => {
  const { held, apply } = inForce();
  const settings = settingsOf(
    "site: {name: berlin, jurisdiction: DE}\nsites: [{name: paris, jurisdiction: FR, operator: Reseau SA}]",
  );
  const sites = new Sites(settings, held);
  assert.deepEqual([...sites.names].toSorted(), ["berlin", "paris"]);
  const operator = { name: "Wires Inc", seat: "US", owners: [], evidence: attested };
  const site = { name: "austin", jurisdiction: "US-TX", operator: "Wires Inc", evidence: attested };
  apply({ operators: [operator], sites: [site, { ...site, name: "paris" }] });
  assert.deepEqual([...sites.names].toSorted(), ["austin", "berlin", "paris"]);
  assert.deepEqual(sites.of("paris"), { name: "paris", jurisdiction: "FR", operator: "Reseau SA" });
  assert.deepEqual(sites.of("austin"), { name: "austin", jurisdiction: "US-TX", operator: "Wires Inc" });
  assert.equal(sites.of("austin"), sites.of("austin"), "the same as long as the facts are");
  apply({});
  assert.deepEqual(sites.of("austin"), { name: "austin", jurisdiction: undefined });
});

test("a model's digest is known by the facts, else by the catalogue, else as this machine serves it", () => {
  const { held, apply } = inForce();
  const offers = (model: string) => (model === "own" || model === "listed" ? { sha256: other } : undefined);
  const own = { kind: "host", name: "host_1", offer: offers } as unknown as Destination;
  const listed = { entry: { name: "listed", sha256: digest } };
  const catalogue = [listed] as unknown as ConstructorParameters<typeof KnownDigests>[0];
  const digests = new KnownDigests(catalogue, held, new DestinationList([own]));
  assert.deepEqual(
    ["own", "listed", "new"].map((name) => digests.of(name)),
    [other, digest, undefined],
  );
  const facts = { name: "listed", developer: "us", developerCountry: "DE", licence: "MIT", evidence: attested };
  apply({ models: [{ ...facts, sha256: other }] });
  assert.equal(digests.of("listed"), other);
});

test("a host has no model under an upstream's name, unless a digest says that it is what the name means here", () => {
  const { held, apply } = inForce();
  const upstream = {
    kind: "upstream",
    name: "away",
    offer: (model: string) => (model === "theirs" ? { sha256: undefined } : undefined),
  } as unknown as Destination;
  const digests = new KnownDigests([], held, new DestinationList([upstream]));
  assert.match(digests.refusalOf("theirs", digest) ?? "", /upstream away/);
  assert.match(digests.refusalOf("theirs", undefined) ?? "", /upstream away/);
  assert.equal(digests.refusalOf("new", digest), undefined);
  const facts = { name: "theirs", developer: "us", developerCountry: "DE", licence: "MIT", evidence: attested };
  apply({ models: [{ ...facts, sha256: digest }] });
  assert.equal(digests.refusalOf("theirs", digest), undefined);
  assert.match(digests.refusalOf("theirs", other) ?? "", /another model/);
});
