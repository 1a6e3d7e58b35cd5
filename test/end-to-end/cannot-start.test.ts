import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Client } from "pg";
import { commandFails, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";

/** What an operator gives that cannot be used is named with its reason and what to do next, and no trace is printed. */
const folder = temporaryFolder();
let cloud: RunningCloud;
let socket: string;
let password: string;
before(async () => {
  cloud = await startCloud({ data: join(folder.path, "data"), arguments: ["--engine", "fake"] });
  socket = readFileSync(join(cloud.data, "postgres.socket"), "utf8").trim();
  password = readFileSync(join(cloud.data, "postgres-password"), "utf8").trim();
});
after(async () => {
  await cloud?.kill();
  folder.remove();
});

async function refusal(args: readonly string[]): Promise<string> {
  const { code, stderr } = await commandFails(args);
  assert.equal(code, 2, stderr);
  assert.match(
    stderr,
    /^(Starting .*\n|[a-z]+ing .*\n|\{.*\}\n)*error: .*\n {2}next: .*\n$/,
    "one error, with what to do next",
  );
  return stderr;
}

const up = (...more: readonly string[]) => refusal(["up", "--engine", "fake", "--port", "0", ...more]);

function withDatabase(url: string): Promise<string> {
  return up("--data", join(folder.path, "other"), "--database-url", url);
}

function urlOf(secret: string, database: string): string {
  return `postgresql://bailiwick:${secret}@/${database}?host=${encodeURIComponent(socket)}`;
}

test("a database that is not there, has another password or another name, or holds something else", async () => {
  assert.match(await withDatabase("postgresql://u:s3cret@127.0.0.1:1/books"), /127\.0\.0\.1:1 cannot be reached/);
  assert.match(await withDatabase("postgresql://u:s3cret@[::/books"), /URL is not valid/);
  const wrong = await withDatabase(urlOf("s3cret", "postgres"));
  assert.match(wrong, /does not let bailiwick in: password authentication failed/);
  assert.match(await withDatabase(urlOf(password, "books")), /has no database books\.[\s\S]*createdb books/);
  const client = new Client({ connectionString: urlOf(password, "postgres") });
  await client.connect();
  await client.query("CREATE DATABASE shop");
  await client.end();
  const shop = new Client({ connectionString: urlOf(password, "shop") });
  await shop.connect();
  await shop.query("CREATE TABLE keys (door text)");
  await shop.end();
  assert.match(
    await withDatabase(urlOf(password, "shop")),
    /shop .*holds something else already: [\s\S]*empty database/,
  );
  const taken = await withDatabase(urlOf(password, "postgres"));
  assert.match(taken, /belongs to installation/);
  for (const said of [wrong, taken]) assert.ok(!said.includes("s3cret") && !said.includes(password));
});

test(
  "a data folder that is a file, lies below one, or on a file system that takes nothing",
  { timeout: 30_000 },
  async () => {
    const file = join(folder.path, "file");
    writeFileSync(file, "");
    assert.match(await up("--data", file), /file where a folder is needed \(EEXIST\)\. \(cannot_start\)/);
    assert.match(await up("--data", join(file, "x")), /is a file, not a folder \(ENOTDIR\)\. \(cannot_start\)/);
    assert.match(await up("--data", join(file, "x", "y")), /\(cannot_start\)/);
    if (process.platform === "linux") assert.match(await up("--data", "/proc/x/y"), /\/proc\/x cannot be used/);
    for (const path of [file, join(file, "x")]) {
      const { code, stderr } = await commandFails(["status", "--data", path]);
      assert.ok(code > 0, stderr);
      assert.match(stderr, /\(not_running\)\n {2}next: /);
    }
    writeFileSync(join(folder.path, "installation.json"), "not ours");
    assert.match(await up("--data", folder.path), /is damaged, or this folder is something else's/);
  },
);

test("an upstream's key that is empty or not there, and an address that is not this machine's", async () => {
  const upstream = ["--data", join(folder.path, "other"), "--upstream", "http://127.0.0.1:1/v1", "--upstream-key"];
  const empty = await commandFails(["up", "--port", "0", ...upstream, "NO_KEY"], { NO_KEY: "" });
  assert.equal(empty.code, 2);
  assert.match(empty.stderr, /has an empty NO_KEY\. \(cannot_start\)/);
  assert.match(await refusal(["up", "--port", "0", ...upstream, "NO_SUCH_KEY"]), /has no NO_SUCH_KEY/);
  assert.match(await up("--data", join(folder.path, "other"), "--host", "192.0.2.1"), /no address of this machine/);
});

test("a secret that the settings name and the environment has not is told before anything is started", async () => {
  const settings = join(folder.path, "alerts.yaml");
  const webhook = "webhook: { url: https://hooks.example, secretEnvironment: ALERT_SECRET }";
  const email =
    "email: { host: mail.example, user: u, passwordEnvironment: MAIL_SECRET, from: a@b.example, to: [a@b.example] }";
  writeFileSync(settings, `billing: { alerts: { ${webhook}, ${email} } }\n`);
  const told = async (environment: Record<string, string>): Promise<string> => {
    const args = [
      "up",
      "--engine",
      "fake",
      "--port",
      "0",
      "--data",
      join(folder.path, "secrets"),
      "--config",
      settings,
    ];
    const { code, stderr } = await commandFails(args, environment);
    assert.equal(code, 2, stderr);
    // No database, no model: nothing but the start itself, and what is missing.
    assert.match(stderr, /^Starting .*\nerror: .*\(cannot_start\)\n {2}next: .*\n$/);
    assert.ok(!existsSync(join(folder.path, "secrets")));
    return stderr;
  };
  assert.match(await told({}), /The environment has no ALERT_SECRET, which is to hold the secret that webhooks/);
  assert.match(await told({ ALERT_SECRET: " " }), /has no ALERT_SECRET/);
  assert.match(
    await told({ ALERT_SECRET: "whsec_no" }),
    /ALERT_SECRET.*begins with whsec_.* no Base64\. .*\n.*openssl rand/,
  );
  assert.match(
    await told({ ALERT_SECRET: "whsec_bm8=" }),
    /The environment has no MAIL_SECRET, .*mail server's password/,
  );
});

test("a token for another machine over plain HTTP is warned of, one for this machine is not", async () => {
  const token = ["--token-file", join(cloud.data, "operator-token")];
  const far = await commandFails(["key", "list", "--url", "http://bailiwick.invalid:1", ...token]);
  assert.match(far.stderr, /^warning: bailiwick\.invalid is asked over plain HTTP: the token can be read on the way/);
  const near = await commandFails(["key", "list", "--url", cloud.url, ...token]);
  assert.deepEqual([near.code, near.stderr], [0, ""]);
});
