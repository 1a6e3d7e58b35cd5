import assert from "node:assert/strict";
import { test } from "node:test";
import { criterionIds, noFacts } from "../policy/index.ts";
import { criteria, objectives } from "./criteria.ts";
import { renderReport } from "./index.ts";
import { lookAt } from "./rules.ts";
import { sceneOf } from "./scene.ts";
import { type SovereigntyReport, sovereigntyReport } from "./sovereignty.ts";
import {
  awayUpstream,
  berlinHost,
  cityFacts,
  factsOf,
  isGolden,
  ran,
  ranAway,
  recordedOf,
  stateOf,
  testNowMs,
} from "./testing.ts";

const nothingRan = recordedOf([]);

function criterionOf(report: SovereigntyReport, id: string) {
  return report.objectives.flatMap((each) => each.criteria).find((each) => each.id === id)!;
}

function ceilingOf(report: SovereigntyReport, id: string): string {
  const ceiling = report.objectives.find((each) => each.id === id)?.ceiling;
  return ceiling === null || ceiling === undefined ? "none" : `SEAL-${ceiling.seal}: ${ceiling.because}`;
}

test("there are the framework's 48 criteria under its eight objectives, whose weights make a hundred", () => {
  assert.deepEqual(
    criteria.map(({ id }) => id),
    criterionIds,
  );
  assert.equal(criteria.length, 48);
  assert.equal(
    objectives.reduce((sum, { weightPercent }) => sum + weightPercent, 0),
    100,
  );
  assert.equal(new Set(criteria.map(({ title }) => title)).size, 48);
});

test("a criterion has a rule in words exactly where a rule can decide it", () => {
  const facts = factsOf(cityFacts);
  const empty = { ...facts, accelerators: facts.accelerators.map((each) => ({ ...each, madeIn: "TW" })) };
  const scenes = [stateOf({ facts: empty }), stateOf({ destinations: [berlinHost] })].map(sceneOf);
  const deciding = criteria.filter(({ id }) =>
    scenes.some((scene) => lookAt(id, scene, recordedOf([ran("clinic", "ward")])).outcome === "decided"),
  );
  assert.deepEqual(
    deciding.map(({ id }) => id),
    criteria.filter(({ rule }) => rule !== null).map(({ id }) => id),
  );
});

test("the city's report, as people read it", (context) => {
  const report = sovereigntyReport(
    stateOf(),
    recordedOf([ran("clinic", "ward"), ranAway("bank", "vault", { requests: 2 })]),
  );
  assert.equal(
    report.summary,
    `${report.counts.computed} of 48 criteria computed from live state, 1 attested, ${report.counts.open} open.`,
  );
  assert.equal(report.counts.computed + report.counts.attested + report.counts.open, 48);
  isGolden(context, "sovereignty.json", `${JSON.stringify(report, undefined, 2)}\n`);
  isGolden(context, "sovereignty.html", renderReport(report));
});

test("hardware of foreign make holds its objective down, and says whose it is", () => {
  const report = sovereigntyReport(stateOf({ destinations: [berlinHost] }), nothingRan);
  assert.equal(ceilingOf(report, "SOV-5"), "SEAL-2: accelerators are made by NVIDIA (US)");
  assert.equal(
    ceilingOf(report, "SOV-6"),
    "SEAL-3: the API's shapes are OpenAI's: documented and much implemented, but one vendor's",
  );
  assert.deepEqual(
    report.hardware.map(({ host, reports, accelerators }) => [host, reports, accelerators?.map(({ maker }) => maker)]),
    [["host_1", "NVIDIA H200", ["NVIDIA"]]],
  );
});

