import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sql } from "kysely";
import {
  type Clock,
  createIds,
  type KeyPermission,
  ManualClock,
  parseAmount,
  type Refusal,
  systemClock,
} from "../base/index.ts";
import { baseClassOf, type DataClass, shippedDocument } from "../policy/index.ts";
import { type EmbeddedPostgres, openStore, startEmbeddedPostgres, type Store } from "../store/index.ts";
import { createDirectory, createTenancy, type Directory, type Tenancy } from "./index.ts";

const ids = createIds(systemClock);
const whenAway = {
  afterMs: 1_000,
  public: "serve",
  internal: "stop",
  personal: "stop",
  "special-category": "stop",
  restricted: "stop",
} as const;
const retention = {
  usualSeconds: { public: 20, internal: 20, personal: 20, "special-category": 10, restricted: 0 },
  mostSeconds: { public: 100, internal: 100, personal: 50, "special-category": 10, restricted: 0 },
};
const firstPage = { limit: 100, after: undefined };
const everything = { limits: {} };

let folder: string;
let postgres: EmbeddedPostgres;
let store: Store;
let tenancy: Tenancy;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "bailiwick-tenancy-"));
  await chmod(folder, 0o711);
  const installation = ids.mint("inst");
  const common = { installation, clock: systemClock, log: () => undefined };
  postgres = await startEmbeddedPostgres({
    ...common,
    dataFolder: folder,
    randomBytes: (count) => randomBytes(count),
    socketParents: [tmpdir(), "/tmp"],
  });
  const opened = await openStore({ ...common, connection: postgres.connection });
  assert.ok(opened.outcome === "opened");
  store = opened;
  tenancy = tenancyWith(() => Promise.resolve());
});

