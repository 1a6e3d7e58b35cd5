import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createSecretKey } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { errorCodes, ManualClock, refuse } from "../base/index.ts";
import {
  buildStatement,
  ByteDigest,
  digestKeyJwk,
  leafHashes,
  openSigningKeys,
  receiptFile,
} from "../receipt/index.ts";
import { exampleFacts } from "../receipt/testing.ts";
import { type Ran, type Run, run, temporaryFolder, withCloud } from "./testing.ts";

function runIn(folder: string): Run {
  return (line, environment) => run(line.split(" "), folder, environment);
}

async function withTenants(run: Run): Promise<void> {
  assert.equal((await run("org create default")).code, 0);
  assert.equal((await run("project create default --data-class public --processing DE,EU")).code, 0);
}

test("a project is not made by a path: the option that names its organisation is told", async (context) => {
  const { run } = await withCloud(context);
  const refused = await run("project create clinicorg/app --data-class public");
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /next: Name its organisation by an option: app --organisation clinicorg\./);
});

test("key create prints the id and the key; nothing prints the key again", async (context) => {
  const { run } = await withCloud(context);
  await withTenants(run);
  const made = await run("key create --project default --json --requests-per-minute 60 --expires 2030-12-31");
  assert.equal(made.code, 0, made.stderr);
  const { id, key, limits } = JSON.parse(made.stdout) as { id: string; key: string; limits: Record<string, unknown> };
  assert.match(id, /^key_/);
  assert.match(key, /^bw_/);
  assert.equal(limits["expiresAt"], "2031-01-01T00:00:00.000Z");
  const changed = await run(`key update ${id} --requests-per-minute none --monthly-budget 12.50 --json`);
  assert.equal(changed.code, 0, changed.stderr);
  assert.deepEqual(JSON.parse(changed.stdout).limits, {
    models: null,
    requestsPerMinute: null,
    tokensPerMinute: null,
    monthlyBudget: "12.5",
    expiresAt: "2031-01-01T00:00:00.000Z",
  });
  const revoked = await run(`key revoke ${id}`);
  assert.match(revoked.stdout, /state +revoked/);
  const listed = await run("key list");
  assert.match(
    listed.stdout,
    new RegExp(`^NAME +ID +PROJECT +STATE +MAY +LIMITS\n\\S+ +${id} +default/default +revoked`),
  );
  for (const { stdout, stderr } of [changed, revoked, listed]) assert.ok(!`${stdout}${stderr}`.includes(key));
  // Alone on standard output, so that a shell can catch it.
  const plain = await run("key create --project default/default");
  assert.match(plain.stdout, /^bw_\S+\n$/);
});

test("what a project says of where its data may be is set, shown and taken away", async (context) => {
  const { run } = await withCloud(context);
  await withTenants(run);
  const figures = "year=2026,individuals=120000,sensitive=300,standard-contract,important-data";
  const rules = `--storage anywhere --regimes eu-personal-data,national --exported ${figures}`;
  const changed = await run(`project update default ${rules}`);
  assert.match(
    changed.stderr,
    /^warning: The regime national permits nothing until the project names its country\.\n$/,
  );
  assert.match(changed.stdout, /storage +anywhere\nregimes +eu-personal-data national\n/);
  assert.match(
    changed.stdout,
    /exported +2026: 120000 individuals, 300 with sensitive information, standard-contract, important data\n/,
  );
  const named = JSON.parse((await run("project update default --country DE --json")).stdout) as Record<string, unknown>;
  assert.deepEqual([named["country"], named["regimes"]], ["DE", ["eu-personal-data", "national"]]);
  const none = "--storage as-processing --regimes by-class --country none --exported none";
  const plain = await run(`project update default ${none}`);
  assert.match(plain.stdout, /storage +where it is processed\nregimes +those of its data class\nunsupported/);
  for (const wrong of [
    "year=2026",
    "year=2026,individuals=1,sensitive=x",
    "year=2026,individuals=1,sensitive=0,other",
  ]) {
    const ran = await run(`project update default --exported ${wrong}`);
    assert.equal(ran.code, 2, wrong);
  }
});

