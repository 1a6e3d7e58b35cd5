import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ask, control } from "./asking.ts";
import { commandFails, eventually, type RunningCloud, startCloud } from "./cloud.ts";

const settings = { site: { name: "here", jurisdiction: "DE" } };
let cloud: RunningCloud;

before(async () => {
  cloud = await startCloud({
    arguments: ["--engine", "fake"],
    settings: JSON.stringify(settings),
  });
  await control(cloud, "POST", "/organisations", { name: "clinic" });
  await control(cloud, "POST", "/projects", { organisation: "clinic", name: "ward" });
  await control(cloud, "POST", "/organisations", { name: "rival" });
  await control(cloud, "POST", "/projects", { organisation: "rival", name: "shop" });
});

after(async () => {
  await cloud.stop();
});

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

/** The control API with somebody's own secret. */
async function as(secret: string, method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${cloud.url}/control/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${secret}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

interface Entry {
  readonly action: string;
  readonly actor: { readonly name: string };
  readonly organisation: string | null;
  readonly project: string | null;
}

async function keyFor(project: string, permissions: readonly string[], reach = "project"): Promise<string> {
  const body = { project, permissions, reach };
  return (await control<{ key: string }>(cloud, "POST", "/keys", body)).key;
}

/** A key that its tenant makes, with one of its own. */
async function ownKey(by: string, project: string, permissions: readonly string[], reach = "project") {
  const made = await as(by, "POST", "/keys", { project, permissions, reach });
  assert.equal(made.status, 201, JSON.stringify(made.json));
  return String(made.json["key"]);
}

/** The clinic's key by which it approves, for all its projects. */
let officer: string;

test("who changed what is known by name, whole, and each tenant reads what concerns it and nothing else", async () => {
  const kim = await cloud.command<{ token: string }>("operator", "add", "kim", "--country", "DE");
  assert.equal((await as(kim.token, "PATCH", "/projects/ward", { weight: 7 })).status, 200);
  const [newest] = await cloud.command<Entry[]>("audit", "--action", "updateProject");
  assert.equal(newest?.actor.name, "kim");
  const checked = await cloud.command<{ whole: boolean; entries: number }>("audit", "--check");
  assert.ok(checked.whole && checked.entries > 8);
  const auditor = await keyFor("ward", ["audit"]);
  const rival = await keyFor("shop", ["audit"], "organisation");
  const seen = async (secret: string, query = "") => {
    const answer = await as(secret, "GET", `/audit${query}`);
    return { status: answer.status, items: (answer.json["items"] ?? []) as Entry[] };
  };
  const own = await seen(auditor);
  assert.ok(own.items.some(({ action, actor }) => action === "updateProject" && actor.name === "kim"));
  const ward = (await control<{ id: string }>(cloud, "GET", "/projects/ward")).id;
  assert.ok(own.items.every(({ project }) => project === ward));
  const theirs = await seen(rival);
  assert.ok(theirs.items.length >= 3);
  assert.ok(theirs.items.every(({ organisation }) => organisation === theirs.items[0]?.organisation));
  for (const query of ["?project=ward", "?organisation=clinic", "?project=clinic/ward", "?project=nothing"]) {
    assert.equal((await seen(rival, query)).status, 404, query);
  }
  // A key that asks models reads no log, one that reads the log asks no models, and neither changes anything.
  const plain = await keyFor("ward", ["use"]);
  assert.equal((await as(plain, "GET", "/audit")).status, 403);
  assert.equal((await as(auditor, "PATCH", "/projects/ward", { weight: 9 })).status, 403);
  const asked = await fetch(`${cloud.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${auditor}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "fake", messages: [{ role: "user", content: "x" }] }),
  });
  assert.equal(asked.status, 403);
  await cloud.command("operator", "revoke", "kim");
  assert.equal((await as(kim.token, "GET", "/projects")).status, 403);
});

interface Stored {
  readonly request: string;
  readonly input: { readonly text: string };
  readonly output: { readonly text: string };
  readonly subject: string | null;
}

const question = "What is wrong with my knee?";

/** One question with a person's pseudonym; the request's id. */
async function asked(key: string, subject?: string, stream = false) {
  const headers = subject === undefined ? {} : { "bailiwick-subject": subject };
  const seen = await ask({ url: cloud.url, key, content: question, headers, stream });
  assert.equal(seen.status, 200, seen.text);
  return {
    request: String(seen.headers["x-request-id"]),
    text: seen.text,
    said: seen.headers["bailiwick-content"],
    receipt: String(seen.headers["bailiwick-receipt"]),
  };
}

test("content is kept where a project asks and policy lets it rest, exactly as it was, and only its tenant reads it", async () => {
  const key = await keyFor("ward", ["use"]);
  const reader = await keyFor("ward", ["contents"]);
  const before = await asked(key);
  assert.equal(before.said, undefined);
  await control(cloud, "PATCH", "/projects/ward", { keepContentSeconds: 3_600 });
  await eventually("the project's wish is known", async () => (await asked(key)).said !== undefined);
  const whole = await asked(key, "patient-7");
  const streamed = await asked(key, "patient-8", true);
  const read = async (secret: string, path: string) => as(secret, "GET", `/contents${path}`);
  for (const { request, text } of [whole, streamed]) {
    const shown = (await read(reader, `/${request}`)).json as unknown as Stored;
    assert.match(shown.input.text, /my knee/);
    assert.equal(shown.output.text, text);
  }
  const person = await read(reader, "?subject=patient-7");
  assert.deepEqual(
    (person.json["items"] as Stored[]).map(({ request }) => request),
    [whole.request],
  );
  assert.equal((await read(reader, `/${before.request}`)).status, 404);
  assert.equal((await read(key, `/${whole.request}`)).status, 403);
  const rival = await keyFor("shop", ["contents"], "organisation");
  assert.equal((await read(rival, `/${whole.request}`)).status, 404);
  assert.deepEqual((await read(rival, "")).json["items"], []);
  assert.equal((await read(rival, "?project=clinic/ward")).status, 404);
  // The receipt says where it rests.
  const receipt = await fetch(`${cloud.url}/v1/receipts/${whole.receipt}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const { payload } = (await receipt.json()) as { payload: string };
  const { predicate } = JSON.parse(Buffer.from(payload, "base64").toString()) as {
    predicate: { rests: { site: string; until: string }[] };
  };
  assert.deepEqual([predicate.rests[0]?.site, whole.said], ["here", `until ${predicate.rests[0]?.until}`]);
  // What may not rest here is not kept, and the client hears so.
  await control(cloud, "PATCH", "/projects/ward", { storage: ["FR"] });
  await eventually("the storage list holds", async () => (await asked(key)).said === "not-kept");
  await control(cloud, "PATCH", "/projects/ward", { storage: null });
  assert.doesNotMatch(cloud.output(), /knee|patient-/);
});

test("staff look at content only under a grant that the tenant has approved, from a place that policy permits, on record", async () => {
  const lee = await cloud.command<{ token: string }>("operator", "add", "lee", "--country", "DE");
  const max = await cloud.command<{ token: string }>("operator", "add", "max", "--country", "US");
  const reader = await keyFor("ward", ["contents", "audit"]);
  officer = await keyFor("ward", ["grants", "export", "erase", "audit"], "organisation");
  const approver = await ownKey(officer, "ward", ["grants"]);
  const rival = await keyFor("shop", ["grants"], "organisation");
  const [first] = (await as(reader, "GET", "/contents")).json["items"] as Stored[];
  const look = (token: string) => as(token, "GET", `/contents/${first?.request}?project=ward`);
  assert.equal((await look(lee.token)).status, 403);
  const grantFor = async (operator: string) => {
    const reason = "the tenant asked why an answer was cut";
    return cloud.command<{ id: string; state: string }>(
      "grant",
      "create",
      "--project",
      "ward",
      "--operator",
      operator,
      "--for",
      "2h",
      "--reason",
      reason,
    );
  };
  const grant = await grantFor("lee");
  assert.equal(grant.state, "asked");
  assert.equal((await look(lee.token)).status, 403, "asked for is not approved");
  assert.equal((await as(lee.token, "POST", `/grants/${grant.id}/approve`, {})).status, 403);
  assert.equal((await as(rival, "POST", `/grants/${grant.id}/approve`, {})).status, 404);
  assert.equal((await as(approver, "POST", `/grants/${grant.id}/approve`, {})).json["state"], "active");
  assert.equal((await look(lee.token)).status, 200);
  assert.equal((await look(max.token)).status, 403, "a grant is one person's");
  // The regime of the project forbids a look from there, whatever was granted.
  await control(cloud, "PATCH", "/projects/ward", { processing: ["DE"] });
  const foreign = await grantFor("max");
  await as(approver, "POST", `/grants/${foreign.id}/approve`, {});
  const refused = await look(max.token);
  assert.deepEqual([refused.status, (refused.json["error"] as { code: string }).code], [403, "no_permitted_site"]);
  const seen = (await as(reader, "GET", "/audit?action=showContent")).json["items"] as (Entry & {
    outcome: string;
    object: string;
  })[];
  assert.deepEqual(
    seen.map(({ actor, outcome }) => [actor.name, outcome]),
    [
      ["max", "refused"],
      ["max", "refused"],
      ["lee", "done"],
      ["lee", "refused"],
      ["lee", "refused"],
    ],
  );
  assert.ok(seen.every(({ object }) => object === first?.request));
  assert.equal((await as(approver, "POST", `/grants/${grant.id}/end`, {})).json["state"], "ended");
  assert.equal((await look(lee.token)).status, 403);
  await control(cloud, "PATCH", "/projects/ward", { processing: [] });
});

test("a key that opens content is the tenant's to make, once it has one that approves", async () => {
  const code = ({ status, json }: Answer) => [status, (json["error"] as { code: string } | undefined)?.code];
  const { token } = await cloud.command<{ token: string }>("operator", "add", "eve", "--country", "DE");
  const make = (secret: string, body: object) => as(secret, "POST", "/keys", { project: "ward", ...body });
  for (const permissions of [["contents"], ["grants"], ["use", "contents"]]) {
    const refused = await make(token, { permissions });
    assert.deepEqual(code(refused), [403, "tenant_only"]);
    assert.match(JSON.stringify(refused.json), /--token-file/);
  }
  assert.equal((await make(token, { permissions: ["use", "audit"] })).status, 201, "other keys an operator makes");
  const narrow = await ownKey(officer, "ward", ["grants"]);
  assert.equal((await make(narrow, { permissions: ["contents"] })).status, 201);
  assert.deepEqual(code(await make(narrow, { permissions: ["contents"], reach: "organisation" })), [
    403,
    "key_not_permitted",
  ]);
  assert.deepEqual(code(await make(narrow, { permissions: ["erase"] })), [403, "key_not_permitted"]);
  assert.deepEqual(code(await make(narrow, {})), [403, "key_not_permitted"], "it cannot ask models, either");
  const shop = await as(narrow, "POST", "/keys", { project: "rival/shop", permissions: ["contents"] });
  assert.deepEqual(code(shop), [404, "not_found"]);
  const [last] = (await as(officer, "GET", "/audit?action=createKey")).json["items"] as (Entry & { outcome: string })[];
  assert.equal(last?.outcome, "refused", "the tenant reads it");
});

interface Erased {
  readonly id: string;
  readonly state: string;
  readonly statement: string | null;
}

test("a person's records are erased by the tenant, with a statement that verifies offline; others stay", async () => {
  const key = await keyFor("ward", ["use"]);
  const holder = await ownKey(officer, "ward", ["contents", "erase"]);
  const rival = await keyFor("shop", ["erase"], "organisation");
  const gone = await asked(key, "patient-9");
  const stays = await asked(key, "patient-10");
  // A backup holds what is kept, and nothing that opens it.
  const backup = join(cloud.data, "..", "backup");
  await cloud.command("backup", backup);
  assert.match(readFileSync(join(backup, "database", "contents.ndjson"), "utf8"), new RegExp(gone.request));
  assert.ok(!readdirSync(backup).some((name) => name.startsWith("content")));
  assert.equal((await as(rival, "POST", "/erasures", { project: "clinic/ward", subject: "patient-9" })).status, 404);
  assert.equal(
    (await as(holder, "POST", "/erasures", { organisation: "clinic" })).status,
    403,
    "it reaches its project only",
  );
  const erased = (await as(holder, "POST", "/erasures", { project: "ward", subject: "patient-9" }))
    .json as unknown as Erased;
  assert.equal(erased.state, "done");
  assert.equal((await as(holder, "GET", `/contents/${gone.request}`)).status, 404);
  assert.equal((await as(holder, "GET", `/contents/${stays.request}`)).status, 200);
  const receipt = (of: string) =>
    fetch(`${cloud.url}/v1/receipts/${of}`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal((await receipt(gone.receipt)).status, 404);
  assert.equal((await receipt(stays.receipt)).status, 200);
  const folder = join(cloud.data, "..");
  writeFileSync(join(folder, "statement.json"), erased.statement!);
  const shown = await commandFails(["erasure", "show", erased.id, "--data", cloud.data]);
  assert.match(shown.stdout, /^receipts +[1-9]\d* erased$/m);
  assert.match(shown.stderr, /erasure show \S+ --out FILE` writes the signed statement/);
  writeFileSync(join(folder, "keys.json"), await (await fetch(`${cloud.url}/.well-known/bailiwick/keys`)).text());
  const verify = ["erasure", "verify", join(folder, "statement.json"), "--key", join(folder, "keys.json"), "--json"];
  const { stdout } = await commandFails(verify);
  assert.equal((JSON.parse(stdout) as { valid: boolean }).valid, true);
  const stated = (JSON.parse(stdout) as { statement: { copies: { backups: string[] } } }).statement;
  assert.ok(stated.copies.backups.some((each) => each.endsWith(backup)));
  // What a stranger has tried stands in its own log, and not in this tenant's.
  const seen = (await as(officer, "GET", "/audit?action=erase")).json["items"] as (Entry & { outcome: string })[];
  assert.deepEqual(
    seen.map(({ outcome }) => outcome),
    ["done", "refused"],
  );
  assert.equal(new Set(seen.map(({ actor }) => actor.name)).size, 1);
  // Neither the log of changes nor the statement names the person.
  const logged = JSON.stringify((await control<{ items: object[] }>(cloud, "GET", "/audit/chain?limit=1000")).items);
  assert.ok(!logged.includes("patient-9") && !erased.statement!.includes("patient-9"));
});

test("what an erasure names is in no host's cache afterwards, and its statement says which hosts confirmed", async () => {
  const key = await keyFor("ward", ["use"]);
  const neighbour = await keyFor("shop", ["use"]);
  const holder = await keyFor("ward", ["erase"]);
  const prompt = "The patient of room seven has had a fever since Monday evening.";
  const cached = async (secret: string): Promise<number> => {
    const seen = await ask({ url: cloud.url, key: secret, content: prompt });
    assert.equal(seen.status, 200, seen.text);
    const { usage } = JSON.parse(seen.text) as { usage: { prompt_tokens_details: { cached_tokens: number } } };
    return usage.prompt_tokens_details.cached_tokens;
  };
  await cached(key);
  await cached(neighbour);
  assert.ok((await cached(key)) > 5);
  const erased = (await as(holder, "POST", "/erasures", { project: "ward", subject: "patient-of-room-7" }))
    .json as unknown as Erased;
  assert.equal(erased.state, "done");
  assert.equal(await cached(key), 0);
  assert.ok((await cached(neighbour)) > 5, "another project's cache was not asked about");
  const { payload } = JSON.parse(erased.statement!) as { payload: string };
  const { copies } = JSON.parse(Buffer.from(payload, "base64").toString()) as {
    copies: { caches: { destination: string; kind: string; outcome: string }[] };
  };
  assert.deepEqual(
    copies.caches.map(({ kind, outcome }) => [kind, outcome]),
    [["host", "forgotten"]],
  );
  assert.match(copies.caches[0]!.destination, /^host_/);
});

interface Exported {
  readonly files: readonly { readonly name: string; readonly rows: number }[];
}

test("an organisation takes everything that it owns with it, in files that check, and nothing of anybody else's", async () => {
  const folder = join(cloud.data, "..", "export");
  const keyFile = join(cloud.data, "..", "leaving.key");
  writeFileSync(keyFile, await ownKey(officer, "ward", ["export", "contents"], "organisation"));
  const key = await keyFor("ward", ["use"]);
  const last = await asked(key, "patient-11");
  const { files } = await cloud.command<Exported>(
    "export",
    "organisation",
    "clinic",
    "--out",
    folder,
    "--token-file",
    keyFile,
  );
  const rows = new Map(files.map(({ name, rows: count }) => [name, count]));
  for (const name of [
    "organisation",
    "projects",
    "keys",
    "digest-keys",
    "usage",
    "receipts",
    "contents",
    "audit",
    "grants",
    "erasures",
  ]) {
    assert.ok((rows.get(`${name}.ndjson`) ?? 0) > 0, name);
  }
  const read = (name: string) =>
    readFileSync(join(folder, name), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const content = read("contents.ndjson").find(({ request }) => request === last.request);
  assert.equal(Buffer.from(String(content?.["output"]), "base64").toString(), last.text);
  const receipt = read("receipts.ndjson").find(({ id }) => id === last.receipt);
  writeFileSync(join(folder, "one.json"), String(receipt?.["file"]));
  const verify = ["receipt", "verify", join(folder, "one.json"), "--key", join(folder, "keys.json"), "--json"];
  assert.equal((await commandFails(verify)).code, 0);
  assert.equal((await commandFails(["export", "check", folder])).code, 0);
  const all = files.map(({ name }) => readFileSync(join(folder, name), "utf8")).join("");
  const shop = await control<{ id: string; organisation: { id: string } }>(cloud, "GET", "/projects/shop");
  assert.ok(!all.includes(shop.id) && !all.includes(shop.organisation.id));
  assert.doesNotMatch(all, /bw[ok]_[A-Za-z0-9_-]{20}/);
  writeFileSync(join(folder, "usage.ndjson"), "{}\n");
  assert.equal((await commandFails(["export", "check", folder])).code, 1);
  // An operator without a grant takes the rest along, and no content in the clear.
  const unopened = join(cloud.data, "..", "export-2");
  await cloud.command("export", "organisation", "clinic", "--out", unopened);
  const sealed = readFileSync(join(unopened, "contents.ndjson"), "utf8");
  assert.match(sealed, /"opened":false/);
  assert.doesNotMatch(sealed, /"input"/);
  // Nor what would let them try texts on the receipts.
  assert.ok(!existsSync(join(unopened, "digest-keys.ndjson")));
  // Where policy lets nothing leave from here, nothing does.
  await control(cloud, "PATCH", "/projects/ward", { storage: ["FR"] });
  const refused = await commandFails([
    "export",
    "organisation",
    "clinic",
    "--out",
    `${folder}-3`,
    "--data",
    cloud.data,
  ]);
  assert.match(refused.stderr, /does not permit an export of ward from here[\s\S]*no_permitted_site/);
  // The rest can be had without it.
  const rest = join(cloud.data, "..", "export-4");
  await cloud.command("export", "organisation", "clinic", "--except", "ward", "--out", rest);
  const { id } = await control<{ id: string }>(cloud, "GET", "/projects/ward");
  const { except, files: left } = JSON.parse(readFileSync(join(rest, "manifest.json"), "utf8")) as Exported & {
    except: string[];
  };
  assert.deepEqual(except, ["ward"]);
  assert.ok(!left.some((each) => readFileSync(join(rest, each.name), "utf8").includes(`"project":"${id}"`)));
  const unknown = await commandFails([
    "export",
    "organisation",
    "clinic",
    "--except",
    "wart",
    "--data",
    cloud.data,
    "--out",
    `${folder}-5`,
  ]);
  assert.match(unknown.stderr, /no project "wart" to leave out\. Did you mean "ward"\?/);
  await control(cloud, "PATCH", "/projects/ward", { storage: null });
});

test("an exit has its dates and no fee, and ends early only by the tenant's own wish", async () => {
  const begun = await cloud.command<{ id: string; fee: string; state: string }>(
    "exit",
    "begin",
    "rival",
    "--notice-days",
    "10",
  );
  assert.deepEqual([begun.fee, begun.state], ["none", "notice"]);
  const again = await cloud.command<{ id: string }>("exit", "begin", "rival");
  assert.equal(again.id, begun.id);
  const early = await commandFails(["exit", "finish", begun.id, "--yes", "--data", cloud.data]);
  assert.match(early.stderr, /exit_not_due/);
  const stranger = await keyFor("ward", ["export", "erase"], "organisation");
  assert.equal((await as(stranger, "POST", `/exits/${begun.id}/finish`, {})).status, 404);
  const own = await keyFor("shop", ["export", "erase"], "organisation");
  const finished = await as(own, "POST", `/exits/${begun.id}/finish`, {});
  assert.equal(finished.json["state"], "finished");
  const erasure = await control<{ state: string; kind: string }>(
    cloud,
    "GET",
    `/erasures/${String(finished.json["erasure"])}`,
  );
  assert.deepEqual([erasure.state, erasure.kind], ["done", "organisation"]);
  assert.equal((await as(own, "GET", "/audit")).status, 401);
});

test("an erasure that a kill -9 cut off goes on at the next start, and the project is gone whole", async () => {
  const key = await keyFor("ward", ["use"]);
  for (let at = 0; at < 20; at++) await asked(key, `patient-${at}`);
  const ward = (await control<{ id: string }>(cloud, "GET", "/projects/ward")).id;
  const erasing = as(tokenOf(cloud), "POST", "/erasures", { project: ward }).catch(() => undefined);
  await eventually("it has begun", async () => {
    const { items } = await control<{ items: { kind: string }[] }>(cloud, "GET", `/erasures?project=${ward}`);
    return items.some(({ kind }) => kind === "project");
  });
  await cloud.kill();
  await erasing;
  cloud = await startCloud({ data: cloud.data, arguments: ["--engine", "fake"], settings: JSON.stringify(settings) });
  await eventually("it is over", async () => {
    const { items } = await control<{ items: { kind: string; state: string }[] }>(
      cloud,
      "GET",
      `/erasures?project=${ward}`,
    );
    return items.some(({ kind, state }) => kind === "project" && state === "done");
  });
  assert.equal((await ask({ url: cloud.url, key })).status, 401);
  assert.deepEqual(readdirSync(join(cloud.data, "content-keys", ward)), ["erased"]);
  const usage = await cloud.command<{ requests: number }[]>("usage", "--project", ward);
  assert.ok(usage.reduce((sum, { requests }) => sum + requests, 0) >= 20, "the ledger stays");
  assert.ok((await cloud.command<{ whole: boolean }>("audit", "--check")).whole);
});

function tokenOf({ data }: RunningCloud): string {
  return readFileSync(join(data, "operator-token"), "utf8").trim();
}
