import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { createIds, ManualClock, type Refusal, systemClock } from "../base/index.ts";
import type { Candidate } from "../policy/index.ts";
import { openStore, type Store } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { createInForce, createResidency } from "./index.ts";

let temporary: TemporaryPostgres;
before(async () => {
  temporary = await temporaryPostgres();
});
after(() => temporary.remove());

const startMs = Date.parse("2026-11-26T12:00:00Z");
const attested = { class: "operator-attested", on: "2026-01-01" };
const owner = { name: "a founder", country: "DE", votesPercent: 100, capitalPercent: 100 };
const operators = [{ name: "Netz GmbH", seat: "DE", owners: [owner], evidence: attested }];
const berlin = { name: "berlin", jurisdiction: "DE", operator: "Netz GmbH", accessFrom: [], evidence: attested };
const whenAway = { afterMs: 5_000, public: "serve", internal: "serve", personal: "stop" } as const;
const protectedAway = { ...whenAway, "special-category": "stop", restricted: "stop" } as const;

/** A gateway of one database: what it decides by, and what changes it. */
async function gateway(store: Store, context: TestContext, sites: readonly Candidate["site"][] = []) {
  const clock = new ManualClock(startMs);
  const failures: unknown[] = [];
  const onFailure = (error: unknown): void => void failures.push(error);
  const heard: number[] = [];
  const onChange = ({ epoch }: { readonly epoch: number }): void => void heard.push(epoch);
  const inForce = await createInForce({ db: store.db, clock, whenAway: protectedAway, onChange, onFailure });
  context.after(() => inForce.close());
  const candidates = sites.map((site): Candidate => ({ kind: "host", name: `host_${site.name}`, site }));
  const residency = createResidency({ db: store.db, clock, inForce, candidates: () => candidates, onFailure });
  return { clock, inForce, residency, candidates, failures, heard };
}

async function opened(context: TestContext): Promise<Store> {
  const store = await openStore({
    connection: await temporary.emptyDatabase(),
    installation: createIds(systemClock).mint("inst"),
    clock: systemClock,
    log: () => {},
  });
  assert.ok(store.outcome === "opened");
  context.after(() => store.close());
  return store;
}

function refused(outcome: object): Refusal {
  assert.ok("outcome" in outcome && outcome.outcome === "refused", JSON.stringify(outcome));
  return outcome as Refusal;
}

function done<Kept extends object>(outcome: Kept | Refusal): Kept {
  if ("outcome" in outcome) assert.fail(JSON.stringify(outcome));
  return outcome;
}

const asked = (project: object = {}) => ({
  action: "infer" as const,
  project: { id: "prj_A", dataClass: "personal", processing: [], regimes: ["eu-personal-data"], ...project },
  model: "m",
});

test("facts hold once they are applied, with who, when and what for, and every version is kept", async (context) => {
  const store = await opened(context);
  const site = { name: "berlin", jurisdiction: "DE" };
  const { residency, inForce, candidates } = await gateway(store, context, [site]);
  const nothing = done(await residency.showFacts());
  assert.deepEqual([nothing.version, nothing.document, nothing.at], [0, {}, null]);
  assert.equal(inForce.policy.decide(asked(), candidates).outcome, "refused", "nobody says who runs it");
  const document = { operators, sites: [berlin] };
  const applied = done(await residency.putFacts({ basedOn: 0, document, note: "the first ones" }));
  assert.deepEqual([applied.version, applied.by, applied.note], [1, "operator", "the first ones"]);
  assert.equal(applied.at, new Date(startMs).toISOString());
  assert.equal(inForce.policy.decide(asked(), candidates).outcome, "permitted");
  done(await residency.putFacts({ basedOn: 1, document: { ...document, withdrawn: { sites: ["berlin"] } } }));
  assert.equal(inForce.policy.decide(asked(), candidates).outcome, "refused");
  assert.deepEqual(done(await residency.showFacts(1)).document, document);
  assert.equal(refused(await residency.showFacts(7)).code, "not_found");
  const first = await residency.history("facts", { limit: 1, after: undefined });
  assert.deepEqual([first.items.map(({ version }) => version), first.next], [[2], "2"]);
  const rest = await residency.history("facts", { limit: 1, after: first.next! });
  assert.deepEqual([rest.items.map(({ sha256 }) => sha256), rest.next], [[applied.sha256], null]);
});