after(async () => {
  await store.close();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

function tenancyWith(onChange: () => Promise<void>, failures: unknown[] = [], clock: Clock = systemClock): Tenancy {
  return createTenancy({
    db: store.db,
    clock,
    ids,
    randomBytes: (count) => randomBytes(count),
    known: () => ({
      groups: { OURS: ["DE", "FR"] },
      document: { dataClasses: [{ name: "patients", like: "special-category" }] },
      regimes: new Set(["open", "national", "eu-operated"]),
      retention,
    }),
    onChange,
    onFailure: (error) => failures.push(error),
  });
}

function granted<Result>(result: Result | Refusal): Exclude<Result, Refusal> {
  const refused = typeof result === "object" && result !== null && "outcome" in result;
  if (refused) assert.fail(JSON.stringify(result));
  return result as Exclude<Result, Refusal>;
}

function refusedWith(result: unknown, code: string, param?: string): Refusal {
  const refusal = result as Refusal;
  assert.equal(refusal.outcome, "refused", JSON.stringify(result));
  assert.deepEqual([refusal.code, refusal.param], [code, param]);
  return refusal;
}

/** An organisation of its own with one project and one key, so that no test meets another's. */
async function tenant(name: string) {
  const organisation = granted(await tenancy.createOrganisation({ name, ...everything }));
  const project = granted(
    await tenancy.createProject({ organisation: organisation.id, name: `${name}-app`, ...everything }),
  );
  const key = granted(await tenancy.createKey({ project: project.id, name: undefined, ...everything }));
  return { organisation, project, key };
}

test("a key is told once, has 256 random bits, and is stored as its digest only", async () => {
  const { key } = await tenant("secrets");
  assert.match(key.key, /^bwk_[A-Za-z0-9_-]{43}$/);
  const row = await store.db
    .selectFrom("keys")
    .selectAll()
    .where("id", "=", key.id as never)
    .executeTakeFirstOrThrow();
  assert.deepEqual(row.secretHash, createHash("sha256").update(key.key).digest());
  assert.equal(row.prefix, key.key.slice(0, 8));
  const shown = granted(await tenancy.showKey(key.id));
  assert.ok(!JSON.stringify([shown, row]).includes(key.key));
});

test("organisations, projects and keys answer to an id, a name, and a path of names", async () => {
  const { organisation, project, key } = await tenant("paths");
  for (const reference of [
    project.id,
    "paths-app",
    "paths/paths-app",
    `${organisation.id}/paths-app`,
    `paths/${project.id}`,
  ]) {
    assert.equal(granted(await tenancy.showProject(reference)).id, project.id, reference);
  }
  for (const reference of [key.id, key.name, `paths-app/${key.name}`, `paths/paths-app/${key.name}`]) {
    assert.equal(granted(await tenancy.showKey(reference)).id, key.id, reference);
  }
  refusedWith(await tenancy.showProject("paths/absent"), "not_found", "project");
  refusedWith(await tenancy.showProject("absent/paths-app"), "not_found", "organisation");
  refusedWith(await tenancy.showProject("paths/paths-app/more"), "not_found", "project");
  refusedWith(await tenancy.showKey("paths-app/"), "not_found", "key");
  refusedWith(await tenancy.showOrganisation(`${organisation.id.slice(0, -1)}~`), "not_found", "organisation");
});

test("a reference that names nothing is refused with the nearest name", async () => {
  const { key } = await tenant("nearly");
  const cases: [Promise<unknown>, string, string][] = [
    [tenancy.showOrganisation("nearyl"), "organisation", '"nearly"'],
    [tenancy.showProject("nearly/neary-app"), "project", '"nearly-app"'],
    [tenancy.showKey(`nearly-app/${key.name.slice(0, -1)}`), "key", `"${key.name}"`],
    [tenancy.createKey({ project: "nearly-ap", name: undefined, ...everything }), "project", '"nearly-app"'],
  ];
  for (const [asked, what, near] of cases) {
    assert.ok(refusedWith(await asked, "not_found", what).message.endsWith(`Did you mean ${near}?`));
  }
  assert.ok(
    !refusedWith(await tenancy.showKey("###############"), "not_found", "key").message.includes("Did you mean"),
  );
});

test("an end of use that is over already is refused at every level, and the name of what is kept is not", async () => {
  const { organisation, project, key } = await tenant("past");
  const limits = { expiresAt: new Date(systemClock.nowMs() - 1_000).toISOString() };
  for (const asked of [
    tenancy.createOrganisation({ name: "past-2", limits }),
    tenancy.updateOrganisation(organisation.id, { limits }),
    tenancy.createProject({ organisation: organisation.id, name: "p", limits }),
    tenancy.updateProject(project.id, { limits }),
    tenancy.createKey({ project: project.id, name: "k", limits }),
    tenancy.updateKey(key.id, { limits }),
  ]) {
    assert.match(refusedWith(await asked, "invalid_request", "limits.expiresAt").message, /past/);
  }
  const clock = new ManualClock(Date.parse("2020-01-01"));
  const then = tenancyWith(() => Promise.resolve(), [], clock);
  granted(await then.updateKey(key.id, { limits: { expiresAt: "2020-01-02T00:00:00Z" } }));
  granted(await tenancy.updateKey(key.id, { name: "renamed-late", limits: {} }));
});

test("a name that several have is ambiguous, and its path is not", async () => {
  for (const name of ["twin-a", "twin-b"]) {
    granted(await tenancy.createOrganisation({ name, ...everything }));
    granted(await tenancy.createProject({ organisation: name, name: "twin", ...everything }));
    granted(await tenancy.createKey({ project: `${name}/twin`, name: "shared", ...everything }));
  }
  refusedWith(await tenancy.showProject("twin"), "ambiguous_name", "project");
  refusedWith(await tenancy.showKey("shared"), "ambiguous_name", "key");
  refusedWith(await tenancy.createKey({ project: "twin", name: "k", ...everything }), "ambiguous_name", "project");
  assert.equal(granted(await tenancy.showKey("twin-b/twin/shared")).organisation.name, "twin-b");
});

test("a name is taken once within its parent, also where twenty want it at once, and free again once its key is revoked", async () => {
  const { project } = await tenant("names");
  refusedWith(await tenancy.createOrganisation({ name: "names", ...everything }), "name_taken", "name");
  refusedWith(
    await tenancy.createProject({ organisation: "names", name: "names-app", ...everything }),
    "name_taken",
    "name",
  );
  const wanted = Array.from({ length: 20 }, () =>
    tenancy.createKey({ project: project.id, name: "one", ...everything }),
  );
  const outcomes = await Promise.all(wanted);
  const refusals = outcomes.filter((outcome) => "outcome" in outcome);
  assert.equal(refusals.length, 19);
  for (const refusal of refusals) refusedWith(refusal, "name_taken", "name");
  const revoked = granted(await tenancy.revokeKey("names-app/one"));
  assert.notEqual(revoked.revokedAt, null);
  assert.equal(
    granted(await tenancy.revokeKey(revoked.id)).revokedAt,
    revoked.revokedAt,
    "revoking twice changes nothing",
  );
  const next = granted(await tenancy.createKey({ project: project.id, name: "one", ...everything }));
  assert.equal(granted(await tenancy.showKey("names-app/one")).id, next.id, "the living key is meant");
});

test("names that nothing could be called by are refused", async () => {
  for (const name of ["", " ", "a/b", "-a", "ä", "a".repeat(65), "a\nb", ids.mint("org"), ids.mint("prj")]) {
    refusedWith(await tenancy.createOrganisation({ name, ...everything }), "invalid_request", "name");
  }
  granted(await tenancy.createOrganisation({ name: "org_friendly", ...everything }));
  granted(await tenancy.showOrganisation("org_friendly"));
});

test("a child never holds more than its parent or its parent's parent", async () => {
  const organisation = granted(
    await tenancy.createOrganisation({
      name: "held",
      limits: { models: ["a", "b"], requestsPerMinute: 100, monthlyBudget: "10.5", expiresAt: "2030-01-01T00:00:00Z" },
    }),
  );
  const limits = (more: object) => ({ organisation: organisation.id, name: "p", limits: more });
  const beyond: [object, string, RegExp][] = [
    [{ requestsPerMinute: 101 }, "limits.requestsPerMinute", /100/],
    [{ monthlyBudget: "10.500000000001" }, "limits.monthlyBudget", /10\.5/],
    [{ models: ["a", "c"] }, "limits.models", /"c".*a, b/],
    [{ expiresAt: "2030-01-01T00:00:00.001Z" }, "limits.expiresAt", /2030-01-01/],
  ];
  for (const [asked, param, held] of beyond) {
    assert.match(refusedWith(await tenancy.createProject(limits(asked)), "exceeds_parent", param).message, held);
  }
  const asMuch = {
    requestsPerMinute: 100,
    tokensPerMinute: 7,
    monthlyBudget: "10.50",
    models: ["b"],
    expiresAt: "2030-01-01T01:00:00+01:00",
  };
  const project = granted(await tenancy.createProject(limits(asMuch)));
  assert.deepEqual(project.limits, { ...asMuch, monthlyBudget: "10.5", expiresAt: "2030-01-01T00:00:00.000Z" });
  const key = { project: project.id, name: "k" };
  refusedWith(
    await tenancy.createKey({ ...key, limits: { tokensPerMinute: 8 } }),
    "exceeds_parent",
    "limits.tokensPerMinute",
  );
  granted(await tenancy.updateProject(project.id, { limits: { requestsPerMinute: null } }));
  const overGrandparent = await tenancy.createKey({ ...key, limits: { requestsPerMinute: 101 } });
  assert.match(refusedWith(overGrandparent, "exceeds_parent", "limits.requestsPerMinute").message, /organisation/);
});

test("lowering a parent does not strand its children, and every level holds", async () => {
  const { organisation, project, key } = await tenant("lowered");
  granted(await tenancy.updateKey(key.id, { limits: { requestsPerMinute: 50, expiresAt: "2031-01-01T00:00:00Z" } }));
  granted(
    await tenancy.updateOrganisation(organisation.id, {
      limits: { requestsPerMinute: 10, expiresAt: "2030-01-01T00:00:00Z" },
    }),
  );
  granted(await tenancy.updateKey(key.id, { name: "renamed", limits: {} }));
  refusedWith(
    await tenancy.updateKey(key.id, { limits: { requestsPerMinute: 20 } }),
    "exceeds_parent",
    "limits.requestsPerMinute",
  );
  const directory = await opened();
  const holder = granted(directory.identify(key.key));
  assert.deepEqual(
    holder.limits.map(({ level, id, requestsPerMinute }) => [level, id, requestsPerMinute]),
    [
      ["key", key.id, 50],
      ["project", project.id, undefined],
      ["organisation", organisation.id, 10],
    ],
  );
  assert.equal(holder.expiresAtMs, Date.parse("2030-01-01T00:00:00Z"));
  directory.close();
});

test("where a project's data is processed is checked, and written one way", async () => {
  const { organisation } = await tenant("places");
  const input = { organisation: organisation.id, name: "p", limits: {} };
  const refusal = refusedWith(
    await tenancy.createProject({ ...input, processing: ["DE", "UK"] }),
    "invalid_request",
    "processing",
  );
  assert.equal(refusal.message, '"UK" is not an ISO 3166 code; did you mean "GB"?');
  const project = granted(
    await tenancy.createProject({ ...input, processing: ["eu", "de-be", "EU"], dataClass: "personal" }),
  );
  assert.deepEqual(
    [project.processing, project.dataClass, project.unsupported],
    [["EU", "DE-BE"], "personal", "refuse"],
  );
  assert.deepEqual(granted(await tenancy.updateProject(project.id, { limits: {} })).processing, ["EU", "DE-BE"]);
});

test("a project's data class is one of the five or one that the policy document declares, kept by its own name", async () => {
  const { organisation, project } = await tenant("classes");
  const input = { organisation: organisation.id, name: "own", limits: {} };
  const refusal = refusedWith(
    await tenancy.createProject({ ...input, dataClass: "patient" }),
    "invalid_request",
    "dataClass",
  );
  assert.equal(refusal.message, 'There is no data class "patient". Did you mean "patients"?');
  const made = granted(await tenancy.createProject({ ...input, dataClass: "patients", keepContentSeconds: "default" }));
  // It is kept as long as what it is like.
  assert.deepEqual([made.dataClass, made.keepContentSeconds], ["patients", 10]);
  const update = (changes: object) => tenancy.updateProject(project.id, { limits: {}, ...changes });
  assert.equal(granted(await update({ dataClass: "patients" })).dataClass, "patients");
  refusedWith(await update({ keepContentSeconds: 11 }), "invalid_request", "keepContentSeconds");
  refusedWith(await update({ dataClass: "" }), "invalid_request", "dataClass");
});

test("what a project says of where its data may be is checked, kept and taken away, and its keys' holders know it", async () => {
  const { project, key, organisation } = await tenant("residency");
  const update = (changes: object) => tenancy.updateProject(project.id, { limits: {}, ...changes });
  const [storage, regimes] = [
    ["eu", "ours"],
    ["national", "eu-operated", "national"],
  ];
  const figures = { year: 2026, individuals: 5, sensitiveIndividuals: 0, mechanisms: [] };
  const exported = { ...figures, isCriticalInfrastructure: false, hasImportantData: false };
  const changed = granted(await update({ storage, regimes, country: "de", exported, processing: ["OURS"] }));
  const said = { storage: ["EU", "OURS"], regimes: ["national", "eu-operated"], country: "DE", exported };
  const told = ({ storage, regimes, country, exported }: typeof changed) => ({ storage, regimes, country, exported });
  assert.deepEqual(told(changed), said);
  assert.deepEqual(told(granted(await update({ weight: 2 }))), said);
  const directory = await opened();
  const held = granted(directory.identify(key.key)).project;
  assert.deepEqual({ ...held, ...said, organisation: organisation.id, processing: ["OURS"] }, held);
  const none = granted(await update({ storage: null, regimes: null, country: null, exported: null }));
  assert.deepEqual(told(none), { storage: null, regimes: null, country: null, exported: null });
  await directory.refresh();
  assert.deepEqual(
    Object.keys(granted(directory.identify(key.key)).project).filter((name) => name in said),
    [],
  );
  directory.close();
  for (const [changes, param, message] of [
    [{ regimes: ["eu-operatd"] }, "regimes", /There is no regime "eu-operatd"\. Did you mean "eu-operated"\?/],
    [{ regimes: ["hipaa"] }, "regimes", /There are eu-operated, national, open\./],
    [{ storage: ["OUR"] }, "storage", /"OUR" is not an ISO 3166 code; did you mean "OURS"\?/],
    [{ country: "EU" }, "country", /group of countries/],
  ] as const) {
    assert.match(refusedWith(await update(changes), "invalid_request", param).message, message);
  }
});

test("a project weighs 1 unless said otherwise, and its keys' holders know it", async () => {
  const { project, key } = await tenant("weights");
  assert.equal(project.weight, 1);
  assert.equal(granted(await tenancy.updateProject(project.id, { weight: 3, limits: {} })).weight, 3);
  assert.equal(granted(await tenancy.updateProject(project.id, { name: "weights-b", limits: {} })).weight, 3);
  const directory = await opened();
  assert.equal(granted(directory.identify(key.key)).project.weight, 3);
  directory.close();
});

test("a project has a tier, standard unless said otherwise, and its keys' holders know it", async () => {
  const { project, key } = await tenant("tiers");
  assert.equal(project.tier, "standard");
  assert.equal(
    granted(await tenancy.updateProject(project.id, { tier: "interactive", limits: {} })).tier,
    "interactive",
  );
  assert.equal(granted(await tenancy.updateProject(project.id, { name: "tiers-b", limits: {} })).tier, "interactive");
  const directory = await opened();
  assert.equal(granted(directory.identify(key.key)).project.tier, "interactive");
  const input = { organisation: "tiers", name: "nightly", tier: "batch" as const, ...everything };
  assert.equal(granted(await tenancy.createProject(input)).tier, "batch");
  directory.close();
});

test("lists come in pages, in the order of their making", async () => {
  const { project } = await tenant("paged");
  for (const name of ["k1", "k2", "k3"]) granted(await tenancy.createKey({ project: project.id, name, ...everything }));
  const one = granted(await tenancy.listKeys({ project: project.id }, { limit: 3, after: undefined }));
  const two = granted(await tenancy.listKeys({ project: project.id }, { limit: 3, after: one.next ?? undefined }));
  assert.deepEqual([...one.items, ...two.items].map(({ name }) => name).slice(1), ["k1", "k2", "k3"]);
  assert.equal(two.next, null);
  refusedWith(
    await tenancy.listKeys({ project: undefined }, { limit: 3, after: "x'; --\u0000" }),
    "invalid_request",
    "after",
  );
  assert.ok((await tenancy.listOrganisations(firstPage)).items.some(({ name }) => name === "paged"));
});

test("an erased digest key is gone from the database, and another salts from then on", async () => {
  const { project, key } = await tenant("erased");
  const { erased, project: after } = granted(await tenancy.eraseDigestKey(project.id));
  assert.equal(erased, project.digestKey);
  assert.notEqual(after.digestKey, erased);
  const rows = await store.db
    .selectFrom("digestKeys")
    .selectAll()
    .where("project", "=", project.id as never)
    .orderBy("id")
    .execute();
  assert.deepEqual(
    rows.map(({ id, secret, erasedAt }) => [id, secret === null, erasedAt !== null]),
    [
      [erased, true, true],
      [after.digestKey, false, false],
    ],
  );
  const directory = await opened();
  assert.equal(granted(directory.identify(key.key)).project.digestKey.id, after.digestKey);
  directory.close();
});

async function opened(options: { clock?: ManualClock; failures?: unknown[] } = {}): Promise<Directory> {
  const { clock = new ManualClock(Date.parse("2026-11-24")), failures = [] } = options;
  return createDirectory({ db: store.db, clock, whenAway, onFailure: (error) => failures.push(error) });
}

/** Lets the polling that a clock's advance set off come to its end, whatever that is. */
async function until(condition: () => boolean): Promise<void> {
  const startMs = systemClock.monotonicMs();
  while (!condition()) {
    assert.ok(systemClock.monotonicMs() - startMs < 30_000, "waited in vain");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("a key is known by its digest; missing, wrong, expired and revoked ones are told apart", async () => {
  const { organisation, project, key } = await tenant("known");
  const clock = new ManualClock(Date.parse("2026-11-24"));
  const expiring = granted(
    await tenancyWith(() => Promise.resolve(), [], clock).createKey({
      project: project.id,
      name: "e",
      limits: { expiresAt: "2026-11-24T00:00:10Z", monthlyBudget: "1.50" },
    }),
  );
  const directory = await opened({ clock });
  const holder = granted(directory.identify(key.key));
  assert.deepEqual([holder.key.id, holder.project.id, holder.organisation.id], [key.id, project.id, organisation.id]);
  assert.equal(granted(directory.identify(expiring.key)).limits[0]?.monthlyBudget, parseAmount("1.5"));
  refusedWith(directory.identify(undefined), "missing_key");
  for (const wrong of ["", "bwk_", `${key.key}A`, key.key.slice(0, -1), key.key.toLowerCase()]) {
    refusedWith(directory.identify(wrong), "invalid_key");
  }
  clock.advance(10_000);
  refusedWith(directory.identify(expiring.key), "expired_key");
  granted(await tenancy.revokeKey(key.id));
  await directory.refresh();
  refusedWith(directory.identify(key.key), "revoked_key");
  directory.close();
});

test("another gateway's revocation holds within a quarter of a second's poll", async () => {
  const { key } = await tenant("elsewhere");
  const clock = new ManualClock(Date.parse("2026-11-24"));
  const directory = await opened({ clock });
  const { epoch } = directory;
  granted(await tenancy.revokeKey(key.id));
  granted(directory.identify(key.key));
  clock.advance(250);
  await until(() => directory.epoch > epoch);
  refusedWith(directory.identify(key.key), "revoked_key");
  directory.close();
});

test("a change is seen at once where it was made; a refused one moves no epoch", async () => {
  const directory = await opened();
  const here = tenancyWith(() => directory.refresh());
  const { project } = await tenant("here");
  const keys = await Promise.all(
    ["a", "b", "c"].map(async (name) => {
      const key = granted(await here.createKey({ project: project.id, name, ...everything }));
      granted(directory.identify(key.key));
      return key;
    }),
  );
  assert.equal(new Set(keys.map(({ key }) => key)).size, 3);
  const { epoch } = directory;
  refusedWith(await here.createKey({ project: project.id, name: "a", ...everything }), "name_taken", "name");
  await directory.refresh();
  assert.equal(directory.epoch, epoch);
  directory.close();
});

test("a key whose directory cannot be refreshed is told all the same", async () => {
  const { project } = await tenant("unlucky");
  const failures: unknown[] = [];
  const unlucky = tenancyWith(() => Promise.reject(new Error("away")), failures);
  granted(await unlucky.createKey({ project: project.id, name: "k", ...everything }));
  assert.equal(failures.length, 1);
});

test("while the database is away keys are served on, as the settings say for each class of data", async () => {
  const { key } = await tenant("away");
  const clock = new ManualClock(Date.parse("2026-11-24"));
  const failures: unknown[] = [];
  const directory = await opened({ clock, failures });
  const stopped = (): DataClass[] =>
    (["public", "internal", "personal", "special-category", "restricted"] as const).filter(
      (dataClass) => directory.mayServe(dataClass) !== undefined,
    );
  await sql`ALTER TABLE epochs RENAME TO epochs_away`.execute(store.db);
  try {
    clock.advance(250);
    await until(() => failures.length === 1);
    assert.deepEqual(stopped(), []);
    clock.advance(751);
    assert.deepEqual(stopped(), ["internal", "personal", "special-category", "restricted"]);
    granted(directory.identify(key.key));
    assert.equal(refusedWith(directory.mayServe("personal"), "directory_stale").retryAfterSeconds, 2);
    await assert.rejects(directory.refresh());
    assert.equal(failures.length, 1, "an outage is reported once");
  } finally {
    await sql`ALTER TABLE epochs_away RENAME TO epochs`.execute(store.db);
  }
  clock.advance(250);
  await until(() => stopped().length === 0);
  directory.close();
});

test("keys that take longer to read than a confirmation counts are confirmed when they are read", async () => {
  await tenant("many");
  const clock = new ManualClock(Date.parse("2026-11-24"));
  const nowMs = clock.nowMs.bind(clock);
  clock.nowMs = () => {
    clock.advance(2_000);
    return nowMs();
  };
  const directory = await opened({ clock });
  assert.equal(directory.mayServe("personal"), undefined);
  directory.close();
});

test("what another release or a hand wrote into the tables never widens what a key may do", async () => {
  const { organisation, project, key } = await tenant("strange");
  await store.db
    .updateTable("projects")
    .set({ dataClass: "secret" })
    .where("id", "=", project.id as never)
    .execute();
  await sql`UPDATE organisations SET monthly_budget = 'NaN' WHERE id = ${organisation.id}`.execute(store.db);
  await sql`UPDATE projects SET monthly_budget = 1.0000000000009 WHERE id = ${project.id}`.execute(store.db);
  const directory = await opened();
  const holder = granted(directory.identify(key.key));
  // Policy permits nothing for a class that nobody declares, and what goes by the five takes it for restricted.
  assert.equal(holder.project.dataClass, "secret");
  assert.equal(baseClassOf(holder.project.dataClass, shippedDocument), "restricted");
  assert.deepEqual(
    holder.limits.map(({ monthlyBudget }) => monthlyBudget),
    [undefined, parseAmount("1"), 0n],
  );
  assert.equal(granted(await tenancy.showOrganisation(organisation.id)).limits.monthlyBudget, "0");
  directory.close();
});

test("an operator makes no key that opens content while the tenant can approve, nor for seven days after", async () => {
  const { organisation, project } = await tenant("guarded");
  const clock = new ManualClock(Date.parse("2026-03-01T00:00:00Z"));
  const here = tenancyWith(() => Promise.resolve(), [], clock);
  const make = (permissions: readonly KeyPermission[], isOwn = false, limits = {}) =>
    here.createKey({ project: project.id, name: undefined, limits, permissions, isOwn });
  granted(await make(["contents"]));
  const expiresAt = new Date(clock.nowMs() + 3_600_000).toISOString();
  granted(await make(["grants"], false, { expiresAt }));
  const other = granted(await here.createProject({ organisation: organisation.id, name: "guarded-2", ...everything }));
  for (const each of [project.id, other.id]) {
    const asked = here.createKey({ project: each, name: undefined, ...everything, permissions: ["contents"] });
    refusedWith(await asked, "tenant_only", "permissions");
  }
  granted(await make(["use", "erase"]));
  const approver = granted(await make(["grants"], true));
  granted(await make(["contents"], true));
  granted(await here.revokeKey(approver.id));
  clock.advance(6 * 86_400_000);
  refusedWith(await make(["grants"]), "tenant_only", "permissions");
  clock.advance(2 * 86_400_000);
  granted(await make(["grants"]));
});

test("a tenant makes so many keys at most", async () => {
  const { project } = await tenant("crowded");
  const row = await store.db
    .selectFrom("keys")
    .selectAll()
    .where("project", "=", project.id as never)
    .execute();
  const rows = Array.from({ length: 199 }, (_, index) => ({
    ...row[0]!,
    id: ids.mint("key"),
    name: `k-${index}`,
    secretHash: randomBytes(32),
  }));
  await store.db.insertInto("keys").values(rows).execute();
  const make = (isOwn: boolean) => tenancy.createKey({ project: project.id, name: undefined, ...everything, isOwn });
  refusedWith(await make(true), "invalid_request");
  granted(await make(false));
});
