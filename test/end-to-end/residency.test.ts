import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ask, control, errorIn, makeKey, processBelow } from "./asking.ts";
import { descendants, eventually, type RunningCloud, signal, startCloud, temporaryFolder } from "./cloud.ts";

const folder = temporaryFolder();
let cloud: RunningCloud;
let key: string;

const settings = {
  site: { name: "berlin", jurisdiction: "DE", operator: "Netz GmbH" },
  database: { whenAway: { afterMs: 3_000 } },
};
const attested = { class: "operator-attested", on: "2026-01-01" };
const owners = [{ name: "a founder", country: "DE", votesPercent: 100, capitalPercent: 100 }];
const facts = {
  operators: [{ name: "Netz GmbH", seat: "DE", owners, evidence: attested }],
  sites: [{ name: "berlin", jurisdiction: "DE-BE", operator: "Netz GmbH", accessFrom: [], evidence: attested }],
};

before(async () => {
  cloud = await startCloud({
    data: join(folder.path, "data"),
    arguments: ["--engine", "fake"],
    settings: JSON.stringify(settings),
  });
  await control(cloud, "POST", "/projects", { organisation: "default", name: "hospital", dataClass: "personal" });
  key = await makeKey(cloud, "ward", { project: "hospital" });
});

after(async () => {
  await cloud.kill();
  folder.remove();
});

interface Applied {
  readonly version: number;
  readonly warnings: readonly string[];
}

const apply = (kind: "facts" | "policies", basedOn: number, more: object): Promise<Applied> =>
  control<Applied>(cloud, "PUT", `/${kind}`, { basedOn, ...more });

test("under requests, facts that are changed hold within a second of the change's beginning, in both directions", async () => {
  assert.equal((await ask({ url: cloud.url, key })).status, 200);
  assert.deepEqual((await apply("facts", 0, { document: facts })).warnings, []);
  const asks = new AbortController();
  const seen: { readonly fromMs: number; readonly untilMs: number; readonly status: number | undefined }[] = [];
  const asking = Array.from({ length: 4 }, async () => {
    while (!asks.signal.aborted) {
      const fromMs = performance.now();
      const { status } = await ask({ url: cloud.url, key });
      seen.push({ fromMs, untilMs: performance.now(), status });
    }
  });
  // Those that begin and end within; which document one met that ran meanwhile is nobody's promise.
  const within = (fromMs: number, untilMs: number) =>
    seen.filter((each) => each.fromMs >= fromMs && each.untilMs < untilMs).map(({ status }) => status);
  const many = (fromMs: number) => eventually("enough requests", () => within(fromMs, Infinity).length >= 30);
  await many(0);
  const takenMs = performance.now();
  await apply("facts", 1, { document: { ...facts, withdrawn: { sites: ["berlin"] } } });
  await many(takenMs + 1_000);
  const givenMs = performance.now();
  await apply("facts", 2, { document: facts });
  await many(givenMs + 1_000);
  asks.abort();
  await Promise.all(asking);
  assert.deepEqual(new Set(within(0, takenMs)), new Set([200]));
  assert.deepEqual(new Set(within(takenMs + 1_000, givenMs)), new Set([403]));
  assert.deepEqual(new Set(within(givenMs + 1_000, Infinity)), new Set([200]));
});

test("a regime for all personal data holds as soon as the policy document says so; an invalid one changes nothing", async () => {
  const regimes = { personal: ["de-health"] };
  await apply("policies", 0, { document: { regimes } });
  const refused = await ask({ url: cloud.url, key });
  assert.equal(refused.status, 403);
  assert.match(refused.text, /C5/);
  const torn = [{ name: "own.cedar", text: '@id("own")\nforbid(principal, action' }];
  await assert.rejects(apply("policies", 1, { files: torn }), /422 .*document_invalid.*own\.cedar:2:/);
  assert.match((await ask({ url: cloud.url, key })).text, /C5/);
  await assert.rejects(apply("policies", 0, { document: {} }), /409 .*version_conflict/);
  await apply("policies", 1, { document: {} });
  assert.equal((await ask({ url: cloud.url, key })).status, 200);
});