test("what is not valid changes nothing, and says path or file, line and column", async (context) => {
  const { residency, inForce } = await gateway(await opened(context), context);
  const before = inForce.policy;
  const wrong = { operators, sites: [{ ...berlin, jurisdiction: "UK" }] };
  const facts = refused(await residency.putFacts({ basedOn: 0, document: wrong }));
  assert.equal(facts.code, "document_invalid");
  assert.match(facts.message, /^The facts are not valid: sites\[0\]\.jurisdiction: .*did you mean "GB"/);
  const files = [
    { name: "own.cedar", text: '@id("own")\nforbid(principal, action, resource)\nwhen { resource.sight };' },
  ];
  const policies = refused(await residency.putPolicies({ basedOn: 0, files, document: {} }));
  assert.equal(policies.code, "document_invalid");
  assert.match(policies.reasons![0]!, /^own\.cedar:3:\d+: /);
  const torn = [{ name: "torn.cedar", text: '@id("torn")\npermit(principal, action' }];
  assert.match(
    refused(await residency.putPolicies({ basedOn: 0, files: torn, document: {} })).reasons![0]!,
    /^torn\.cedar:2:/,
  );
  const unknown = { regimes: { personal: ["eu-personel-data"] } };
  const document = refused(await residency.putPolicies({ basedOn: 0, files: [], document: unknown }));
  assert.match(document.message, /regimes\.personal: no policy names the regime "eu-personel-data"/);
  const twice = refused(await residency.putPolicies({ basedOn: 0, files: [...torn, ...torn], document: {} }));
  assert.match(twice.message, /torn\.cedar: the file is there twice/);
  assert.equal(inForce.policy, before);
  assert.deepEqual((await residency.history("policies", { limit: 9, after: undefined })).items, []);
});

test("an own file stands beside the shipped ones, or in the place of one of its name; permitting nothing is warned of", async (context) => {
  const { residency, inForce } = await gateway(await opened(context), context);
  const candidates: Candidate[] = [{ kind: "site", name: "berlin", site: { name: "berlin", jurisdiction: "DE" } }];
  const open = asked({ regimes: ["open"] });
  assert.equal(inForce.policy.decide(open, candidates).outcome, "permitted");
  const none = { name: "base.cedar", text: '@id("nothing")\nforbid(principal, action, resource);' };
  const applied = done(await residency.putPolicies({ basedOn: 0, files: [none], document: {} }));
  assert.ok(
    applied.warnings.some((text) => text.includes('base.cedar:1:1: "nothing" forbids everything to everybody')),
  );
  assert.ok(applied.warnings.some((text) => text.includes("no policy permits anything")));
  assert.deepEqual(
    applied.shipped.filter(({ isReplaced }) => isReplaced).map(({ name }) => name),
    ["base.cedar"],
  );
  assert.equal(inForce.policy.decide(open, candidates).outcome, "refused");
  const document = { regimes: { personal: ["national"] } };
  done(await residency.putPolicies({ basedOn: 1, files: [], document }));
  const named = inForce.policy.decide(
    { ...open, project: { ...open.project, regimes: undefined as never } },
    candidates,
  );
  assert.match(named.rejected[0]!.explanation, /country/, "the regime of its class");
  const shown = done(await residency.showPolicies());
  assert.deepEqual([shown.version, shown.document, shown.files, shown.warnings], [2, document, [], []]);
});

test("of two operators at once one is told that the other was first, and an answer that was lost can be asked for again", async (context) => {
  const store = await opened(context);
  const one = await gateway(store, context);
  const other = await gateway(store, context);
  const countries = ["DE", "FR", "IT", "ES", "AT", "PL"];
  const outcomes = await Promise.all(
    countries.map((country, at) =>
      (at % 2 === 0 ? one : other).residency.putFacts({
        basedOn: 0,
        document: { jurisdictions: { groups: { OURS: [country] } } },
      }),
    ),
  );
  const lost = outcomes.filter((outcome) => "outcome" in outcome).map(refused);
  assert.equal(lost.length, countries.length - 1);
  assert.deepEqual(new Set(lost.map(({ code }) => code)), new Set(["version_conflict"]));
  const kept = done(await one.residency.showFacts());
  assert.equal(kept.version, 1);
  const again = done(await other.residency.putFacts({ basedOn: 0, document: kept.document }));
  assert.deepEqual([again.version, again.sha256], [1, kept.sha256]);
  const early = refused(await one.residency.putFacts({ basedOn: 9, document: { models: [], sites: [] } }));
  assert.match(early.message, /There is no version 9 of the facts yet; the newest is 1\./);
});