test("what a host reports of its device counts where the facts are silent, and is a doubt where they say otherwise", () => {
  const silent = factsOf({ ...cityFacts, hosts: [] });
  const told = (facts: typeof silent, device: string) =>
    sovereigntyReport(stateOf({ facts, destinations: [{ ...berlinHost, device }] }), nothingRan);
  assert.equal(ceilingOf(told(silent, "AMD Instinct MI300X"), "SOV-5"), "SEAL-2: accelerators are made by AMD (US)");
  assert.equal(ceilingOf(told(silent, "cpu"), "SOV-5"), "none", "a processor's maker is not told");
  const doubts = ["NVIDIA H200", "cpu", "cuda", "AMD Instinct MI300X"].map(
    (device) => told(factsOf(cityFacts), device).hardware[0]!.doubt,
  );
  assert.deepEqual(doubts, [
    null,
    'it reports "cpu", and the facts say H200 by NVIDIA',
    null,
    'it reports "AMD Instinct MI300X", and the facts say H200 by NVIDIA',
  ]);
});

test("evidence that has expired counts as none, and is listed", () => {
  const report = sovereigntyReport(stateOf(), nothingRan);
  assert.equal(criterionOf(report, "SOV-8.1").status, "attested");
  assert.equal(criterionOf(report, "SOV-4.3").status, "open", "it was attested until June");
  assert.deepEqual(
    report.notCounted.map(({ what, why }) => `${what}: ${why}`),
    ["certificate ISO-27001 of site berlin: expired", "attestation of SOV-4.3: expired"],
  );
  const later = stateOf({ atMs: Date.parse("2027-02-02T00:00:00Z") });
  const certified = criterionOf(sovereigntyReport(later, nothingRan), "SOV-7.1");
  assert.equal(certified.answer, "No certificate is in force at any site, or of who runs it.");
  assert.equal(criterionOf(sovereigntyReport(later, nothingRan), "SOV-8.1").status, "open");
});

test("without facts little is computed, and nothing is claimed", () => {
  const bare = { ...berlinHost, site: { name: "here", jurisdiction: undefined } };
  const report = sovereigntyReport(
    stateOf({ facts: noFacts, destinations: [bare], gatewaySite: { name: "here", jurisdiction: undefined } }),
    nothingRan,
  );
  const computed = report.objectives.flatMap((each) => each.criteria).filter(({ status }) => status === "computed");
  assert.deepEqual(
    computed.map(({ id }) => id),
    ["SOV-2.1", "SOV-2.3", "SOV-3.1", "SOV-3.2", "SOV-3.4", "SOV-5.6", "SOV-6.1", "SOV-6.3"],
  );
  assert.equal(ceilingOf(report, "SOV-2"), "SEAL-1: EU law alone does not govern site here (no jurisdiction declared)");
  assert.deepEqual(
    report.hardware.map(({ accelerators }) => accelerators),
    [null],
  );
  const nowhere = sovereigntyReport(stateOf({ facts: noFacts, destinations: [] }), nothingRan);
  assert.deepEqual([nowhere.counts.computed, nowhere.counts.attested], [2, 0]);
});

test("an engine's licence is the facts' where they name it, the release's own knowledge where not, and in doubt where builds differ", () => {
  const evidence = { class: "operator-attested", on: "2026-01-15" } as const;
  const engine = { name: "vLLM", developer: "vLLM project", developerCountry: "US", licence: "Apache-2.0", evidence };
  const withEngine = (more: object, build = "vllm 0.19", hostMore: object = {}) => {
    const facts = factsOf({
      ...cityFacts,
      engines: [{ ...engine, ...more }],
      hosts: [{ name: "host_1", site: "berlin", engine: "vLLM", evidence, ...hostMore }],
    });
    const destinations = [{ ...berlinHost, engine: { name: "server", build } }];
    return criterionOf(sovereigntyReport(stateOf({ facts, destinations }), nothingRan), "SOV-6.3");
  };
  const textsOf = ({ facts }: ReturnType<typeof withEngine>): string => facts.map(({ text }) => text).join("; ");
  const known = withEngine({ build: "0.19" });
  assert.match(known.answer!, /are open source/);
  assert.match(textsOf(known), /host host_1 computes by vLLM 0\.19 of vLLM project \(US\), Apache-2\.0/);
  assert.match(withEngine({ licence: "MIT AND (Apache-2.0 OR Proprietary)" }).answer!, /are open source/);
  assert.match(withEngine({ licence: "LicenseRef-Proprietary" }).answer!, /Open source in part/);
  const doubted = withEngine({ build: "0.20" });
  assert.match(doubted.answer!, /Open source in part/);
  assert.match(textsOf(doubted), /is in doubt: it reports the build "vllm 0\.19", and the facts say "0\.20"/);
  const lapsed = { ...evidence, expires: "2026-02-01" };
  assert.match(withEngine({ evidence: lapsed }).answer!, /Open source in part/);
  assert.match(withEngine({}, "", { evidence: lapsed }).answer!, /Open source in part/);
});

