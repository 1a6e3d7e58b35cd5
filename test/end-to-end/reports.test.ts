import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ask, control, makeKey } from "./asking.ts";
import { commandFails, ownQuestionAnswered, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";

const folder = temporaryFolder();
const attested = { class: "operator-attested", on: "2026-01-15" };
const owners = (country: string) => [{ name: "a founder", country, votesPercent: 100, capitalPercent: 100 }];
const subprocessors = [
  { name: "Backup AG", country: "CH", purpose: "keeps encrypted backups", since: "2026-01-01", evidence: attested },
];
const facts = {
  operators: [
    { name: "Netz GmbH", seat: "DE", owners: owners("DE"), evidence: attested },
    { name: "Away Inc", seat: "US", owners: owners("US"), evidence: attested },
  ],
  sites: [
    { name: "berlin", jurisdiction: "DE", operator: "Netz GmbH", accessFrom: [], evidence: attested },
    { name: "virginia", jurisdiction: "US", operator: "Away Inc", accessFrom: ["US"], evidence: attested },
  ],
  subprocessors,
  attestations: [
    { criterion: "SOV-8.1", text: "PUE 1.18 over 2025.", evidence: { ...attested, class: "third-party-attested" } },
    {
      criterion: "SOV-7.2",
      text: "Audited in 2024.",
      evidence: { ...attested, on: "2024-01-01", expires: "2025-01-01" },
    },
  ],
};
const settings = {
  site: { name: "berlin", jurisdiction: "DE", operator: "Netz GmbH" },
  disclosure: { processor: { name: "Netz <b>GmbH</b>", contact: "privacy@netz.example" } },
};

/** A second cloud, in the United States by its settings, is the upstream. */
let away: RunningCloud | undefined;
/** Its first request is its own: each cloud tries itself when it comes up. */
let cloud: RunningCloud;
let wardKey: string;

before(async () => {
  away = await startCloud({ data: join(folder.path, "away"), arguments: ["--engine", "fake"] });
  await control(away, "POST", "/projects", { organisation: "default", name: "far", dataClass: "public" });
  const upstreamKey = await makeKey(away, "upstream", { project: "far" });
  const upstream = {
    name: "away",
    url: `${away.url}/v1`,
    keyEnvironment: "AWAY_KEY",
    site: { name: "virginia", jurisdiction: "US" },
    models: [{ name: "far", upstreamName: "fake" }],
    endpoints: ["chat.completions"],
  };
  cloud = await startCloud({
    data: join(folder.path, "here"),
    arguments: ["--engine", "fake"],
    settings: JSON.stringify({ ...settings, upstreams: [upstream] }),
    environment: { AWAY_KEY: upstreamKey },
  });
  await ownQuestionAnswered(cloud);
  await control(cloud, "PUT", "/facts", { basedOn: 0, document: facts });
  await control(cloud, "POST", "/organisations", { name: "clinic" });
  await control(cloud, "POST", "/organisations", { name: "bank" });
  await control(cloud, "POST", "/projects", {
    organisation: "clinic",
    name: "ward",
    dataClass: "personal",
    processing: ["DE"],
  });
  await control(cloud, "POST", "/projects", { organisation: "bank", name: "news", dataClass: "public" });
  wardKey = await makeKey(cloud, "nurse", { project: "clinic/ward" });
  const newsKey = await makeKey(cloud, "desk", { project: "bank/news" });
  for (let times = 0; times < 3; times++) assert.equal((await ask({ url: cloud.url, key: wardKey })).status, 200);
  assert.equal((await ask({ url: cloud.url, key: wardKey, more: { model: "far" } })).status, 403);
  const headers = { "bailiwick-legal-basis": "public-information" };
  for (let times = 0; times < 2; times++) {
    assert.equal((await ask({ url: cloud.url, key: newsKey, more: { model: "far" }, headers })).status, 200);
  }
});

after(async () => {
  await (cloud as RunningCloud | undefined)?.kill();
  await away?.kill();
  folder.remove();
});

interface Told {
  readonly summary: string;
  readonly about: Readonly<Record<string, unknown>> & {
    readonly facts: { readonly version: number; readonly sha256: string };
  };
}

test("sovereignty is computed from what runs, what was declared, and where requests ran", async () => {
  interface Criterion {
    readonly id: string;
    readonly status: string;
    readonly answer: string | null;
  }
  const report = await cloud.command<
    Told & {
      readonly objectives: { readonly criteria: Criterion[] }[];
      readonly notCounted: { readonly what: string }[];
    }
  >("report", "sovereignty");
  const criteria = report.objectives.flatMap((each) => each.criteria);
  assert.equal(criteria.length, 48);
  const found = (id: string) => criteria.find((each) => each.id === id)!;
  assert.match(report.summary, /^\d+ of 48 criteria computed from live state, 1 attested, \d+ open\.$/);
  assert.match(
    found("SOV-3.4").answer!,
    /^Not confined: upstream away at site virginia \(US\) .*; 2 of 6 requests ran there\.$/,
  );
  assert.equal(found("SOV-8.1").status, "attested");
  assert.equal(found("SOV-7.2").status, "open", "what was attested has expired");
  assert.deepEqual(
    report.notCounted.map(({ what }) => what),
    ["attestation of SOV-7.2"],
  );
  const shown = await cloud.command<{ version: number; sha256: string }>("facts", "show");
  assert.deepEqual(report.about.facts, { version: shown.version, sha256: shown.sha256 });
});

test("transfers are what was placed outside, and none is said as none", async () => {
  const report = await cloud.command<Told & { readonly made: Readonly<Record<string, unknown>>[] }>(
    "report",
    "transfers",
  );
  assert.match(
    report.summary,
    /^2 of 6 requests from .* ran outside the EEA, or at a place that nobody has declared: US\.$/,
  );
  const [made] = report.made;
  assert.deepEqual(
    [made!["dataClass"], made!["requests"], made!["models"], made!["importer"], made!["reachedFrom"], made!["basis"]],
    [
      "public",
      2,
      ["far"],
      { name: "Away Inc", seat: "US", laws: ["US"] },
      ["US"],
      { adequacy: [], notCovered: ["US"], asserted: "public-information" },
    ],
  );
  const none = await cloud.command<Told>("report", "transfers", "--organisation", "clinic");
  assert.match(none.summary, /^None: 3 requests from .* were looked at, and none of them ran outside the EEA\.$/);
});

test("the record of processing is one tenant's, and names no other", async () => {
  const path = join(folder.path, "clinic.html");
  await cloud.command<Told>("report", "processing", "--organisation", "clinic").then((report) => {
    assert.doesNotMatch(JSON.stringify(report), /bank|news/);
  });
  const { stderr } = await commandText("report", "processing", "--organisation", "clinic", "--out", path);
  assert.match(stderr, /^Written to .*clinic\.html\.$/m);
  const page = readFileSync(path, "utf8");
  assert.match(page, /Record of processing for clinic/);
  assert.match(page, /Netz &lt;b&gt;GmbH&lt;\/b&gt;/, "what settings hold is text");
  assert.doesNotMatch(page, /bank|news|<b>|<script/);
});

test("sub-processors change with the facts, and the report says since when", async () => {
  const since = new Date().toISOString();
  const more = [
    { ...subprocessors[0]!, until: "2026-12-31" },
    { name: "Help SARL", country: "FR", purpose: "support", since: "2026-01-01", evidence: attested },
  ];
  await control(cloud, "PUT", "/facts", { basedOn: 1, document: { ...facts, subprocessors: more } });
  interface Changes {
    readonly changes: { readonly facts: { readonly version: number } } & Readonly<
      Record<"added" | "removed" | "changed", readonly unknown[]>
    >;
  }
  const { changes } = await cloud.command<Changes>("report", "sub-processors", "--since", since);
  assert.equal(changes.facts.version, 1);
  assert.deepEqual([changes.added.length, changes.removed.length, changes.changed.length], [1, 0, 1]);
});

test("anybody reads the page on jurisdiction; it holds nothing of a tenant, and runs nothing", async () => {
  const answer = await fetch(`${cloud.url}/.well-known/bailiwick/jurisdiction`);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-type")!, /^text\/html/);
  assert.match(answer.headers.get("content-security-policy")!, /default-src 'none'/);
  const page = await answer.text();
  assert.match(page, /Jurisdiction of the infrastructure[^]*virginia[^]*Away Inc/);
  assert.doesNotMatch(page, /clinic|ward|bank|<script|host_/);
  const json = (await (await fetch(`${cloud.url}/.well-known/bailiwick/jurisdiction.json`)).json()) as Told;
  const told = await cloud.command<Told>("report", "jurisdiction");
  assert.deepEqual({ ...json, about: { ...json.about, at: "" } }, { ...told, about: { ...told.about, at: "" } });
});

test("a tenant's log has each request with its receipt, model and decision, and ends with its count", async () => {
  const path = join(folder.path, "ward.jsonl");
  await commandText("report", "ai-act-log", "--project", "clinic/ward", "--out", path);
  const lines = readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  assert.deepEqual(
    lines.map(({ line }) => line),
    ["opening", "request", "request", "request", "refusal", "end"],
  );
  const [opening, request] = lines;
  assert.equal(opening!["format"], "bailiwick-ai-act-log/1");
  assert.equal((opening!["retention"] as { isKept: boolean }).isKept, true);
  assert.match(String(request!["receipt"]), /^rcpt_/);
  assert.match((request!["decision"] as { digest: string }).digest, /^[0-9a-f]{64}$/);
  assert.deepEqual([request!["jurisdiction"], request!["dataClass"], request!["ending"]], ["DE", "personal", "stop"]);
  assert.deepEqual([lines[4]!["code"], lines[4]!["model"]], ["no_permitted_site", "far"]);
  assert.deepEqual(lines[5], { line: "end", requests: 3, refusals: 1 });
  const receipt = await fetch(`${cloud.url}/v1/receipts/${String(request!["receipt"])}`, {
    headers: { authorization: `Bearer ${wardKey}` },
  });
  assert.equal(receipt.status, 200, "the log's ids are those of receipts");
  // In parts of one line each it is the same log.
  const items: unknown[] = [];
  let after = "";
  do {
    const query = `project=clinic%2Fward&limit=1${after}`;
    const part = await control<LogPart>(cloud, "GET", `/reports/ai-act-log?${query}`);
    items.push(...part.items);
    after = part.next === null ? "" : `&after=${encodeURIComponent(part.next)}`;
  } while (after !== "");
  assert.deepEqual(items, lines.slice(1, -1));
});

interface LogPart {
  readonly items: readonly unknown[];
  readonly next: string | null;
}

test("the same state is the same report, apart from the time", async () => {
  const period = ["--from", "2026-01-01", "--to", "2099-01-01"];
  const told = async (): Promise<Told> => {
    const report = await cloud.command<Told>("report", "transfers", ...period);
    return { ...report, about: { ...report.about, at: "" } };
  };
  assert.deepEqual(await told(), await told());
});

test("what cannot be reported is refused in words", async () => {
  const refused = async (...args: readonly string[]) => {
    const { code, stderr } = await commandFails(["report", ...args, "--data", cloud.data, "--json"]);
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string; param?: string } };
    return { exit: code, ...error };
  };
  const unknown = await refused("processing", "--organisation", "clinik");
  assert.deepEqual([unknown.exit, unknown.code], [2, "not_found"]);
  assert.match(unknown.message, /"clinic"/);
  const turned = await refused("transfers", "--from", "2026-11-02", "--to", "2026-11-01");
  assert.deepEqual([turned.exit, turned.code, turned.param], [2, "invalid_request", "to"]);
  assert.match(turned.message, /ends \(--to: 2026-11-01.*before it begins/);
  const nowhere = await refused("transfers", "--area", "EUR");
  assert.equal(nowhere.code, "invalid_request");
  const project = await refused("ai-act-log", "--project", "clinic/warrd");
  assert.equal(project.code, "not_found");
  const invalid = join(folder.path, "invalid.json");
  writeFileSync(invalid, JSON.stringify({ attestations: [{ criterion: "SOV-9.1", text: "x", evidence: attested }] }));
  const applied = await commandFails(["facts", "apply", invalid, "--data", cloud.data]);
  const circle = [
    { ...facts.operators[0]!, owners: [{ operator: "Away Inc", votesPercent: 100, capitalPercent: 100 }] },
    { ...facts.operators[1]!, owners: [{ operator: "Netz GmbH", votesPercent: 100, capitalPercent: 100 }] },
  ];
  writeFileSync(join(folder.path, "circle.json"), JSON.stringify({ ...facts, operators: circle }));
  const circular = await commandFails(["facts", "apply", join(folder.path, "circle.json"), "--data", cloud.data]);
  assert.match(circular.stderr, /document_invalid/, "a circle of owners never comes as far as a report");
  assert.match(applied.stderr, /"SOV-9\.1" is no criterion; did you mean "SOV-1\.1"\?/);
});

test("a cloud without facts has reports that say so", async () => {
  const report = await away!.command<Told & { readonly counts: { readonly attested: number } }>(
    "report",
    "sovereignty",
  );
  assert.deepEqual([report.about.facts.version, report.counts.attested], [0, 0]);
  const { summary } = await away!.command<Told>("report", "sub-processors");
  assert.match(summary, /^The facts list no sub-processor\./);
  const transfers = await away!.command<Told>("report", "transfers");
  assert.match(
    transfers.summary,
    /nobody has declared: no declared place\.$/,
    "what nobody declared is not taken for inside",
  );
});

/** A command's words on both streams, where it goes well. */
async function commandText(...args: readonly string[]) {
  const ran = await commandFails([...args, "--data", cloud.data]);
  assert.equal(ran.code, 0, ran.stderr);
  return ran;
}
