import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { run, temporaryFolder, withCloud } from "./testing.ts";

const facts = `operators:
  - name: Netz GmbH
    seat: DE
    owners: [{ name: City, country: DE, votesPercent: 100, capitalPercent: 100 }]
    evidence: { class: operator-attested, on: "2026-01-15" }
sites:
  - name: berlin
    jurisdiction: DE
    operator: Netz GmbH
    accessFrom: []
    evidence: { class: operator-attested, on: "2026-01-15" }
`;
const own = '@id("own.none")\nforbid (principal, action, resource)\nwhen { context.baseClass == "restricted" };\n';

test("facts are applied from a file, shown, and listed; of two changes on one version the second is told", async (context) => {
  const { run, folder } = await withCloud(context);
  writeFileSync(join(folder, "facts.yaml"), facts);
  const applied = await run("facts apply facts.yaml --note first");
  assert.equal(applied.code, 0, applied.stderr);
  assert.match(applied.stdout, /^Version 1 of the facts, 0{12}, applied by operator at \S+: first\.\n$/);
  assert.match((await run("facts show")).stdout, /^operators:\n {2}- name: Netz GmbH\n/);
  const late = await run("facts apply facts.yaml --based-on 0");
  assert.deepEqual([late.code, late.stdout], [2, ""]);
  assert.match(late.stderr, /\(version_conflict\)\n {2}option: --based-on\n {2}next: Look at the newest version/);
  assert.match(
    (await run("facts history")).stdout,
    /^VERSION +AT +BY +SHA256 +NOTE\n +1 +\S+ +operator +0{12} +first\n$/,
  );
});

test("a document that is not valid is told with its lines, and is not sent", async (context) => {
  const { run, folder } = await withCloud(context);
  writeFileSync(
    join(folder, "facts.yaml"),
    facts.replace("jurisdiction: DE", "jurisdiction: UK").replace("seat: DE", "saet: DE"),
  );
  const failed = await run("facts apply facts.yaml --json");
  assert.deepEqual([failed.code, failed.stdout], [2, ""]);
  const { error } = JSON.parse(failed.stderr) as { error: { code: string; reasons: string[] } };
  assert.equal(error.code, "document_invalid");
  assert.ok(error.reasons.includes("facts.yaml:3: operators[0].saet: is not known; did you mean seat?"));
  assert.ok(
    error.reasons.some((reason) => /^facts\.yaml:8: sites\[0\]\.jurisdiction: .*did you mean "GB"/.test(reason)),
  );
  writeFileSync(join(folder, "torn.yaml"), "sites: [\n");
  assert.match((await run("facts apply torn.yaml")).stderr, /torn\.yaml:\d+: /);
  for (const line of ["facts apply .", "policy test .", "price-book apply ."]) {
    const { code, stderr } = await run(line);
    assert.equal(code, 2);
    assert.match(stderr, /^error: \S+ is a folder\. \(unusable_file\)\n {2}next: Name the file/, line);
  }
  assert.match((await run("facts show")).stderr, /No facts were ever applied/);
});

test("policies are checked without a server: exit code 1 with file, line and column, or 0 with what is odd", async (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, "own.cedar"), own);
  writeFileSync(join(folder, "bad.cedar"), own.replace("baseClass", "bassClass"));
  writeFileSync(join(folder, "base.cedar"), '@id("nothing") forbid (principal, action, resource);');
  writeFileSync(join(folder, "policy.yaml"), "regimes:\n  personal: [eu-personal]\n");
  const good = await run(["policy", "check", "own.cedar"], folder);
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /^Valid: \d+ policies with those that are shipped; regimes: .*de-health/);
  const bad = await run(["policy", "check", "bad.cedar", "--json"], folder);
  assert.equal(bad.code, 1);
  const { valid, problems } = JSON.parse(bad.stdout) as { valid: boolean; problems: string[] };
  assert.deepEqual([valid, problems.length], [false, 1]);
  assert.match(problems[0]!, /^bad\.cedar:3:\d+: .*bassClass/);
  const document = await run(["policy", "check", "policy.yaml"], folder);
  assert.deepEqual(
    [document.code, document.stdout],
    [1, 'policy.yaml:2: regimes.personal: no policy names the regime "eu-personal"\n'],
  );
  const odd = await run(["policy", "check", "base.cedar"], folder);
  assert.equal(odd.code, 0);
  assert.match(odd.stderr, /^warning: base\.cedar:1:1: "nothing" forbids everything to everybody/m);
  assert.match(odd.stderr, /^warning: .*no policy permits anything/m);
  assert.match((await run(["policy", "check", "own.txt"], folder)).stderr, /neither policies nor a document/);
});

test("policies that are applied take the place of the operator's, and what is not named stays", async (context) => {
  const { run, folder } = await withCloud(context);
  writeFileSync(join(folder, "own.cedar"), own);
  writeFileSync(join(folder, "policy.yaml"), "regimes: { personal: [eu-personal-data] }\n");
  assert.equal((await run("policy apply own.cedar")).code, 0);
  assert.equal((await run("policy apply policy.yaml")).code, 0);
  const shown = JSON.parse((await run("policy show --json")).stdout) as Record<string, unknown>;
  assert.deepEqual(
    [shown["version"], shown["files"], shown["document"]],
    [2, [{ name: "own.cedar", text: own }], { regimes: { personal: ["eu-personal-data"] } }],
  );
  assert.equal((await run("policy apply --shipped-only")).code, 0);
  assert.match((await run("policy show")).stdout, /^regimes:\n {2}personal:\n {4}- eu-personal-data\n$/);
});

test("a table of cases needs no server where files are named, and ends with 1 where a case fails", async (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, "facts.yaml"), facts);
  writeFileSync(join(folder, "own.cedar"), own);
  const cases = [
    {
      name: "stays",
      project: { dataClass: "personal", regimes: ["eu-personal-data"] },
      site: "berlin",
      expect: "permit",
    },
    { project: { dataClass: "restricted" }, site: "berlin", expect: "deny", policy: "own.none" },
  ];
  writeFileSync(join(folder, "table.json"), JSON.stringify({ cases }));
  const files = ["--facts", "facts.yaml", "--policies", "own.cedar"];
  const good = await run(["policy", "test", "table.json", ...files, "--json"], folder);
  assert.equal(good.code, 0, good.stderr);
  assert.deepEqual(JSON.parse(good.stdout), {
    passed: 2,
    failed: 0,
    cases: [
      { name: "stays", passed: true, found: "permit", deciding: ["base.processing"], message: null },
      { name: "infer restricted at berlin", passed: true, found: "deny", deciding: ["own.none"], message: null },
    ],
  });
  const bad = await run(["policy", "test", "table.json", "--facts", "facts.yaml"], folder);
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /infer restricted at berlin +FAILED +permit +base\.processing +expected deny, found permit/);
  assert.match(bad.stderr, /^1 passed, 1 failed\.$/m);
});

test("a drill names something to lose, in the form that its option takes", async (context) => {
  const { run } = await withCloud(context);
  assert.match((await run("drill")).stderr, /Give at least one of --lose, --revoke, --ban/);
  assert.match((await run("drill --lose fr")).stderr, /--lose takes site:NAME/);
  assert.match((await run("drill --revoke maker:X")).stderr, /--revoke takes adequacy:NAME or certificate:NAME/);
  assert.match((await run("drill --lose site:fr")).stderr, /There is no site "fr" to lose/);
  const { error } = JSON.parse((await run("drill --lose site:fr --json")).stderr) as { error: { next: string } };
  assert.match(error.next, /facts show/);
});
