import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, randomBytes } from "node:crypto";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import {
  createIds,
  type InvoiceId,
  ManualClock,
  type OrganisationId,
  type RequestId,
  withPrefix,
} from "../base/index.ts";
import { type Contents, fileKeyEncryption, openContents } from "../contents/index.ts";
import { openSigningKeys, verifySignedFile } from "../receipt/index.ts";
import type { Store } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres, temporaryStore } from "../store/testing.ts";
import { createTenancy } from "../tenancy/index.ts";
import { appendToLedger, createErasures, type Erasures, erasureType, type ErasureTold, readLedger } from "./index.ts";
import type { ErasureKind } from "./progress.ts";
import { stepsOf } from "./steps.ts";

let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(async () => {
  await temporary.remove();
});

const retention = { public: 100, internal: 100, personal: 100, "special-category": 100, restricted: 100 };

/** A database with two tenants, each with contents, receipts and usage; `failAt`: the statement that fails once. */
async function cloud(context: TestContext) {
  const clock = new ManualClock(Date.parse("2026-11-26T12:00:00Z"));
  const ids = createIds(clock);
  const installation = ids.mint("inst");
  const store = await temporaryStore(temporary, clock);
  const { db } = store;
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-erasure-"));
  const ledger = join(folder, "erasures.ndjson");
  const common = { db, clock, ids, randomBytes, onFailure: (error: unknown) => assert.fail(String(error)) };
  const known = () => ({
    groups: {},
    regimes: new Set<string>(),
    document: { dataClasses: [] },
    retention: { usualSeconds: retention, mostSeconds: retention },
  });
  const tenancy = createTenancy({ ...common, known, onChange: () => Promise.resolve() });
  const encryption = fileKeyEncryption(join(folder, "key"), randomBytes, true);
  const contents = await openContents({
    ...common,
    keysFolder: join(folder, "keys"),
    spoolFolder: join(folder, "spool"),
    encryptionOf: () => encryption,
    bytesMax: 1e9,
    waitingBytesMax: 1e9,
    onLost: () => Promise.resolve(),
  });
  const signing = openSigningKeys(join(folder, "signing"), clock.nowMs());
  const failures: string[] = [];
  const forgotten: string[] = [];
  const erasuresWith = (broken: (store: string) => void = () => undefined): Erasures =>
    createErasures({
      ...common,
      stores: {
        db,
        contents: failing(contents, broken),
        shipped: () => Promise.resolve((broken("shipped"), true)),
        onChange: () => Promise.resolve(broken("onChange")),
        forget: (project) => {
          broken("forget");
          forgotten.push(project);
          return Promise.resolve([
            { destination: "host_1", kind: "host", outcome: "forgotten", running: 1 },
            { destination: "host_2", kind: "host", outcome: "away", running: 0 },
            { destination: "elsewhere", kind: "upstream", outcome: "unable", running: 0 },
          ]);
        },
        now: () => new Date(clock.nowMs()),
      },
      signing,
      installation,
      backups: () => Promise.resolve(["2026-11-25T00:00:00.000Z /backups/1"]),
      keepForRestores: (entry) => appendToLedger(ledger, entry),
      onFailure: (error) => void failures.push((error as Error).message),
    });
  context.after(async () => {
    await contents.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const tenants = [];
  for (const name of ["clinic", "rival"]) tenants.push(await tenant(name, { tenancy, contents, store, ids, clock }));
  return {
    erasuresWith,
    contents,
    store,
    signing,
    clinic: tenants[0]!,
    rival: tenants[1]!,
    tenancy,
    failures,
    forgotten,
    ledger,
  };
}

/** The store's contents with a hook before each call: what fails there has not happened. */
function failing(contents: Contents, broken: (name: string) => void) {
  return {
    keys: contents.keys,
    subjectTag: (scope: object, subject: string) => contents.subjectTag(scope, subject),
    caughtUp: () => Promise.resolve(broken("caughtUp")).then(() => contents.caughtUp()),
    remove: (project: string, requests: readonly RequestId[]) =>
      Promise.resolve(broken("remove")).then(() => contents.remove(project, requests)),
    replaceKeys: (...more: Parameters<Contents["replaceKeys"]>) =>
      Promise.resolve(broken("replaceKeys")).then(() => contents.replaceKeys(...more)),
  };
}

type Made = {
  readonly tenancy: ReturnType<typeof createTenancy>;
  readonly contents: Contents;
  readonly store: Store;
  readonly ids: ReturnType<typeof createIds>;
  readonly clock: ManualClock;
};

async function tenant(name: string, { tenancy, contents, store, ids, clock }: Made) {
  const organisation = await tenancy.createOrganisation({ name, limits: {} });
  assert.ok(!("outcome" in organisation));
  const project = await tenancy.createProject({ organisation: name, name: `${name}-app`, limits: {} });
  assert.ok(!("outcome" in project));
  const key = await tenancy.createKey({ project: project.id, name: undefined, limits: {} });
  assert.ok(!("outcome" in key));
  const requests: RequestId[] = [];
  for (const subject of ["anna", "bert", null]) {
    const request = ids.mint("req");
    requests.push(request);
    const atMs = clock.nowMs();
    const head = { request, project: project.id, organisation: organisation.id, atMs, untilMs: atMs + 1e9 };
    await contents.keep(
      { ...head, dataClass: "personal", model: "fake", endpoint: "completions" },
      { request: Buffer.from(`of ${subject}`), response: Buffer.from("x"), complete: true, subject, isTooLong: false },
    );
    const place = { gateway: "gw_1" as never, segment: 1, recordOffset: requests.length + (name === "rival" ? 10 : 0) };
    await store.db
      .insertInto("receipts")
      .values({ id: withPrefix("rcpt", request), project: project.id as never, payload: "{}", ...place, leaf: 0 })
      .execute();
    const time = new Date(clock.nowMs());
    const whose = { organisation: organisation.id as never, project: project.id as never, key: key.id as never };
    const said = {
      model: "fake",
      endpoint: "completions",
      site: "here",
      ending: "stop" as const,
      startedAt: time,
      endedAt: time,
    };
    await store.db
      .insertInto("usage")
      .values({ request, ...place, ...whose, ...said, unrated: "a test" })
      .execute();
  }
  await contents.caughtUp();
  return { organisation: organisation.id, project: project.id, key: key.id, requests };
}

type Tenant = Awaited<ReturnType<typeof tenant>>;

function scopeFor(kind: ErasureKind, { organisation, project, requests }: Tenant) {
  const common = { organisation, reason: "they asked", by: "operator" };
  if (kind === "organisation") return { ...common, project: null };
  if (kind === "project") return { ...common, project };
  return kind === "request" ? { ...common, project, request: requests[0]! } : { ...common, project, subject: "anna" };
}

async function left(store: Store, { project }: Tenant) {
  const count = async (table: "contents" | "receipts" | "usage") =>
    (
      await store.db
        .selectFrom(table)
        .select("project")
        .where("project", "=", project as never)
        .execute()
    ).length;
  return { contents: await count("contents"), receipts: await count("receipts"), usage: await count("usage") };
}

interface Statement {
  readonly erased: readonly { store: string; count: number; ids: string[] }[];
  readonly kept: readonly { store: string; count: number | null }[];
  readonly copies: { readonly caches: readonly { destination: string; outcome: string; says: string }[] };
  readonly of: string;
}

function statedBy(told: ErasureTold, jwks: string): Statement {
  const verdict = verifySignedFile(Buffer.from(told.statement ?? ""), erasureType, Buffer.from(jwks));
  assert.equal(verdict.outcome, "valid", JSON.stringify(verdict));
  return (verdict as unknown as { statement: Statement }).statement;
}

const expected = {
  request: { left: { contents: 2, receipts: 2, usage: 3 }, erased: 1 },
  subject: { left: { contents: 2, receipts: 2, usage: 3 }, erased: 1 },
  project: { left: { contents: 0, receipts: 0, usage: 3 }, erased: 3 },
  organisation: { left: { contents: 0, receipts: 0, usage: 3 }, erased: 3 },
} as const;

for (const kind of ["request", "subject", "project", "organisation"] as const) {
  test(`erasing a ${kind}: gone from every store, usage kept, signed, and nobody else's touched`, async (context) => {
    const { erasuresWith, store, signing, clinic, rival, contents, forgotten } = await cloud(context);
    const erasures = erasuresWith();
    const told = await erasures.erase(scopeFor(kind, clinic), 60_000);
    assert.ok(!("outcome" in told), JSON.stringify(told));
    assert.equal(told.state, "done");
    assert.deepEqual(await left(store, clinic), expected[kind].left);
    assert.deepEqual(await left(store, rival), { contents: 3, receipts: 3, usage: 3 });
    assert.equal((await contents.show(rival.requests[0]!, {}))?.input.toString(), "of anna");
    const stated = statedBy(told, signing.jwks());
    const of = (name: string) => stated.erased.find((each) => each.store === name);
    assert.deepEqual([of("contents")?.count, of("receipts")?.count], [expected[kind].erased, expected[kind].erased]);
    // Ids and pseudonyms stand there under the tenant's key only.
    const blinded = createHmac("sha256", Buffer.from(told.blinding, "hex")).update(clinic.requests[0]!).digest("hex");
    assert.ok(of("contents")?.ids.includes(blinded));
    const named = { request: clinic.requests[0]!, subject: "anna", project: "", organisation: "" }[kind];
    const hidden = createHmac("sha256", Buffer.from(told.blinding, "hex")).update(named).digest("hex");
    assert.equal(stated.of, named === "" ? clinic[kind as "project"] : hidden);
    assert.ok(!told.statement!.includes(clinic.requests[0]!) && !JSON.stringify(stated).includes("anna"));
    assert.equal(
      stated.kept.find((each) => each.store === "usage")?.count,
      kind === "request" || kind === "subject" ? 1 : 3,
    );
    // Every destination was told to forget the project, and the statement says what each did.
    assert.deepEqual(forgotten, [clinic.project]);
    assert.deepEqual(
      stated.copies.caches.map(({ destination, outcome }) => [destination, outcome]),
      [
        ["host_1", "forgotten"],
        ["host_2", "away"],
        ["elsewhere", "unable"],
      ],
    );
    assert.match(stated.copies.caches[0]!.says, /1 answers ran/);
    // What stays opens as before.
    if (kind === "request") assert.equal((await contents.show(clinic.requests[1]!, {}))?.input.toString(), "of bert");
    // Nothing that names what is gone stays behind with the erasure itself.
    const row = await store.db.selectFrom("erasures").selectAll().executeTakeFirstOrThrow();
    assert.ok(!row.progress.includes("req_"));
  });

  test(`erasing a ${kind}: each step fails in turn and runs twice, and the statement counts the same`, async (context) => {
    const { erasuresWith, store, signing, clinic, failures } = await cloud(context);
    const steps = stepsOf({ kind }).length;
    const calls: string[] = [];
    let failAt = 0;
    const erasures = erasuresWith((name) => {
      calls.push(name);
      if (calls.length - 1 === failAt) throw new Error(`${name} failed`);
    });
    const first = await erasures.erase(scopeFor(kind, clinic), 60_000);
    assert.ok(!("outcome" in first));
    assert.equal(first.state, "running");
    assert.equal(first.statement, null);
    // Every outside call fails once, each time in a process of its own that goes on from what the last one has kept.
    for (failAt = 1; failAt < 40; failAt++) {
      calls.length = 0;
      await erasuresWith((name) => {
        calls.push(name);
        if (calls.length - 1 === 0 && failAt % 2 === 1) throw new Error(`${name} failed`);
        if (calls.length - 1 === 1 && failAt % 4 === 2) throw new Error(`${name} failed`);
      }).resume();
      const found = await erasures.show(first.id, {});
      assert.ok(!("outcome" in found));
      if (found.state === "done") break;
      // A step that was over and is not marked runs again: its mark is taken away.
      const marked = found.steps.slice(0, -1);
      if (failAt % 3 === 0)
        await store.db
          .updateTable("erasures")
          .set({ steps: marked })
          .where("id", "=", first.id as never)
          .execute();
    }
    const told = await erasures.show(first.id, {});
    assert.ok(!("outcome" in told) && told.state === "done", JSON.stringify([told, failures]));
    assert.equal(told.steps.length, steps);
    assert.ok(failures.length > 0);
    assert.deepEqual(await left(store, clinic), expected[kind].left);
    const stated = statedBy(told, signing.jwks());
    assert.equal(stated.erased.find((each) => each.store === "contents")?.count, expected[kind].erased);
  });
}

test("erasing an organisation erases who it is on invoices, and keeps what was issued, as its statement says", async (context) => {
  const { erasuresWith, store, signing, clinic, rival } = await cloud(context);
  const { db } = store;
  const at = new Date(0);
  for (const { organisation } of [clinic, rival]) {
    const owner = organisation as OrganisationId;
    const said = { party: '{"name":"A person"}', changedAt: at, changedBy: "operator" };
    await db
      .insertInto("organisationParties")
      .values({ organisation: owner, ...said })
      .execute();
    const id: InvoiceId = `inv_${organisation}`;
    const amounts = { net: "1", tax: "0", gross: "1", residual: "0" };
    const billed = { period: "2026-03", currency: "EUR", bill: "{}", createdAt: at };
    await db
      .insertInto("invoices")
      .values({ id, organisation: owner, ...billed, ...amounts })
      .execute();
    const days = { issueDate: "2026-04-01", dueDate: null, issuedAt: at, issuedBy: "operator" };
    const told = { seller: "s", number: `INV-${organisation}`, kind: "invoice" as const, invoice: id };
    await db
      .insertInto("invoiceDocuments")
      .values({ ...told, ...days, document: '{"buyer":"A person"}' })
      .execute();
  }
  const told = await erasuresWith().erase(scopeFor("organisation", clinic), 60_000);
  assert.ok(!("outcome" in told));
  const parties = await db.selectFrom("organisationParties").select("organisation").execute();
  assert.deepEqual(parties, [{ organisation: rival.organisation }]);
  assert.equal((await db.selectFrom("invoiceDocuments").select("number").execute()).length, 2);
  const stated = statedBy(told, signing.jwks());
  assert.deepEqual(
    stated.erased.find((each) => each.store === "party"),
    { store: "party", count: 1, ids: [] },
  );
  assert.equal(stated.kept.find((each) => each.store === "invoices")?.count, 1);
  assert.ok(!JSON.stringify(stated).includes("A person"));
});

test("every step of a project's erasure may run twice", async (context) => {
  const { erasuresWith, store, clinic } = await cloud(context);
  const erasures = erasuresWith();
  const told = await erasures.erase(scopeFor("project", clinic), 60_000);
  assert.ok(!("outcome" in told));
  const { project } = clinic;
  const progress = JSON.stringify({
    of: project,
    stated: project,
    projects: [project],
    requests: [],
    keys: [],
    found: {},
    usageRows: 0,
    backups: [],
    caches: [],
  });
  await store.db.updateTable("erasures").set({ steps: [], finishedAt: null, statement: null, progress }).execute();
  await erasures.resume();
  const again = await erasures.show(told.id, {});
  assert.ok(!("outcome" in again) && again.state === "done");
  assert.deepEqual(await left(store, clinic), expected.project.left);
});

test("what is erased is changed no more and gets no key; its name is free again", async (context) => {
  const { erasuresWith, clinic, tenancy } = await cloud(context);
  await erasuresWith().erase(scopeFor("organisation", clinic), 60_000);
  for (const refused of [
    await tenancy.createKey({ project: clinic.project, name: undefined, limits: {} }),
    await tenancy.updateProject(clinic.project, { limits: { expiresAt: null } }),
    await tenancy.createProject({ organisation: clinic.organisation, name: "x", limits: {} }),
    await tenancy.updateOrganisation(clinic.organisation, { limits: { expiresAt: null } }),
    await tenancy.eraseDigestKey(clinic.project),
  ]) {
    assert.ok("outcome" in refused);
    assert.equal(refused.code, "erased");
  }
  assert.ok(!("outcome" in (await tenancy.createOrganisation({ name: "clinic", limits: {} }))));
});

test("an erasure is another tenant's to nobody, and what names nothing sensible is refused", async (context) => {
  const { erasuresWith, clinic, rival } = await cloud(context);
  const erasures = erasuresWith();
  const told = await erasures.erase(scopeFor("request", clinic), 60_000);
  assert.ok(!("outcome" in told));
  const strange = await erasures.show(told.id, { organisation: rival.organisation });
  assert.ok("outcome" in strange && strange.code === "not_found");
  assert.deepEqual((await erasures.list({ project: rival.project }, { limit: 9, after: undefined })).items, []);
  // Another tenant's request is nothing of one's own: nothing of it goes.
  const theirs = await erasures.erase({ ...scopeFor("request", clinic), request: rival.requests[0]! }, 60_000);
  assert.ok(!("outcome" in theirs) && theirs.state === "done");
  for (const more of [
    { request: "x" },
    { request: clinic.requests[1]!, subject: "anna" },
    { project: null, subject: "anna" },
  ]) {
    const refused = await erasures.erase({ ...scopeFor("request", clinic), ...more }, 60_000);
    assert.ok("outcome" in refused && refused.code === "invalid_request", JSON.stringify(more));
  }
});

test("a statement with any byte changed, of another type or under another key does not verify", async (context) => {
  const { erasuresWith, clinic, signing } = await cloud(context);
  const told = await erasuresWith().erase(scopeFor("request", clinic), 60_000);
  assert.ok(!("outcome" in told) && told.statement !== null);
  const file = Buffer.from(told.statement);
  const keys = Buffer.from(signing.jwks());
  for (let at = 0; at < file.length; at++) {
    const changed = Buffer.from(file);
    changed[at]! ^= 1;
    assert.notEqual(verifySignedFile(changed, erasureType, keys).outcome, "valid", `byte ${at}`);
  }
  assert.equal(verifySignedFile(file, `${erasureType}x`, keys).outcome, "invalid");
  const { x } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
  const other = Buffer.from(JSON.stringify({ keys: [{ kty: "OKP", crv: "Ed25519", x }] }));
  assert.equal(verifySignedFile(file, erasureType, other).outcome, "invalid");
});

/** Everything that the database holds, as one text. */
async function everything({ db }: Store): Promise<string> {
  const all = await Promise.all(
    (["organisations", "projects", "keys", "grants", "reservations", "decisions", "refusals"] as const).map((table) =>
      db.selectFrom(table).selectAll().execute(),
    ),
  );
  return JSON.stringify(all);
}

for (const kind of ["project", "organisation"] as const) {
  test(`erasing a ${kind}: names, notes, reasons and purposes that people wrote about it go, and nobody else's`, async (context) => {
    const { erasuresWith, store, clinic, rival, tenancy } = await cloud(context);
    const soon = new Date(Date.parse("2026-12-26T12:00:00Z"));
    for (const [mark, of, at] of [
      ["anna-m", clinic, 1],
      ["rival-m", rival, 2],
    ] as const) {
      const whose = { organisation: of.organisation as never, project: of.project as never };
      const valid = await tenancy.createKey({ project: of.project, name: `${mark}-key`, limits: {} });
      const old = await tenancy.createKey({ project: of.project, name: `${mark}-old`, limits: {} });
      assert.ok(!("outcome" in valid) && !("outcome" in old));
      await tenancy.revokeKey(old.id);
      const asked = { operator: "kim", seconds: 60, askedAt: soon, askedBy: "kim" };
      await store.db
        .insertInto("grants")
        .values({ ...asked, id: `grt_${at}` as never, ...whose, reason: `${mark} has asked` })
        .execute();
      const times = { startsAt: new Date(0), untilAt: new Date(1 + at), createdAt: new Date(0) };
      await store.db
        .insertInto("reservations")
        .values({ ...times, id: `rsv_${at}` as never, project: of.project as never, share: "0.1", note: `for ${mark}` })
        .execute();
      const body = JSON.stringify({
        question: { project: { id: of.project }, narrowing: { purpose: `about ${mark}` } },
      });
      await store.db.insertInto("decisions").values({ digest: mark, body }).execute();
    }
    const told = await erasuresWith().erase(scopeFor(kind, clinic), 60_000);
    assert.ok(!("outcome" in told) && told.state === "done");
    const rest = await everything(store);
    assert.deepEqual(rest.match(/\S*anna-m\S*/g), null);
    for (const words of ["rival-m-key", "rival-m-old", "rival-m has asked", "for rival-m", "about rival-m"])
      assert.ok(rest.includes(words), words);
  });
}

test("a project that was made after the erasure of its organisation was asked for goes with it", async (context) => {
  const { erasuresWith, clinic, tenancy, store } = await cloud(context);
  let isFirst = true;
  const erasures = erasuresWith((name) => {
    if (name !== "onChange" || !isFirst) return;
    isFirst = false;
    throw new Error("the process ends here");
  });
  const begun = await erasures.erase(scopeFor("organisation", clinic), 60_000);
  assert.ok(!("outcome" in begun) && begun.state === "running");
  // As if nothing had been closed yet: another erasure was in its way.
  const organisation = clinic.organisation as never;
  await store.db.updateTable("organisations").set({ erasedAt: null }).where("id", "=", organisation).execute();
  const late = await tenancy.createProject({ organisation: clinic.organisation, name: "late", limits: {} });
  assert.ok(!("outcome" in late));
  await erasures.resume();
  const shown = await tenancy.showProject(late.id);
  assert.ok(!("outcome" in shown));
  assert.equal(shown.name, `erased-${late.id}`);
});

test("a person of a project that is erased is refused in words", async (context) => {
  const { erasuresWith, clinic, contents } = await cloud(context);
  const erasures = erasuresWith();
  await erasures.erase(scopeFor("project", clinic), 60_000);
  const again = await erasures.erase(scopeFor("subject", clinic), 60_000);
  assert.ok("outcome" in again && again.code === "erased", JSON.stringify(again));
  const { project, organisation } = clinic;
  await assert.rejects(contents.list({ project, organisation, subject: "anna" }, { limit: 9, after: undefined }), {
    name: "RefusalError",
  });
});

test("one tenant's erasures do not pile up before everybody's", async (context) => {
  const { erasuresWith, clinic, rival } = await cloud(context);
  const stuck = erasuresWith(() => {
    throw new Error("the database is away");
  });
  const asked = { ...scopeFor("request", clinic) };
  for (let count = 0; count < 50; count++) assert.ok(!("outcome" in (await stuck.erase(asked, 60_000))));
  const refused = await stuck.erase(asked, 60_000);
  assert.ok("outcome" in refused && refused.code === "overloaded");
  const other = await erasuresWith().erase(scopeFor("request", rival), 60_000);
  assert.ok(!("outcome" in other) && other.state === "done");
});

/** The tables that a restore of a backup of before would bring back. */
const restored = ["contents", "receipts", "projects", "organisations", "keys", "digestKeys"] as const;

for (const kind of ["request", "subject", "project", "organisation"] as const) {
  test(`what was erased of a ${kind}, and an older backup has brought back, is erased again by the ledger`, async (context) => {
    const { erasuresWith, store, clinic, rival, ledger, signing } = await cloud(context);
    const before = new Map<string, readonly object[]>();
    for (const table of restored) before.set(table, await store.db.selectFrom(table).selectAll().execute());
    const erasures = erasuresWith();
    const told = await erasures.erase(scopeFor(kind, clinic), 60_000);
    assert.ok(!("outcome" in told));
    await store.db.deleteFrom("erasures").execute();
    for (const table of restored.slice(0, 2)) {
      await store.db.deleteFrom(table).execute();
      await store.db
        .insertInto(table)
        .values([...before.get(table)!] as never)
        .execute();
    }
    for (const table of restored.slice(2)) {
      for (const row of before.get(table)! as { id: string }[]) {
        const { id, ...values } = row;
        await store.db
          .updateTable(table)
          .set(values as never)
          .where("id", "=", id as never)
          .execute();
      }
    }
    assert.deepEqual(await left(store, clinic), { contents: 3, receipts: 3, usage: 3 });
    appendFileSync(ledger, '{"v":1,"erasure":"ers_torn');
    const { entries, unreadable } = await readLedger(ledger);
    assert.deepEqual([entries.map(({ erasure }) => erasure), unreadable], [[told.id], [2]]);
    assert.equal(await erasures.replay(entries), 1);
    assert.equal(await erasures.replay(entries), 0, "once only");
    await erasures.resume();
    assert.deepEqual(await left(store, clinic), expected[kind].left);
    assert.deepEqual(await left(store, rival), { contents: 3, receipts: 3, usage: 3 });
    const again = await erasures.show(told.id, {});
    assert.ok(!("outcome" in again) && again.state === "done");
    assert.equal(statedBy(again, signing.jwks()).of, statedBy(told, signing.jwks()).of);
    // A line that was torn does not swallow the next one, and no pseudonym stands there.
    const text = readFileSync(ledger, "utf8");
    assert.ok(!text.includes("anna"));
    assert.deepEqual((await readLedger(ledger)).entries.length, 1);
  });
}

test("of the ledger is done again only what this database has", async (context) => {
  const { erasuresWith, clinic, ledger } = await cloud(context);
  const erasures = erasuresWith();
  const told = await erasures.erase(scopeFor("subject", clinic), 60_000);
  assert.ok(!("outcome" in told));
  const [entry] = (await readLedger(ledger)).entries;
  const later = { ...entry!, erasure: "ers_01KA0000000000000000000000", project: "prj_01KA0000000000000000000000" };
  assert.equal(await erasures.replay([later]), 0);
});