test("a project's tier is set, changed and shown; another word is none", async (context) => {
  const { run } = await withCloud(context);
  assert.equal((await run("org create default")).code, 0);
  assert.match((await run("project create plain")).stdout, /\ntier +standard\n/);
  assert.match((await run("project create nightly --tier batch")).stdout, /\ntier +batch\n/);
  const changed = await run("project update nightly --tier interactive --json");
  assert.equal(JSON.parse(changed.stdout).tier, "interactive");
  assert.equal((await run("project update nightly --weight 3")).code, 0);
  const { stdout: listed } = await run("project list");
  assert.match(listed, /^NAME +ID +DATA +TIER +WEIGHT +PROCESSING +LIMITS$/m);
  assert.match(listed, /^default\/nightly +\S+ +\S+ +interactive +3 /m);
  const wrong = await run("project update nightly --tier flex");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /Allowed choices are interactive, standard, batch/);
});

test("usage prints the promised rows, every page of them, and a table for people", async (context) => {
  const { run, control } = await withCloud(context);
  const row = {
    organisation: "default",
    project: "default",
    key: "first",
    model: "fake",
    day: "2026-03-01",
    requests: 2,
    inputTokens: 20,
    cachedInputTokens: 4,
    outputTokens: 8,
    unrated: 0,
    amount: "0.0000052",
    currency: "EUR",
  };
  for (let count = 0; count < 1001; count++) control.operations.usageRows.push(row);
  const { stdout } = await run("usage --json");
  const rows = JSON.parse(stdout) as object[];
  assert.equal(rows.length, 1001);
  assert.deepEqual(rows[0], row);
  control.operations.usageRows.length = 1;
  const table = await run("usage --model fake");
  assert.equal(
    table.stdout,
    "DAY         PROJECT          KEY    MODEL  REQUESTS  INPUT  CACHED  OUTPUT  UNRATED         AMOUNT\n" +
      "2026-03-01  default/default  first  fake          2     20       4       8        0  0.0000052 EUR\n",
  );
  control.operations.shipped = false;
  const behind = await run("usage --json");
  assert.deepEqual([behind.code, behind.stdout], [2, ""]);
  const { error } = JSON.parse(behind.stderr) as { error: Record<string, string> };
  assert.deepEqual([error["code"], error["next"]], ["books_behind", errorCodes.books_behind.next]);
});

test("usage that other services told of is said to be there, and added up by SKU", async (context) => {
  const { run, control } = await withCloud(context);
  assert.equal((await run("usage")).stderr, "Nothing was used.\n");
  const none = await run("usage --told");
  assert.deepEqual([none.stdout, none.stderr], ["", "No other service has told of usage.\n"]);
  await control.operations.books.recordUsage([{ id: "1", sku: "seats", quantity: "2.5" }], "call");
  const told = await run("usage --from 2026-10-01");
  assert.deepEqual([told.code, told.stdout], [0, ""]);
  assert.match(
    told.stderr,
    /^No request was served\. Other services have told of usage: `usage --told` .*`usage export`/,
  );
  // A project, a key or a model has requests alone.
  assert.equal((await run("usage --model fake")).stderr, "Nothing was used.\n");
  assert.match((await run("usage --told --model fake")).stderr, /has no project, key or model/);
  const table = await run("usage --told");
  assert.equal(
    table.stdout,
    "ORGANISATION  SKU    RECORDS  QUANTITY  NOT COUNTED\nacme          seats        1       2.5            0\n",
  );
  assert.deepEqual(JSON.parse((await run("usage --told --json")).stdout), [
    { organisation: "acme", sku: "seats", records: 1, quantity: "2.5", uncounted: 0 },
  ]);
  assert.match((await run("usage --help")).stdout, /--told.*other services/s);
});

