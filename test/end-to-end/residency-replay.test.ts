import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ask, control, makeKey, type Seen, type SeenUsage } from "./asking.ts";
import { commandFails, eventually, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";

const folder = temporaryFolder();
const attested = { class: "operator-attested", on: "2026-01-01" };
const owners = [{ name: "a founder", country: "DE", votesPercent: 100, capitalPercent: 100 }];
const c5 = { scheme: "C5-type-2", scope: "all", issuedOn: "2026-01-01", expiresOn: "2099-12-31", evidence: attested };
const operators = [{ name: "Netz GmbH", seat: "DE", owners, evidence: attested }];
const berlin = { name: "berlin", jurisdiction: "DE", operator: "Netz GmbH", accessFrom: [], evidence: attested };
const paris = { ...berlin, name: "paris", jurisdiction: "FR" };
let cloud: RunningCloud;
/** Output tokens, by tier. */
const answered = { standard: 0, batch: 0 };

function outputOf({ status, text }: Seen): number {
  assert.equal(status, 200, text);
  return (JSON.parse(text) as { usage: SeenUsage }).usage.completion_tokens;
}

before(async () => {
  cloud = await startCloud({
    data: join(folder.path, "data"),
    arguments: ["--engine", "fake"],
    settings: JSON.stringify({ site: { name: "berlin", jurisdiction: "DE" } }),
  });
  const document = { operators, sites: [{ ...berlin, certificates: [c5] }, paris] };
  await control(cloud, "PUT", "/facts", { basedOn: 0, document });
  const hospital = { organisation: "default", name: "hospital", dataClass: "special-category", regimes: ["de-health"] };
  await control(cloud, "POST", "/projects", hospital);
  const key = await makeKey(cloud, "ward", { project: "hospital" });
  for (let times = 0; times < 2; times++) answered.standard += outputOf(await ask({ url: cloud.url, key }));
  answered.batch += outputOf(await ask({ url: cloud.url, key, more: { service_tier: "flex" } }));
  const headers = { "bailiwick-processing": "FR" };
  for (let times = 0; times < 2; times++) assert.equal((await ask({ url: cloud.url, key, headers })).status, 403);
  await cloud.command("usage");
});

after(async () => {
  await cloud.kill();
  folder.remove();
});

interface Part {
  readonly requests: number;
  readonly tenants: number;
  readonly deadlines?: readonly {
    readonly tier: string | null;
    readonly ttftMs: number | null;
    readonly tpotMs: number | null;
    readonly requests: number;
    readonly outputTokens: number;
    readonly uncounted: number;
  }[];
  readonly amounts: readonly { readonly currency: string; readonly amount: string }[];
  readonly placements: readonly Readonly<Record<string, unknown>>[];
}

test("explain names every site with the policies that decide and their articles", async () => {
  const args = ["--project", "hospital", "--model", "fake", "--action", "infer"];
  const found = await cloud.command<{ outcome: string; candidates: Readonly<Record<string, unknown>>[] }>(
    "policy",
    "explain",
    ...args,
  );
  assert.equal(found.outcome, "permitted");
  const [host, site] = found.candidates;
  assert.deepEqual([host!["kind"], host!["permitted"], host!["ready"]], ["host", true, true]);
  assert.deepEqual([site!["kind"], site!["destination"], site!["permitted"]], ["site", "paris", false]);
  const deciding = site!["deciding"] as { policy: string; article: string }[];
  assert.equal(deciding.find(({ policy }) => policy === "de-health.c5")?.article, "section 393(3) no. 2 and (4) SGB V");
  const refused = await commandFails([
    "policy",
    "explain",
    ...args,
    "--data-class",
    "restricted",
    "--data",
    cloud.data,
  ]);
  assert.match(refused.stdout, /^host host_\S+ at berlin \(DE\): PERMITTED, ready\n {2}base\.processing: none/m);
  const unknown = await commandFails(["policy", "explain", ...args, "--data-class", "personel", "--data", cloud.data]);
  assert.match(unknown.stderr, /There is no data class "personel"\. Did you mean "personal"\?/);
});

test("a drill says which requests, tenants, deadlines and amounts would have been lost, and what would have kept them", async () => {
  const found = await cloud.command<{ lost: Part; replayed: number; notReplayed: unknown[] }>(
    "drill",
    "--revoke",
    "certificate:C5-type-2",
  );
  assert.deepEqual([found.lost.requests, found.lost.tenants], [3, 1]);
  assert.ok(Number(found.lost.amounts[0]?.amount) > 0, JSON.stringify(found.lost.amounts));
  const [lost] = found.lost.placements;
  assert.deepEqual([lost!["project"], lost!["requests"]], ["default/hospital", 3]);
  assert.deepEqual(lost!["keptBy"], { kind: "certificate", site: "berlin", scheme: "C5-type-2" });
  const { standard, batch } = answered;
  assert.deepEqual(found.lost.deadlines, [
    { tier: "standard", ttftMs: 60_000, tpotMs: 250, requests: 2, outputTokens: standard, uncounted: 0 },
    { tier: "batch", ttftMs: 300_000, tpotMs: 2_000, requests: 1, outputTokens: batch, uncounted: 0 },
  ]);
  assert.deepEqual(found.notReplayed, []);
  const elsewhere = await cloud.command<{ lost: Part }>("drill", "--lose", "site:paris");
  assert.equal(elsewhere.lost.requests, 0);
  assert.deepEqual(elsewhere.lost.deadlines, []);
  const text = await commandFails(["drill", "--revoke", "certificate:C5-type-2", "--data", cloud.data]);
  assert.match(
    text.stdout,
    /^deadlines +2 requests, \d+ output tokens: standard \(ttft 60000 ms, tpot 250 ms\); 1 request, /m,
  );
});

test("a diff says what new policies would refuse, and which refusals they would lift", async () => {
  const strict = join(folder.path, "strict.cedar");
  writeFileSync(
    strict,
    '@id("own.strict") forbid (principal, action, resource) when { context.baseClass == "special-category" };',
  );
  const refusing = await cloud.command<{ refused: Part; permitted: Part }>("policy", "diff", strict);
  assert.deepEqual([refusing.refused.requests, refusing.permitted.requests], [3, 0]);
  // Where it lies does not matter any more, under a base that permits all.
  const base = join(folder.path, "base.cedar");
  writeFileSync(base, '@id("base.processing") permit (principal, action, resource);');
  const lifting = await cloud.command<{ refused: Part; permitted: Part }>("policy", "diff", base);
  assert.deepEqual([lifting.refused.requests, lifting.permitted.requests], [0, 2]);
  const held = await cloud.command<{ outcome: string }>("policy", "explain", "--project", "hospital");
  assert.equal(held.outcome, "permitted", "what was tried holds nowhere");
});

test("what was asked of policy outlives a crash between intent and settlement, and a restart", async () => {
  assert.equal(await cloud.stop(), 0);
  cloud = await startCloud({
    data: cloud.data,
    arguments: ["--engine", "fake"],
    settings: JSON.stringify({
      site: { name: "berlin", jurisdiction: "DE" },
      fake: { tokenMs: 50, tokens: 200 },
      tiers: { standard: { ttftMs: 7_000 } },
    }),
  });
  const key = await makeKey(cloud, "again", { project: "hospital" });
  let begun: () => void = () => undefined;
  const first = new Promise<void>((resolve) => (begun = resolve));
  const cut = ask({ url: cloud.url, key, stream: true, onPart: () => begun() });
  await first;
  await cloud.kill();
  await cut;
  cloud = await startCloud({
    data: cloud.data,
    arguments: ["--engine", "fake"],
    settings: JSON.stringify({ site: { name: "berlin", jurisdiction: "DE" } }),
  });
  await eventually("the settlement", () => cloud.output().includes("settled what an earlier run left open"));
  await cloud.command("usage");
  const found = await cloud.command<{ lost: Part }>("drill", "--revoke", "certificate:C5-type-2");
  assert.equal(found.lost.requests, 4, JSON.stringify(found.lost));
  // Each by what was promised when it ran.
  assert.deepEqual(
    found.lost.deadlines?.map(({ tier, ttftMs, requests }) => [tier, ttftMs, requests]),
    [
      ["standard", 7_000, 1],
      ["standard", 60_000, 2],
      ["batch", 300_000, 1],
    ],
  );
});