test("whatever a tenant's headers say, they take away and never add", async () => {
  const abroad = { organisation: "default", name: "abroad", dataClass: "personal", processing: ["FR"] };
  await control(cloud, "POST", "/projects", { ...abroad, regimes: ["eu-personal-data", "de-health"] });
  const malicious = await makeKey(cloud, "malicious", { project: "abroad" });
  // Policies that would permit by what a header says are an operator's slip that no tenant may use.
  const text = `@id("by-purpose") permit(principal, action, resource)
    when { context has purpose && context.purpose == "care" };
    @id("by-basis") permit(principal, action, resource)
    when { context has legalBasis && context.legalBasis == "consent" };
    @id("by-class") permit(principal, action, resource) when { context.dataClass == "public" };`;
  await apply("policies", 2, { files: [{ name: "lax.cedar", text }] });
  const asks: readonly Record<string, string>[] = [
    {},
    { "bailiwick-data-class": "public" },
    { "bailiwick-processing": "DE,FR,EU,US" },
    { "bailiwick-purpose": "care" },
    { "bailiwick-legal-basis": "consent" },
    { "bailiwick-regimes": "open" },
    { "bailiwick-regimes": "" },
  ];
  const all = Object.assign({}, ...asks) as Record<string, string>;
  for (const headers of [...asks, all]) {
    const refused = await ask({ url: cloud.url, key: malicious, headers });
    assert.equal(refused.status, 403, `${JSON.stringify(headers)}: ${refused.text}`);
    assert.equal(errorIn(refused).code, "no_permitted_site");
  }
  await apply("policies", 3, {});
  for (const [headers, status] of [
    [{ "bailiwick-processing": "DE" }, 200],
    [{ "bailiwick-processing": "FR" }, 403],
    [{ "bailiwick-regimes": "de-health" }, 403],
    [{ "bailiwick-data-class": "public" }, 200],
    [{ "bailiwick-purpose": "care", "bailiwick-legal-basis": "consent" }, 200],
  ] as const) {
    assert.equal((await ask({ url: cloud.url, key, headers })).status, status, JSON.stringify(headers));
  }
});

test("a header that cannot be read is refused with its name, and so is one of ours that nobody knows", async () => {
  for (const [headers, param, message] of [
    [{ "bailiwick-data-class": "persnal" }, "bailiwick-data-class", /Did you mean "personal"\?/],
    [{ "bailiwick-processing": "UK" }, "bailiwick-processing", /did you mean "GB"\?/],
    [{ "bailiwick-purpose": "x".repeat(201) }, "bailiwick-purpose", /at most 200 characters/],
    [{ "bailiwick-legal-basis": "\u00e9" }, "bailiwick-legal-basis", /printable ASCII/],
    [{ "bailiwick-regimes": "eu-personal" }, "bailiwick-regimes", /Did you mean "eu-personal-data"\?/],
    [{ "bailiwick-dataclass": "personal" }, "bailiwick-dataclass", /Did you mean "bailiwick-data-class"\?/],
  ] as const) {
    const refused = await ask({ url: cloud.url, key, headers });
    const { code, message: said, param: named } = errorIn(refused);
    assert.deepEqual([refused.status, code, named], [400, "invalid_request", param]);
    assert.match(said, message);
  }
});

test("while the database is away, personal data is not served on a policy that cannot be confirmed", async () => {
  const postmaster = await processBelow(cloud, "postmaster");
  const database = [postmaster, ...(await descendants(postmaster))];
  for (const pid of database) signal(pid, "SIGSTOP");
  try {
    await eventually("personal data is stopped", async () => (await ask({ url: cloud.url, key })).status === 503);
    assert.equal(errorIn(await ask({ url: cloud.url, key })).code, "directory_stale");
  } finally {
    for (const pid of database) signal(pid, "SIGCONT");
  }
  await eventually("it is served again", async () => (await ask({ url: cloud.url, key })).status === 200);
});

test("the documents are there after a restart, and decide the first request", async () => {
  const document = { ...facts, withdrawn: { sites: ["berlin"] } };
  await apply("facts", 3, { document });
  assert.equal(await cloud.stop(), 0);
  cloud = await startCloud({ data: cloud.data, arguments: ["--engine", "fake"], settings: JSON.stringify(settings) });
  assert.equal((await ask({ url: cloud.url, key })).status, 403);
  assert.deepEqual((await control<{ document: object }>(cloud, "GET", "/facts")).document, document);
});

test("a project has data of an operator's own class, under its regimes, and the class stays declared meanwhile", async () => {
  const { version } = await control<{ version: number }>(cloud, "GET", "/policies");
  const dataClasses = [{ name: "patients", like: "special-category" }];
  await apply("policies", version, { files: [], document: { dataClasses, regimes: { patients: ["national"] } } });
  const own = { organisation: "default", name: "surgery", dataClass: "patients", country: "FR" };
  await assert.rejects(control(cloud, "POST", "/projects", { ...own, dataClass: "patient" }));
  const project = await control<{ dataClass: string }>(cloud, "POST", "/projects", own);
  assert.equal(project.dataClass, "patients");
  const secret = await makeKey(cloud, "surgeon", { project: "surgery" });
  await eventually("its regime holds", async () => (await ask({ url: cloud.url, key: secret })).status === 403);
  await assert.rejects(apply("policies", version + 1, { files: [], document: {} }));
  assert.equal((await control<{ version: number }>(cloud, "GET", "/policies")).version, version + 1);
  await control(cloud, "PATCH", "/projects/surgery", { dataClass: "personal" });
  await apply("policies", version + 1, { files: [], document: {} });
});
