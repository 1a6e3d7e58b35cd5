import assert from "node:assert/strict";
import { test } from "node:test";
import { noFacts } from "../policy/index.ts";
import { logEnd, logOpening, renderReport } from "./index.ts";
import { jurisdictionReport } from "./jurisdiction.ts";
import { processingReport } from "./processing.ts";
import { subProcessorsReport } from "./sub-processors.ts";
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
} from "./testing.ts";
import { transfersReport } from "./transfers.ts";

const clinic = { id: "org_clinic", name: "clinic" };
const everybody = { area: "EEA", organisation: null };

function pretty(report: object): string {
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

test("the record of one tenant's processing, as it is handed to it", (context) => {
  const declared = {
    processor: {
      name: "Netz GmbH",
      contact: "privacy@netz.example",
      representative: null,
      dataProtectionOfficer: "dpo@netz.example",
    },
    controller: {
      purposes: ["Letters of discharge"],
      dataSubjects: ["Patients"],
      personalData: [],
      recipients: [],
      timeLimits: [],
    },
    measures: {
      technical: ["Disks are encrypted."],
      organisational: ["Two people approve each access."],
      contractual: [],
    },
  };
  const recorded = recordedOf([
    ran("clinic", "ward"),
    ran("clinic", "desk", { endpoint: "embeddings", requests: 4 }),
    ranAway("clinic", "desk", { requests: 3 }),
    ran("bank", "vault", { requests: 99 }),
    ranAway("bank", "vault", { requests: 7 }),
  ]);
  const report = processingReport(stateOf({ declared }), recorded, clinic);
  const [json, page] = [pretty(report), renderReport(report)];
  isGolden(context, "processing.json", json);
  isGolden(context, "processing.html", page);
  for (const text of [json, page]) assert.doesNotMatch(text, /bank|vault/, "no other tenant is named");
  assert.deepEqual(
    report.places.map(({ site, requests }) => [site, requests]),
    [
      ["berlin", 14],
      ["virginia", 3],
    ],
  );
  assert.deepEqual(report.notFilledIn, [
    "disclosure.controller.personalData",
    "disclosure.controller.recipients",
    "disclosure.controller.timeLimits",
  ]);
});

test("a record where nothing was processed and nothing is filled in says so", () => {
  const report = processingReport(stateOf({ facts: noFacts }), recordedOf([]), { id: "org_new", name: "new" });
  assert.deepEqual([report.projects, report.places, report.transfers.made, report.subProcessors], [[], [], [], []]);
  assert.match(report.transfers.summary, /^None: 0 requests from /);
  assert.equal(report.notFilledIn.length, 7);
});

test("what was placed outside: to whom, under which law, on which basis", (context) => {
  const asserted = { dataClass: "internal", legalBasis: "contract, art. 49(1)(b)", candidates: [awayUpstream] };
  const report = transfersReport(
    stateOf(),
    recordedOf(
      [
        ran("clinic", "ward"),
        ranAway("bank", "vault", { requests: 2, unrated: 1 }),
        ranAway("bank", "vault", { requests: 1, model: "larger" }),
        ranAway("bank", "desk", { requests: 5, asked: asserted }),
        ran("bank", "desk", { requests: 4, asked: null, site: "attic", destination: null }),
      ],
      { leftOut: 3, isComplete: false },
    ),
    everybody,
  );
  isGolden(context, "transfers.json", pretty(report));
  isGolden(context, "transfers.html", renderReport(report));
  assert.equal(
    report.summary,
    "12 of 22 requests from 2026-11-01 00:00:00 UTC to 2026-11-26 00:00:00 UTC ran outside the EEA, or at a place that nobody has declared: US, no declared place.",
  );
  const vault = report.made.find(({ project }) => project.name === "vault")!;
  assert.deepEqual([vault.requests, vault.models, vault.unrated], [3, ["large", "larger"], 1]);
  assert.deepEqual(vault.importer, { name: "Away Inc", seat: "US", laws: ["US"] });
  assert.deepEqual(vault.reachedFrom, ["US", "IN"]);
  const { adequacy, notCovered, asserted: said } = vault.basis;
  assert.deepEqual(
    adequacy.map(({ decidedOn, scheme }) => [decidedOn, scheme]),
    [["2023-07-10", "EU-US-DPF"]],
  );
  assert.deepEqual(
    [notCovered, said],
    [["IN"], null],
    "who is reached from India is not covered by what was found of the US",
  );
});

test("where no adequacy decision covers the importer, the tenant's assertion is told as one, and none as none", () => {
  const [germany, away] = [cityFacts.operators![0]!, cityFacts.operators![1]!];
  const facts = factsOf({ ...cityFacts, operators: [germany, { ...away, certificates: [] }] });
  const asked = { dataClass: "personal", candidates: [awayUpstream] };
  const report = transfersReport(
    stateOf({ facts }),
    recordedOf([
      ranAway("bank", "a", { asked: { ...asked, legalBasis: "standard clauses" } }),
      ranAway("bank", "b", { asked: { ...asked, legalBasis: null } }),
    ]),
    everybody,
  );
  assert.deepEqual(
    report.made.map(({ project, basis }) => [project.name, basis]),
    [
      ["a", { adequacy: [], notCovered: ["IN", "US"], asserted: "standard clauses" }],
      ["b", { adequacy: [], notCovered: ["IN", "US"], asserted: null }],
    ],
  );
});

test("nothing outside is said as none, with what was looked at", () => {
  const report = transfersReport(stateOf(), recordedOf([ran("clinic", "ward", { requests: 40 })]), everybody);
  assert.deepEqual([report.made, report.reachable, report.lookedAt.requests], [[], [], 40]);
  assert.equal(
    report.summary,
    "None: 40 requests from 2026-11-01 00:00:00 UTC to 2026-11-26 00:00:00 UTC were looked at, and none of them ran outside the EEA.",
  );
  const abroad = transfersReport(stateOf(), recordedOf([ran("clinic", "ward")]), { area: "FR", organisation: null });
  assert.deepEqual(
    abroad.made.map(({ destination }) => destination.jurisdiction),
    ["DE-BE"],
  );
});

test("a site inside that is reached from outside, or by a law from there, is no place of processing but a way", () => {
  const reached = factsOf({
    ...cityFacts,
    sites: [{ ...cityFacts.sites![0]!, accessFrom: ["DE", "IN"] }, cityFacts.sites![1]!],
  });
  const sums = recordedOf([ran("clinic", "ward")]);
  const byAccess = transfersReport(stateOf({ facts: reached, destinations: [berlinHost] }), sums, everybody);
  assert.deepEqual(
    byAccess.reachable.map(({ way, requests }) => [way, requests]),
    [["access", 10]],
  );
  const subject = factsOf({
    ...cityFacts,
    operators: [{ ...cityFacts.operators![0]!, subjectTo: ["US"] }, cityFacts.operators![1]!],
  });
  const byLaw = transfersReport(stateOf({ facts: subject, destinations: [berlinHost] }), sums, everybody);
  assert.deepEqual([byLaw.made, byLaw.reachable.map(({ way }) => way)], [[], ["law"]]);
});

test("sub-processors by their days, and what has changed of them", (context) => {
  const before = factsOf({
    ...cityFacts,
    subprocessors: [
      { ...cityFacts.subprocessors![0]!, purpose: "keeps backups" },
      {
        name: "Gone SARL",
        country: "FR",
        purpose: "support",
        since: "2025-01-01",
        evidence: { class: "operator-attested", on: "2025-01-01" },
      },
    ],
  });
  const named = { version: 2, sha256: "e".repeat(64) };
  const report = subProcessorsReport(stateOf(), { since: "2026-06-01T00:00:00.000Z", named, facts: before });
  isGolden(context, "sub-processors.html", renderReport(report));
  assert.deepEqual(
    report.list.map(({ name, state }) => `${name}: ${state}`),
    ["Backup AG: in force", "Old Ltd: ended"],
  );
  const { added, removed, changed } = report.changes!;
  assert.deepEqual(
    [added, removed, changed.map(({ after }) => after)].map((some) => some.map(({ name }) => name)),
    [["Old Ltd"], ["Gone SARL"], ["Backup AG"]],
  );
  assert.match(
    subProcessorsReport(stateOf({ facts: noFacts }), null).summary,
    /^The facts list no sub-processor\. That nobody/,
  );
});

test("the page on jurisdiction tells each service's law, and nothing of a tenant or a machine", (context) => {
  const report = jurisdictionReport(stateOf());
  const page = renderReport(report);
  isGolden(context, "jurisdiction.json", pretty(report));
  isGolden(context, "jurisdiction.html", page);
  assert.doesNotMatch(page, /clinic|bank|ward|vault|host_1/);
  assert.equal(report.summary, "2 services, computed under: DE-BE, US.");
});

test("a log says for how long it is kept, against six months", () => {
  const at = "2026-11-26T12:00:00.000Z";
  const project = { id: "proj_ward", name: "ward", organisation: { name: "clinic" } };
  const period = { from: "2026-11-01T00:00:00.000Z", to: at };
  const opening = (keptDays: number | null) =>
    logOpening({ project, period, at, release: "0.1.0", installation: "inst_1", keptDays, refusalsKept: 100_000 })
      .retention;
  assert.deepEqual(
    [null, 184, 183].map((days) => opening(days).isKept),
    [true, true, false],
  );
  assert.equal(opening(90).says, "They are kept for 90 days, which is less than six months: keep this file yourself.");
  assert.deepEqual(logEnd(3, 1), { line: "end", requests: 3, refusals: 1 });
});