test("a device is reserved, listed, ended, and its hours are told", async (context) => {
  const { run, control } = await withCloud(context);
  await withTenants(run);
  const made = await run("reservation create --project default --device cpu --from 2026-03-01 --until 2026-03-03");
  assert.equal(made.code, 0, made.stderr);
  assert.equal(made.stderr, "warning: cpu is the only device: nobody else has one while it holds.\n");
  assert.match(made.stdout, /^what +cpu\nstate +active\nfrom +2026-03-01T00:00:00\.000Z\nuntil +2026-03-03T00/m);
  const share = await run("reservation create --project default --share 0.25 --hours 2 --json");
  const { id, until, warnings } = JSON.parse(share.stdout) as { id: string; until: string; warnings: string[] };
  assert.deepEqual([until, warnings, share.stderr], ["2026-03-01T14:00:00.000Z", [], ""]);
  const taken = await run("reservation create --project default --device cpu --hours 1");
  assert.deepEqual([taken.code, taken.stdout], [2, ""]);
  assert.match(taken.stderr, /cpu is reserved.*\(reservation_conflict\)\n {2}option: --device\n {2}next: /);
  const ended = await run(`reservation end ${id}`);
  assert.match(ended.stdout, /^ended +2026-03-01T12:00:00\.000Z$/m);
  const active = JSON.parse((await run("reservation list --active --json")).stdout) as { device: string }[];
  assert.deepEqual(
    active.map(({ device }) => device),
    ["cpu"],
  );
  const listed = await run("reservation list");
  assert.match(listed.stdout, /^ID +PROJECT +WHAT +STATE +FROM +UNTIL +NOTE\n/);
  assert.match(listed.stdout, new RegExp(`^${id} +default/default +0\\.25 of the pool +ended `, "m"));
  const usage = await run("reservation usage --from 2026-03-01 --to 2026-03-31");
  assert.match(usage.stdout, /^RESERVATION +PROJECT +WHAT +HOURS\n\S+ +default\/default +cpu +1\.5\n/);
  control.operations.reservations.usage = () => Promise.resolve({ items: [], next: null });
  const noonMs = Date.parse("2026-03-01T12:00:00Z");
  for (const [line, asked] of [
    ["", "2026-03-01 to 2026-03-01"],
    ["--to 2026-02-10", "2026-02-01 to 2026-02-10"],
    ["--from 2026-02-03", "2026-02-03 to 2026-03-01"],
    ["--from 2026-04-03", "2026-04-03 to 2026-04-03"],
  ] as const) {
    const { stderr } = await run(`reservation usage ${line}`.trim(), {}, { clock: new ManualClock(noonMs) });
    assert.equal(stderr, `Nothing was reserved from ${asked}.\n`);
  }
  for (const from of ["tomorrow", "2027-02-30", "2027-02-30T08:00Z", "2027-02-01T08:00"]) {
    const wrong = await run(`reservation create --project default --device cpu --from ${from} --hours 1`);
    assert.match(wrong.stderr, /an instant with its zone/, from);
  }
  const expiring = await run("key create --project default --expires 2027-02-29");
  assert.match(expiring.stderr, /It must be a day/);
});

test("status and policy explain end with 1 where the answer is no", async (context) => {
  const { run, control } = await withCloud(context);
  assert.equal((await run("status")).code, 0);
  const { cloud } = control.operations;
  const [status, explained] = [await cloud.status(), await cloud.explain({ project: "default", model: "fake" })];
  cloud.status = () => Promise.resolve({ ...status, ready: false });
  cloud.explain = () => Promise.resolve({ ...explained, outcome: "refused" } as typeof explained);
  const notReady = await run("status --json");
  assert.equal(notReady.code, 1);
  assert.equal(JSON.parse(notReady.stdout).destinations.length, 1);
  const alone = await runIn(temporaryFolder(context))("status");
  assert.deepEqual([alone.code, alone.stdout], [1, ""]);
  assert.match(alone.stderr, /\(not_running\)\n {2}next: /);
  assert.equal((await run("status --url http://127.0.0.1:1")).code, 1);
  assert.equal((await run("policy explain --project default --model fake")).code, 1);
  const unserved = await run("policy explain --project default --model qwen3-8b");
  assert.match(unserved.stderr, /is in the catalogue but not served; start with --model qwen3-8b/);
  assert.equal((await run("backup --json")).code, 0);
});