test("a rule decides for the better only by what it can see, and else leaves the criterion open", () => {
  const here = sovereigntyReport(stateOf({ destinations: [berlinHost] }), recordedOf([ran("clinic", "ward")]));
  for (const id of ["SOV-2.1", "SOV-2.3", "SOV-4.2"]) assert.equal(criterionOf(here, id).status, "open", id);
  assert.equal(
    criterionOf(here, "SOV-2.2").answer,
    "No seat, establishment, declared law or majority of votes outside the EEA.",
  );
  assert.equal(
    criterionOf(here, "SOV-3.4").answer,
    "All sites are in the EEA, and all requests of the period ran there.",
  );
  const external = sovereigntyReport(stateOf({ destinations: [berlinHost], database: "external" }), nothingRan);
  assert.equal(criterionOf(external, "SOV-3.4").status, "open", "where the database stands is not seen");
  const both = sovereigntyReport(stateOf({ destinations: [awayUpstream, berlinHost] }), nothingRan);
  assert.match(
    criterionOf(both, "SOV-2.2").answer!,
    /^Exposed: laws from outside the EEA reach Away Inc \(US and owners outside the EU or whom nobody has named\)/,
  );
  const moved = sovereigntyReport(stateOf({ destinations: [berlinHost] }), recordedOf([ranAway("bank", "vault")]));
  assert.match(criterionOf(moved, "SOV-3.4").answer!, /^Confined by now; 10 requests/);
});

test("who holds an operator decides about control, through companies too", () => {
  const owned = (votesPercent: number) =>
    factsOf({
      ...cityFacts,
      operators: [
        {
          ...cityFacts.operators![0]!,
          owners: [
            { operator: "Holding", votesPercent, capitalPercent: votesPercent },
            {
              name: "City of Berlin",
              country: "DE",
              votesPercent: 100 - votesPercent,
              capitalPercent: 100 - votesPercent,
            },
          ],
        },
        {
          name: "Holding",
          seat: "LU",
          owners: [{ name: "A fund", country: "US", votesPercent: 100, capitalPercent: 100 }],
          evidence: { class: "operator-attested", on: "2026-01-15" },
        },
        cityFacts.operators![1]!,
      ],
    });
  const ceiling = (votes: number) =>
    ceilingOf(
      sovereigntyReport(stateOf({ facts: owned(votes), destinations: [berlinHost] }), nothingRan),
      "SOV-1",
    ).slice(0, 6);
  assert.deepEqual([ceiling(10), ceiling(60)], ["SEAL-3", "SEAL-1"]);
  const whole = sovereigntyReport(stateOf({ destinations: [berlinHost] }), nothingRan);
  assert.equal(ceilingOf(whole, "SOV-1"), "none");
});

test("the same state is the same bytes, apart from the time", () => {
  const at = (atMs: number) => {
    const { destinations, ...state } = stateOf({ atMs });
    const report = sovereigntyReport({ ...state, destinations: destinations.toReversed() }, nothingRan);
    const time = report.about.at;
    const page = renderReport(report).replaceAll(`${time.slice(0, 10)} ${time.slice(11, 19)} UTC`, "TIME");
    return [JSON.stringify(report).replaceAll(time, "TIME"), page];
  };
  assert.deepEqual(at(testNowMs), at(testNowMs + 60_000));
});