test("another gateway hears of a change at its next question, and goes on as it was while the database is away", async (context) => {
  const store = await opened(context);
  const one = await gateway(store, context);
  const other = await gateway(store, context);
  done(await one.residency.putFacts({ basedOn: 0, document: { operators, sites: [berlin] } }));
  assert.equal(other.inForce.facts.sites.length, 0);
  const epoch = one.inForce.policy.epoch;
  while (other.inForce.policy.epoch !== epoch) {
    other.clock.advance(250);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(other.inForce.versions, { facts: 1, policies: 0 });
  assert.deepEqual(other.heard, [epoch]);
  await store.close();
  other.clock.advance(6_000);
  await assert.rejects(other.inForce.refresh());
  assert.equal(other.inForce.facts.sites.length, 1);
  assert.equal(other.inForce.mayServe("public"), undefined);
  assert.equal(other.inForce.mayServe("personal")?.code, "directory_stale");
});

test("a change that takes longer to make ready than a confirmation counts is confirmed when it is", async (context) => {
  const store = await opened(context);
  const clock = new ManualClock(startMs);
  const slow = { db: store.db, clock, whenAway: protectedAway, onFailure: assert.ifError };
  const inForce = await createInForce({ ...slow, onChange: () => clock.advance(6_000) });
  context.after(() => inForce.close());
  const { residency } = await gateway(store, context);
  done(await residency.putFacts({ basedOn: 0, document: { operators, sites: [berlin] } }));
  await inForce.refresh();
  assert.equal(inForce.versions.facts, 1);
  assert.equal(inForce.mayServe("personal"), undefined);
});

test("evidence that expires ends its site at that moment, under the same policy", async (context) => {
  const site = { name: "berlin", jurisdiction: "DE" };
  const { residency, inForce, clock, candidates } = await gateway(await opened(context), context, [site]);
  const expires = "2026-11-26T12:00:01Z";
  const sites = [{ ...berlin, evidence: { ...attested, expires } }];
  done(await residency.putFacts({ basedOn: 0, document: { operators, sites } }));
  const before = inForce.policy;
  const question = asked({ regimes: ["open"] });
  clock.advance(999);
  assert.equal(inForce.policy.decide(question, candidates).outcome, "permitted");
  clock.advance(1);
  const after = inForce.policy.decide(question, candidates);
  assert.equal(after.outcome, "refused");
  assert.match(after.rejected[0]!.explanation, /evidence for site "berlin" does not count now/);
  assert.equal(inForce.policy, before);
});

test("what settings and facts contradict each other in is told", async (context) => {
  const site = { name: "berlin", jurisdiction: "FR", operator: "Another SA" };
  const { residency } = await gateway(await opened(context), context, [site]);
  const { warnings } = done(await residency.putFacts({ basedOn: 0, document: { operators, sites: [berlin] } }));
  assert.deepEqual(warnings, [
    'The settings put site "berlin" in FR, the facts in DE: its jurisdiction counts as undeclared.',
    'The settings say that site "berlin" is run by "Another SA", the facts say "Netz GmbH": the facts count.',
  ]);
  assert.deepEqual(done(await residency.showFacts()).warnings, warnings);
});

test("a document that drops a data class is refused while a project has it, and names the project", async (context) => {
  const store = await opened(context);
  const { residency, inForce } = await gateway(store, context);
  const ids = createIds(systemClock);
  const patients = {
    dataClasses: [{ name: "patients", like: "special-category" }],
    regimes: { patients: ["de-health"] },
  };
  done(await residency.putPolicies({ basedOn: 0, files: [], document: patients }));
  const organisation = ids.mint("org");
  const createdAt = new Date(startMs);
  await store.db.insertInto("organisations").values({ id: organisation, name: "clinic", createdAt }).execute();
  const project = { id: ids.mint("prj"), organisation, name: "ward", createdAt, dataClass: "patients" };
  await store.db
    .insertInto("projects")
    .values({ ...project, processing: [], unsupported: "refuse" })
    .execute();
  const dropped = refused(await residency.putPolicies({ basedOn: 1, files: [], document: {} }));
  assert.equal(dropped.code, "document_invalid");
  assert.deepEqual(dropped.reasons, ['project clinic/ward has data of "patients"']);
  assert.equal(inForce.versions.policies, 1);
  assert.ok(inForce.document.dataClasses.length === 1);
  // What keeps it declared goes, and so does what drops it when no project has it any more.
  done(await residency.putPolicies({ basedOn: 1, files: [], document: { dataClasses: patients.dataClasses } }));
  await store.db.updateTable("projects").set({ dataClass: "special-category" }).execute();
  done(await residency.putPolicies({ basedOn: 2, files: [], document: {} }));
});