test("what is wrong is said on standard error, with its code and what to do next; the exit code is 2", async (context) => {
  const { run, control, folder } = await withCloud(context);
  const alone = runIn(temporaryFolder(context));
  const cases: [Run, string, RegExp][] = [
    [run, "statsu", /unknown command 'statsu'[\s\S]*Did you mean status/],
    [run, "usage --modle x", /unknown option '--modle'[\s\S]*Did you mean --model/],
    [run, "key create", /required option '--project/],
    [run, "key create --project nothing", /There is nothing named nothing\. \(not_found\)\n {2}next: /],
    [run, "org create a,b", /\(invalid_request\)/],
    [run, "key list --url ftp://x", /--url must be a URL/],
    [run, "key create --project p --requests-per-minute many", /whole number/],
    [alone, "key list", /No cloud is running on the data folder[^\n]*\(not_running\)\n {2}next: Start it/],
    [alone, `key list --url ${control.url}`, /operator-token cannot be read[^\n]*\(unreadable_file\)/],
    [alone, "model list --config missing.yaml", /settings_invalid[\s\S]*missing\.yaml/],
  ];
  for (const [runner, line, wanted] of cases) {
    const ran = await runner(line);
    assert.deepEqual([ran.code, ran.stdout], [2, ""], line);
    assert.match(ran.stderr, wanted, line);
  }
  writeFileSync(join(folder, "wrong"), "bwo_wrong");
  const wrong = await run(`key list --token-file ${join(folder, "wrong")}`);
  assert.match(wrong.stderr, /\(operator_only\)/);
  writeFileSync(join(folder, "empty"), "");
  const empty = await run(`key list --token-file ${join(folder, "empty")}`);
  assert.match(
    empty.stderr,
    /empty is empty: it does not hold an operator's token, or a tenant's key\. \(unreadable_file\)/,
  );
});

test("an error of the API is told in the command's own options; with --json it is JSON", async (context) => {
  const { run, control } = await withCloud(context);
  await withTenants(run);
  const create = "key create --project default";
  const badly = await run(`${create} --monthly-budget five`);
  assert.match(badly.stderr, /^error: --monthly-budget is not valid: a decimal string/);
  assert.ok(!badly.stderr.includes("`"), badly.stderr);
  const unknown = await run(`${create} --models fake,smollm2`);
  assert.match(unknown.stderr, /Did you mean "smollm2-135m-instruct"\?[^\n]*\n {2}option: --models\n/);
  const { error } = JSON.parse((await run(`${create} --models smollm2 --json`)).stderr) as { error: object };
  assert.deepEqual(Object.keys(error), ["code", "message", "next", "param"]);
  control.operations.tenancy.createKey = () =>
    Promise.resolve(
      refuse("exceeds_parent", "`limits.requestsPerMinute`: 9 is more than the project holds (5).", {
        param: "limits.requestsPerMinute",
      }),
    );
  const more = await run(`${create} --requests-per-minute 9`);
  assert.match(more.stderr, /^error: --requests-per-minute: 9 is more than the project holds \(5\)/);
});

test("what changes nothing is refused, what permits nothing is said, and amounts have their currency", async (context) => {
  const { run, control } = await withCloud(context);
  await withTenants(run);
  for (const [line, options] of [
    ["org update default", /--models, --requests-per-minute, .*--expires, --prepaid, --no-prepaid, --name\./],
    [
      "project update default",
      /--data-class, --processing, --unsupported, --tier, --weight, --keep-content, --storage, --regimes, --country, --exported, --models, .*--name\./,
    ],
    ["key update k", /Give at least one of --models, .*--name\./],
  ] as const) {
    const ran = await run(line);
    assert.deepEqual([ran.code, ran.stdout], [2, ""], line);
    assert.match(ran.stderr, options);
  }
  const odd = await run("key create --project default --requests-per-minute 0 --monthly-budget 5");
  assert.match(odd.stderr, /^warning: 0 requests a minute are permitted: no request will run\.\n/);
  assert.match((await run("key list")).stdout, / no requests\/min, 5 EUR a month\n$/);
  assert.match((await run("project update default --monthly-budget 7")).stdout, /limits +7 EUR a month\n/);
  assert.match((await run("org update default --monthly-budget 7.50")).stdout, /limits +7\.5 EUR a month\n/);
  control.operations.cloud.priceOf = () => undefined;
  assert.match((await run("org list")).stdout, / 7\.5 a month /);
  assert.match(
    (await run("key create --help")).stdout,
    /--project <project> +the project that it belongs to \(required\)/,
  );
});

test("a server that is gone, and one that is not ours, are told apart", async (context) => {
  const { run, control, folder } = await withCloud(context);
  const stranger = createServer((_, response) => response.writeHead(404).end("<html>"));
  stranger.listen(0, "127.0.0.1");
  await once(stranger, "listening");
  context.after(() => stranger.close());
  const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  assert.match((await run(`key list --url ${url}`)).stderr, /\(unexpected_answer\)/);
  await control.close();
  const gone = await runIn(folder)(`key list --data ${folder}`);
  assert.match(gone.stderr, /\(not_running\)/);
});

test("models: from the cloud where one runs, else from the data folder itself", async (context) => {
  const { run } = await withCloud(context);
  const folder = temporaryFolder(context);
  const alone = runIn(folder);
  const [served, here] = [await run("model list --json"), await alone("model list --json")];
  assert.deepEqual(readdirSync(folder), [], "to look leaves nothing behind");
  assert.deepEqual([served.code, here.code], [0, 0], served.stderr + here.stderr);
  const names = (ran: Ran): string[] => (JSON.parse(ran.stdout) as { name: string }[]).map(({ name }) => name);
  assert.deepEqual(names(served), names(here));
  assert.ok(names(here).includes("smollm2-135m-instruct"));
  const file = join(folder, "mine.gguf");
  const entry = { name: "mine", family: "f", developer: { name: "d" }, licence: { spdx: "MIT" }, contextTokens: 8 };
  writeFileSync(file, "no model");
  writeFileSync(join(folder, "mine.json"), JSON.stringify({ ...entry, sources: [`file:${file}`] }));
  writeFileSync(
    join(folder, "mine.yaml"),
    `name: mine\nfamily: f\ndeveloper: { name: d, country: NO }\nlicence: { spdx: MIT }\ncontextTokens: 8\nsources:\n  - file:${file}\n`,
  );
  writeFileSync(join(folder, "lacking.yaml"), "name: mine\n");
  writeFileSync(join(folder, "broken.yaml"), "name: [\n");
  for (const [runner, form, isServed] of [
    [run, "mine.json", "no"],
    [alone, "mine.yaml", "no server is running"],
  ] as const) {
    const added = await runner(`model add ${join(folder, form)}`);
    assert.equal(added.code, 0, added.stderr);
    assert.match(added.stdout, new RegExp(`^served +${isServed}$`, "m"));
    const lacking = await runner(`model add ${join(folder, "lacking.yaml")}`);
    assert.match(lacking.stderr, /^error: `family`[^\n]* is required\. \(invalid_request\)\n {2}next: Correct /);
    const broken = await runner(`model add ${join(folder, "broken.yaml")}`);
    assert.match(broken.stderr, /cannot be read as YAML or JSON: [^\n]*\(unreadable_file\)\n {2}next: Name a file/);
    assert.match((await runner("model show nosuch")).stderr, /It has smollm2-135m-instruct, /);
    const pulled = await runner("model pull mine");
    assert.equal(pulled.code, 2);
    assert.match(
      pulled.stderr,
      /checking file:[^\n]*\nerror: mine could not be pulled\. \(model_invalid\)\n {2}- file:/,
    );
    assert.match((await runner("model show mine")).stdout, /state +absent/);
    assert.match((await runner("model remove mine")).stdout, /its entry/);
    assert.equal((await runner("model show mine")).code, 2);
  }
});

test("a model that a host was to serve and cannot is out of service: which host, why, and what to do", async (context) => {
  const { run, control } = await withCloud(context);
  const [destination] = control.operations.cloud.destinations();
  const fault = { code: "model_invalid", message: "The file has 1000 bytes.", next: "Pull it again." };
  const faults = [{ model: "smollm2-135m-instruct", ...fault }];
  control.operations.cloud.destinations = () => [{ ...destination!, faults }];
  assert.match((await run("model list")).stdout, /^smollm2-135m-instruct +out of service /m);
  const shown = (await run("model show smollm2-135m-instruct")).stdout;
  assert.match(shown, /^fault +on cpu: The file has 1000 bytes\. \(model_invalid\)\nnext +Pull it again\.$/m);
  control.operations.cloud.destinations = () => [
    { ...destination!, models: [{ ...destination!.models[0]!, name: "smollm2-135m-instruct" }], faults },
  ];
  assert.match((await run("model list")).stdout, /^smollm2-135m-instruct +served /m, "somewhere else it is");
});

function writeReceipt(folder: string): { readonly id: string } {
  const signing = openSigningKeys(join(folder, "signing"), 0);
  const digestKey = { id: "dgk_1", secret: createSecretKey(Buffer.alloc(32, 7)) };
  const digest = (name: string) => {
    const witness = new ByteDigest(digestKey);
    witness.update(readFileSync(join(folder, name)));
    return { keyId: digestKey.id, value: witness.value(), bytes: witness.bytes };
  };
  writeFileSync(join(folder, "request"), '{"model":"fake"}');
  writeFileSync(join(folder, "response"), '{"choices":[]}');
  const id = "rcpt_00000000000000000000000000";
  const statement = buildStatement(
    exampleFacts({
      receipt: id,
      model: { name: "fake", sha256: null, adapter: null },
      price: null,
      requestDigest: digest("request"),
      responseDigest: { ...digest("response"), complete: true },
    }),
  );
  const [hashes, seal] = [leafHashes([statement]), signing.seal([statement])];
  writeFileSync(join(folder, "receipt.json"), receiptFile({ payload: statement, index: 0, hashes, seal }));
  writeFileSync(join(folder, "keys.json"), signing.jwks());
  writeFileSync(join(folder, "digest-key.json"), digestKeyJwk(digestKey));
  return { id };
}

test("receipt verify says valid (0), invalid (1), or that it could not check (2)", async (context) => {
  const folder = temporaryFolder(context);
  writeReceipt(folder);
  const run = runIn(folder);
  const judge = async (line: string): Promise<[number, boolean]> => {
    const { code, stdout } = await run(`receipt verify ${line} --json`);
    const verdict = JSON.parse(stdout) as { valid: boolean; reason: string; checked: string[] };
    assert.deepEqual(Object.keys(verdict), ["valid", "reason", "checked"]);
    return [code, verdict.valid];
  };
  const all = "--request request --response response --digest-key digest-key.json --tenant prj_1 --at 2026-11-25";
  assert.deepEqual(await judge("receipt.json --key keys.json"), [0, true]);
  assert.deepEqual(await judge(`receipt.json --key keys.json ${all}`), [0, true]);
  assert.deepEqual(await judge("receipt.json --key keys.json --tenant prj_2"), [1, false]);
  assert.deepEqual(await judge("receipt.json --key keys.json --request response --digest-key digest-key.json"), [
    1,
    false,
  ]);
  assert.deepEqual(await judge("receipt.json --key keys.json --request request"), [2, false]);
  assert.deepEqual(await judge("receipt.json --key missing.json"), [2, false]);
  assert.deepEqual(await judge("missing.json --key keys.json"), [2, false]);
  assert.deepEqual(await judge("receipt.json --key receipt.json"), [2, false]);
  const bytes = readFileSync(join(folder, "receipt.json"));
  bytes[100]! ^= 1;
  writeFileSync(join(folder, "flipped.json"), bytes);
  assert.deepEqual(await judge("flipped.json --key keys.json"), [1, false]);
  writeFileSync(join(folder, "garbage"), "garbage\n");
  const logKey = "cloud.example/receipts+f6b4a087+AZbbL67AnHtAqZWzclZvELnKArveeqHwL7rDB/hsf23X";
  for (const option of ["--checkpoint garbage", "--log .", `--log-key ${logKey}`]) {
    const unproven = await run(`receipt verify receipt.json --key keys.json ${option} --json`);
    assert.equal(unproven.code, 2, option);
    assert.match(unproven.stdout, new RegExp(`"reason":"${option.split(" ")[0]} [^"]*give --proof`));
  }
  // The proof that was saved beside it is the one that is meant.
  writeFileSync(join(folder, "receipt.tlog-proof"), "garbage\n");
  const beside = await run("receipt verify receipt.json --key keys.json --checkpoint garbage");
  assert.deepEqual([beside.code, /a proof takes the log's key/.test(beside.stdout)], [2, true], beside.stdout);
  const told = await run("receipt verify flipped.json --key keys.json");
  assert.match(told.stdout, /^receipt +INVALID: [^\n]*\nchecked [^\n]*\n$/);
  const valid = await run("receipt verify receipt.json --key keys.json");
  assert.match(
    valid.stdout,
    /^receipt +valid\nchecked .*\n\nmodel +fake\n[\s\S]*usage +3 input tokens \(0 cached\), 2 output/,
  );
});

test("receipt show prints what a file states, for people and as JSON, and refuses what is no receipt", async (context) => {
  const folder = temporaryFolder(context);
  const { id } = writeReceipt(folder);
  const run = runIn(folder);
  const shown = await run("receipt show receipt.json");
  assert.equal(shown.code, 0, shown.stderr);
  for (const line of [
    `receipt +${id}`,
    "project +prj_1",
    "model +fake",
    "engine +fake \\(fake 1\\)",
    "site +here \\(DE, run by Example Cloud GmbH\\)",
    "data class +public",
    "price +none: no reason is given",
    "ending +stop",
    "time +2026-11-24T00:00:00.000Z to 2026-11-24T00:00:00.250Z \\(250 ms\\)",
    "gateway +gw_1 at here \\(DE, run by Example Cloud GmbH\\)",
    "jurisdiction +by this evidence: operator-attested",
    "policy +permitted, .*",
    "request digest +16 bytes, HMAC-SHA-256 [0-9a-f]{64}, salted with dgk_1",
  ]) {
    assert.match(shown.stdout, new RegExp(`^${line}$`, "m"));
  }
  assert.match(shown.stderr, /receipt verify/);
  const { stdout } = await run("receipt show receipt.json --json");
  const file = JSON.parse(readFileSync(join(folder, "receipt.json"), "utf8")) as { payload: string };
  assert.deepEqual(JSON.parse(stdout), JSON.parse(Buffer.from(file.payload, "base64").toString()));
  for (const other of ["keys.json", "request", "missing.json", "."]) {
    const refused = await run(`receipt show ${other}`);
    assert.deepEqual([refused.code, refused.stdout], [2, ""], other);
    assert.match(refused.stderr, /\(unreadable_file\)\n {2}next: Name /, other);
  }
});

test("receipt get saves what verify needs, byte for byte, with the project's key", async (context) => {
  const folder = temporaryFolder(context);
  const { id } = writeReceipt(folder);
  const files = new Map([
    [`/v1/receipts/${id}`, "receipt.json"],
    ["/v1/receipts/digest-key", "digest-key.json"],
    ["/.well-known/bailiwick/keys", "keys.json"],
  ]);
  const server = createServer((request, response) => {
    const file = files.get(request.url ?? "");
    if (request.headers.authorization !== "Bearer bw_tenant" || file === undefined) {
      response.writeHead(404).end('{"error":{"code":"receipt_not_found","message":"none"}}');
    } else response.end(readFileSync(join(folder, file)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  const run = runIn(folder);
  const line = `receipt get ${id} --url http://127.0.0.1:${(server.address() as AddressInfo).port} --to saved --json`;
  const got = await run(line, { BAILIWICK_KEY: "bw_tenant" });
  assert.equal(got.code, 0, got.stderr);
  const saved = JSON.parse(got.stdout) as { receipt: string; keys: string; digestKey: string };
  assert.deepEqual(readFileSync(saved.receipt), readFileSync(join(folder, "receipt.json")));
  assert.equal(statSync(saved.digestKey).mode & 0o077, 0);
  const request = `--request request --digest-key ${saved.digestKey}`;
  assert.equal((await run(`receipt verify ${saved.receipt} --key ${saved.keys} ${request}`)).code, 0);
  assert.match((await run(line)).stderr, /"missing_key"/);
  assert.match((await run(line, { BAILIWICK_KEY: "bw_other" })).stderr, /"receipt_not_found"/);
  const told = await run(line.replace("saved --json", "it's"), { BAILIWICK_KEY: "bw_tenant" });
  const [command = ""] = /npx bailiwick .*/.exec(told.stderr) ?? [];
  const typed = spawnSync("sh", ["-c", `for word in ${command.replace("npx ", "")}; do echo "$word"; done`]);
  const [, ...words] = String(typed.stdout).trim().split("\n");
  const verified = await run(words.join(" "));
  assert.equal(verified.code, 0, verified.stderr);
  assert.ok(words.includes("--digest-key"));
  assert.match((await run("receipt get req_1 --url http://127.0.0.1:1")).stderr, /not a receipt's id/);
});

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

test("help and the verification of a receipt load no engine, no database and no web framework", async (context) => {
  const folder = temporaryFolder(context);
  writeReceipt(folder);
  const recorder = join(folder, "recorder.mjs");
  writeFileSync(
    recorder,
    `import { registerHooks } from "node:module";
     registerHooks({ load(url, context, next) { process.stderr.write("loaded " + url + "\\n"); return next(url, context); } });`,
  );
  const lines = ["--help", `receipt verify ${join(folder, "receipt.json")} --key ${join(folder, "keys.json")}`];
  for (const line of lines) {
    const child = spawn(process.execPath, ["--import", recorder, main, ...line.split(" ")]);
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdout.resume();
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 0, stderr);
    const packages = [...stderr.matchAll(/^loaded \S*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)].map(
      ([, name]) => name,
    );
    assert.deepEqual([...new Set(packages)], ["commander"], line);
  }
});

test("a pipe that is closed early is no failure", async () => {
  const child = spawn(process.execPath, [main, "--help"]);
  child.stdout.destroy();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(child, "close")) as [number];
  assert.deepEqual([code, stderr], [0, ""]);
});
