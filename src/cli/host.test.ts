import assert from "node:assert/strict";
import { test } from "node:test";
import type { CreatedHostToken, Host, HostToken } from "../gateway/control/index.ts";
import { withCloud } from "./testing.ts";

test("a token is printed alone, with the command for the other machine beside it, and is revoked by its id", async (context) => {
  const { run } = await withCloud(context);
  const made = await run("host token create --site fr --expires-in 30m");
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /^bwj_[\w-]{43}\.[\w-]{43}\n$/);
  assert.match(made.stderr, /one machine a host at fr, until 2026-03-01T12:30:00\.000Z/);
  assert.ok(made.stderr.includes(`npx bailiwick join https://192.0.2.1:8443 --token ${made.stdout.trim()}`));
  const asJson = JSON.parse((await run("host token create --site fr --json")).stdout) as CreatedHostToken;
  assert.equal(asJson.expiresAt, "2026-03-01T13:00:00.000Z");
  const revoked = JSON.parse((await run(`host token revoke ${asJson.id} --json`)).stdout) as HostToken;
  assert.equal(revoked.state, "revoked");
  const listed = await run("host token list");
  assert.match(listed.stdout, /^TOKEN +SITE +STATE +EXPIRES +HOST\n\S+ +fr +open /);
  assert.ok(!listed.stdout.includes("bwj_"), "no secret");
});

test("a site that nobody declared, and a time that is none, are said with the option", async (context) => {
  const { run } = await withCloud(context);
  const typo = await run("host token create --site frr");
  assert.equal(typo.code, 2);
  assert.match(typo.stderr, /No site "frr" is declared.*\(site_not_declared\)/);
  for (const time of ["0m", "1y", "366d", "soon"]) {
    const wrong = await run(`host token create --site fr --expires-in ${time}`);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /must be a time up to 365d/);
  }
});

test("hosts are listed with their sites and clocks, and revoked", async (context) => {
  const { run } = await withCloud(context);
  const listed = await run("host list");
  assert.match(listed.stdout, /fr \(FR\) +ready +192\.0\.2\.7:7443 +\+3 ms +CPU +smollm2-135m-instruct\n/);
  const [host] = JSON.parse((await run("host list --json")).stdout) as readonly Host[];
  assert.match((await run(`host revoke ${host!.id}`)).stdout, / revoked /);
  const unknown = await run("host revoke host_0");
  assert.match(unknown.stderr, /\(not_found\)/);
});

test("a join names its mistakes before it does anything", async (context) => {
  const { run } = await withCloud(context);
  for (const [line, message] of [
    ["join http://gateway.example --token x", /URL is such as https:/],
    ["join gateway.example --token x", /URL is such as https:/],
    ["join https://gateway.example --token bwj_x", /no whole token/],
    ["join https://gateway.example --listen 7443", /must be a host and a port/],
    ["join https://gateway.example --address nowhere:70000", /must be a host and a port/],
  ] as const) {
    const wrong = await run(line);
    assert.equal(wrong.code, 2, line);
    assert.match(wrong.stderr, message);
  }
  const environment = { BAILIWICK_JOIN_TOKEN: "bwj_torn" };
  assert.match((await run("join https://gateway.example", environment)).stderr, /\(join_token_invalid\)/);
});
