import assert from "node:assert/strict";
import { test } from "node:test";
import { isHere } from "./air-gap.ts";
import { parseSettings } from "./index.ts";

test("an air-gapped cloud refuses every address that is not this machine's, each by its name", () => {
  const elsewhere = `
network: { airGapped: true }
database: { url: "postgresql://bailiwick@db.example/bailiwick" }
models: { huggingFaceUrl: "https://mirror.example" }
upstreams: [{ name: near, url: "http://127.0.0.1:8000/v1" }, { name: far, url: "http://10.1.2.3:8000/v1" }]
contents: { vault: { url: "https://vault.example", key: k, tokenEnvironment: VAULT_TOKEN } }
hosts: { listen: { host: 10.0.0.1 } }
billing: { alerts: { webhook: { url: "https://hooks.example", secretEnvironment: S }, email: { host: mail.example, from: a@b.example, to: [a@b.example] } } }
log: { witnesses: [{ name: w, url: "https://witness.example/w", key: "w+01234567+BAAAA" }], timestamps: { url: "https://tsa.example" } }
`;
  const refused = parseSettings({ text: elsewhere });
  assert.ok(refused.outcome === "invalid");
  assert.deepEqual(
    refused.problems.map(({ path }) => path),
    [
      "upstreams[1].url",
      "log.witnesses[0].url",
      "log.timestamps.url",
      "database.url",
      "contents.vault.url",
      "hosts.listen.host",
      "billing.alerts.webhook.url",
      "billing.alerts.email.host",
      "models.huggingFaceUrl",
    ],
  );
  assert.equal(parseSettings({ text: elsewhere.replace("true", "false") }).outcome, "loaded");
});

test("a database's URL is this machine's by a loopback address or a socket's folder, wherever it names them", () => {
  for (const here of [
    "postgresql://user@localhost/cloud",
    "postgresql://user@%2Fvar%2Frun%2Fpostgresql/cloud",
    "postgresql:///cloud?host=/var/run/postgresql",
    "postgresql://user@[::1]:5432/cloud",
  ]) {
    assert.ok(isHere(here), here);
  }
  for (const elsewhere of [
    "postgresql://user@localhost,db.example/cloud",
    "postgresql://user@localhost/cloud?host=db.example",
    "postgresql:///cloud?hostaddr=10.0.0.1",
    "postgresql:///cloud",
    "http://127.0.0.1.example/v1",
    "no url",
  ]) {
    assert.ok(!isHere(elsewhere), elsewhere);
  }
});

test("alerts leave this machine encrypted, and a user has a password", () => {
  const alerts = (text: string) => parseSettings({ text: `billing: { alerts: ${text} }` });
  const problems = (text: string): readonly string[] => {
    const read = alerts(text);
    return read.outcome === "invalid" ? read.problems.map(({ path }) => path.replace("billing.alerts.", "")) : [];
  };
  const email = (more: string): string => `{ email: { from: a@b.example, to: [a@b.example], ${more} } }`;
  assert.deepEqual(problems('{ webhook: { url: "http://hooks.example", secretEnvironment: S } }'), ["webhook.url"]);
  assert.deepEqual(problems('{ webhook: { url: "http://127.0.0.1:9", secretEnvironment: S } }'), []);
  assert.deepEqual(problems('{ webhook: { url: "https://a:b@hooks.example", secretEnvironment: S } }'), [
    "webhook.url",
  ]);
  assert.deepEqual(problems(email("host: mail.example, security: none")), ["email.security"]);
  assert.deepEqual(problems(email("host: localhost, security: none")), []);
  assert.deepEqual(problems(email("host: mail.example, user: a")), ["email.user"]);
  assert.deepEqual(problems("{ thresholds: [0] }"), ["thresholds[0]"]);
});
