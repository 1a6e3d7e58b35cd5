import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, type ConnectionOptions } from "node:tls";
import { parseAddress, systemClock } from "../../src/base/index.ts";
import { connectPinned, fingerprintOf, openIdentity } from "../../src/tls/index.ts";
import { X509Certificate } from "node:crypto";
import { ask, control, errorIn, eventsOf, isDone, makeKey, metric, usageIn, usageOf } from "./asking.ts";
import { eventually, pause, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";
import { receiptOf } from "./receipt.ts";
import { hostIs, hostsOf, identityIn, joinFails, type Machine, newToken, startMachine } from "./sites.ts";

/** One gateway in Berlin without a model of its own, and machines in France and the United States. */
const folder = temporaryFolder();
const data = join(folder.path, "gateway");
let cloud: RunningCloud;
let joinUrl: string;
let fr: Machine;
let us: Machine;
const keys: Record<string, string> = {};

const settings = (port: number): string =>
  JSON.stringify({
    site: { name: "berlin", jurisdiction: "DE", operator: "Netz GmbH" },
    sites: [{ name: "fr", jurisdiction: "FR", operator: "Reseau SA" }],
    hosts: { listen: { host: "127.0.0.1", port } },
    models: { serve: [] },
  });

const attested = { class: "operator-attested", on: "2026-01-01" };
/** The site in the United States is declared by the facts alone. */
const facts = {
  operators: [{ name: "Wires Inc", seat: "US", owners: [], evidence: attested }],
  sites: [{ name: "us", jurisdiction: "US", operator: "Wires Inc", evidence: attested }],
};

const machine = (name: string): string => join(folder.path, name);
const up = (port = 0): Promise<RunningCloud> =>
  startCloud({ data, settings: settings(port), arguments: ["--engine", "fake"] });

before(async () => {
  // Ready is a cloud that can serve: this one is when its first host has come.
  const starting = startCloud({ data, settings: settings(0), arguments: ["--engine", "fake"], until: "/healthz" });
  cloud = await starting;
  await eventually("the control API", () =>
    control(cloud, "GET", "/status").then(
      () => true,
      () => false,
    ),
  );
  await control(cloud, "PUT", "/facts", { basedOn: 0, document: facts });
  const [toFr, toUs] = [await newToken(cloud, "fr"), await newToken(cloud, "us")];
  joinUrl = toFr.url;
  [fr, us] = await Promise.all([
    startMachine({ data: machine("fr"), url: joinUrl, token: toFr.token }),
    startMachine({ data: machine("us"), url: joinUrl, token: toUs.token, arguments: ["--site", "us"] }),
  ]);
  await Promise.all([hostIs(cloud, fr.host, "ready"), hostIs(cloud, us.host, "ready")]);
  for (const [name, processing] of [
    ["france", ["FR"]],
    ["states", ["US"]],
    ["both", ["FR", "US"]],
  ] as const) {
    await control(cloud, "POST", "/projects", { organisation: "default", name, dataClass: "internal", processing });
    keys[name] = await makeKey(cloud, name, { project: name });
  }
});

after(async () => {
  await Promise.all([fr?.kill(), us?.kill()]);
  await cloud?.kill();
  folder.remove();
});

test("a request runs at the site that its project is restricted to, and its receipt names host, site and operator", async () => {
  for (const [name, there, place] of [
    ["france", fr, { site: "fr", jurisdiction: "FR", operator: "Reseau SA" }],
    ["states", us, { site: "us", jurisdiction: "US", operator: "Wires Inc" }],
  ] as const) {
    const seen = await ask({ url: cloud.url, key: keys[name]! });
    assert.equal(seen.status, 200, seen.text);
    const { hops } = await receiptOf(cloud, keys[name]!, seen);
    assert.deepEqual(hops.at(-1), { kind: "host", name: there.host, ...place });
    assert.equal(hops[0]!.site, "berlin");
  }
});

test("a conversation goes on where its beginning is computed already, although another host has less to do", async () => {
  const content = (turn: number): string => `${"You answer questions about knees. ".repeat(60)}Question ${turn}?`;
  const cached = async (turn: number): Promise<{ readonly host: string; readonly tokens: number }> => {
    const seen = await ask({ url: cloud.url, key: keys["both"]!, content: content(turn) });
    const { hops } = await receiptOf(cloud, keys["both"]!, seen);
    return { host: hops.at(-1)!.name, tokens: usageIn(seen)!.prompt_tokens_details.cached_tokens };
  };
  const first = await cached(1);
  // Whoever else is there now, this one has something to do.
  const site = first.host === fr.host ? "france" : "states";
  const other = ask({ url: cloud.url, key: keys[site]!, content: "[[fake:tokens=100]] [[fake:token-ms=40]]" });
  const running = async (): Promise<number> => {
    const { items } = await control<{ items: { name: string; running: number }[] }>(cloud, "GET", "/destinations");
    return items.find(({ name }) => name === first.host)?.running ?? 0;
  };
  await eventually("the other one's answer", async () => (await running()) > 0);
  const second = await cached(2);
  assert.equal(second.host, first.host);
  assert.ok(second.tokens > 200, String(second.tokens));
  assert.equal((await other).status, 200);
});

test("hosts are listed as what the gateway connects to, and that machines which join name an address of their own", async () => {
  const { connections } = await control<{ connections: { purpose: string; name: string; host: string | null }[] }>(
    cloud,
    "GET",
    "/network",
  );
  const hosts = connections.filter(({ purpose }) => purpose === "host");
  assert.deepEqual(
    new Map(hosts.map(({ name, host }) => [name, host])),
    new Map([
      [fr.host, "127.0.0.1"],
      [us.host, "127.0.0.1"],
      ["machines that join", null],
    ]),
  );
});

test("a model whose name comes to mean another one is taken from no host any more, and again when it means that one", async () => {
  const modelsOf = async () => (await hostsOf(cloud)).map(({ models }) => models.length);
  const model = { name: "fake", developer: "somebody", developerCountry: "DE", licence: "MIT", evidence: attested };
  const { version } = await control<{ version: number }>(cloud, "GET", "/facts");
  const document = { ...facts, models: [{ ...model, sha256: "1".repeat(64) }] };
  await control(cloud, "PUT", "/facts", { basedOn: version, document });
  await eventually("no host has it", async () => (await modelsOf()).every((count) => count === 0));
  const refused = await ask({ url: cloud.url, key: keys["both"]! });
  assert.notEqual(refused.status, 200);
  const recorded = await cloud.command<{ object: string; outcome: string }[]>("audit", "--action", "offerModel");
  assert.deepEqual(recorded.map(({ object }) => object).toSorted(), [fr.host, us.host].toSorted());
  assert.ok(recorded.every(({ outcome }) => outcome === "refused"));
  await control(cloud, "PUT", "/facts", { basedOn: version + 1, document: facts });
  await eventually("all have it", async () => (await modelsOf()).every((count) => count === 1));
  assert.equal((await ask({ url: cloud.url, key: keys["both"]! })).status, 200);
});

test("who may not join is told why: an unknown, used, expired or revoked token, another site, another gateway, another clock", async () => {
  const refused = async (
    token: string | undefined,
    more: Partial<Parameters<typeof joinFails>[0]> = {},
    environment = {},
  ) =>
    joinFails(
      { data: machine("nobody"), url: joinUrl, ...(token === undefined ? {} : { token }), ...more },
      environment,
    );
  const open = await newToken(cloud, "fr");
  const used = await newToken(cloud, "fr");
  const gateway = used.token.split(".")[1]!;
  const late = await newToken(cloud, "fr", 1);
  const revoked = await newToken(cloud, "fr");
  await control(cloud, "POST", `/hosts/tokens/${revoked.id}/revoke`);
  const third = await startMachine({ data: machine("third"), url: joinUrl, token: used.token });
  await third.kill();

  assert.equal((await refused(`bwj_${"A".repeat(43)}.${gateway}`)).code, "join_token_invalid");
  assert.equal((await refused(used.token)).code, "join_token_used");
  assert.equal((await refused(late.token)).code, "join_token_expired");
  assert.match((await refused(revoked.token)).message, /revoked/);
  const claim = await refused(open.token, { arguments: ["--site", "us"] });
  assert.equal(claim.code, "site_mismatch");
  assert.match(claim.message, /says that it is at site "us"; the operator has registered it for "fr"/);
  const elsewhere = join(folder.path, "elsewhere.yaml");
  writeFileSync(elsewhere, "site: {name: us}\nengine: {kind: fake}\nmodels: {serve: [fake]}\n");
  const read = await refused(open.token, { arguments: ["--config", elsewhere] });
  assert.match(`${read.code}: ${read.message}`, /^site_mismatch: .* by `site.name` in \S+elsewhere\.yaml\.$/);
  assert.equal((await refused(`${open.token.split(".")[0]}.${"B".repeat(43)}`)).code, "gateway_not_trusted");
  assert.equal((await refused("bwj_torn")).code, "join_token_invalid");
  assert.match((await refused(undefined)).message, /Nothing in .* says that this machine is a host/);
  // What there is at an address is nothing that a token tells: a closed port, one that speaks no TLS, another key.
  const other = `127.0.0.1:${new URL(joinUrl).port}`;
  const said = await Promise.all(
    ["127.0.0.1:1", new URL(cloud.url).host, other].map(async (address, index) => {
      const { code, message } = await refused(open.token, {
        data: machine(`nobody-${index}`),
        arguments: ["--address", address],
      });
      return `${code}: ${message.replace(address, "there")}`;
    }),
  );
  assert.match(said[0]!, /^host_unreachable: The gateway does not reach this machine, by its key, at there/);
  assert.equal(new Set(said).size, 1, said.join("\n"));
  const ahead = `--import=data:text/javascript,${encodeURIComponent("const now = Date.now; Date.now = () => now() + 60_000;")}`;
  const skewed = await refused(open.token, {}, { NODE_OPTIONS: ahead });
  assert.equal(skewed.code, "clock_skew");
  assert.match(skewed.message, /clock is \d+\.\d s ahead of the gateway's; 5 s are allowed/);
  // None of this has used the token up, and a host keeps its site for ever.
  const joined = await startMachine({ data: machine("nobody"), url: joinUrl, token: open.token });
  assert.equal(joined.site, "fr");
  await joined.kill();
  const moved = await joinFails({ data: machine("nobody"), url: joinUrl, arguments: ["--site", "us"] });
  assert.equal(moved.code, "site_mismatch");
  for (const { id, host } of [third, joined].map((each) => ({ id: each.host, host: each }))) {
    await control(cloud, "POST", `/hosts/${id}/revoke`);
    assert.equal((await joinFails({ data: host.data, url: joinUrl })).code, "host_revoked");
  }
  const token = await newToken(cloud, "fr");
  const again = await joinFails({ data: third.data, url: joinUrl, token: token.token });
  assert.equal(again.code, "host_revoked", "a key that was revoked joins with no token");
});

test("a token is made for a declared site only, and a machine that serves nothing is none", async () => {
  await assert.rejects(newToken(cloud, "frr"), /422 .*Did you mean .*fr.*site_not_declared/);
  const { token } = await newToken(cloud, "fr");
  const config = join(folder.path, "empty.yaml");
  writeFileSync(config, "models: {serve: []}");
  const refused = await joinFails({ data: machine("empty"), url: joinUrl, token, arguments: ["--config", config] });
  assert.match(refused.message, /no model to serve/);
});

/** What a host's front lets a stranger hear: nothing, and that the connection is over. */
function heardBy(address: string, options: ConnectionOptions): Promise<string> {
  const { host, port } = parseAddress(address)!;
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect({ host, port, rejectUnauthorized: false, ...options }, () => {
      socket.write("GET /host/v1/hello HTTP/1.1\r\nhost: x\r\n\r\n");
    });
    socket.on("data", (part: Buffer) => (heard += part.toString()));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(heard));
  });
}

test("a host's front speaks to its gateway's key, over TLS 1.3, and to nobody else", async () => {
  const { address } = (await hostsOf(cloud)).find(({ id }) => id === fr.host)!;
  const stranger = await openIdentity(machine("stranger"), "stranger");
  const neighbour = identityIn(us.data);
  for (const pem of [stranger.pem, neighbour]) assert.equal(await heardBy(address, { key: pem, cert: pem }), "");
  assert.equal(await heardBy(address, {}), "", "no certificate");
  const gateway = identityIn(data);
  assert.equal(await heardBy(address, { key: gateway, cert: gateway, maxVersion: "TLSv1.2" }), "");
  const { host, port } = parseAddress(address)!;
  const fake = { pem: stranger.pem, fingerprint: stranger.fingerprint };
  const peer = { identity: fake, address: { host, port }, timeoutMs: 5_000, clock: systemClock };
  await assert.rejects(connectPinned({ ...peer, fingerprint: stranger.fingerprint }), /holds another key/);
  await eventually("its log's word", () => fr.output().includes("somebody who is not the gateway"));
});

const slow = "[[fake:tokens=400]] [[fake:token-ms=10]]";

test("a host that dies mid-stream: the client reads the error, and what the host counted is settled once it is back", async () => {
  const before = await usageOf(cloud, "france");
  let killed: Promise<void> | undefined;
  const asking = ask({
    url: cloud.url,
    key: keys["france"]!,
    content: slow,
    stream: true,
    onPart: (text) => {
      if (eventsOf(text).length >= 20) killed ??= fr.kill();
    },
  });
  await eventually("the kill", () => killed !== undefined);
  await killed;
  await hostIs(cloud, fr.host, "away");
  const refused = await ask({ url: cloud.url, key: keys["france"]! });
  assert.equal(errorIn(refused).code, "engine_unavailable", "no other site may have it");
  assert.equal((await ask({ url: cloud.url, key: keys["states"]! })).status, 200, "and others go on");
  const seen = await asking;
  assert.equal(await metric(cloud, "bailiwick_requests_in_flight"), 1, "its record waits for the host's counts");
  assert.deepEqual([seen.whole, isDone(seen.text)], [true, false]);
  assert.deepEqual((eventsOf(seen.text).at(-1)!["error"] as { code: string }).code, "engine_failed");
  fr = await startMachine({ data: fr.data, url: joinUrl });
  assert.deepEqual([fr.isNew, fr.site], [false, "fr"]);
  await eventually("its record", async () => (await metric(cloud, "bailiwick_requests_in_flight")) === 0, 60_000);
  const { usage } = await receiptOf(cloud, keys["france"]!, seen);
  const received = eventsOf(seen.text).length - 2;
  const row = await usageOf(cloud, "france");
  assert.equal(row.unrated, 0);
  assert.equal(row.outputTokens - before.outputTokens, usage!.outputTokens);
  assert.ok(usage!.outputTokens >= received && usage!.outputTokens < 400, `${usage!.outputTokens}, ${received} seen`);
  await hostIs(cloud, fr.host, "ready");
});

test("a request of which nobody saw anything goes on elsewhere where its project may be, and nowhere else", async () => {
  const content = "[[fake:slow-prefill=4000]] [[fake:tokens=5]]";
  const send = (project: string) => ask({ url: cloud.url, key: keys[project]!, content });
  const before = await usageOf(cloud, "both");
  const running = async (): Promise<number> => {
    const { items } = await control<{ items: { running: number }[] }>(cloud, "GET", "/destinations");
    return items.reduce((sum, each) => sum + each.running, 0);
  };
  // The one that comes first has a host, the one behind it the other.
  const both = [send("both"), send("both")];
  await eventually("two run", async () => (await running()) === 2);
  const only = send("states");
  await eventually("three run", async () => (await running()) === 3);
  await us.kill();
  us = await startMachine({ data: us.data, url: joinUrl });
  const answers = await Promise.all(both);
  for (const seen of answers) {
    assert.equal(seen.status, 200, seen.text);
    assert.equal((await receiptOf(cloud, keys["both"]!, seen)).hops.at(-1)!.name, fr.host);
  }
  const { requests, unrated, outputTokens } = await usageOf(cloud, "both");
  const answered = answers.reduce((sum, each) => sum + usageIn(each)!.completion_tokens, 0);
  assert.deepEqual(
    [requests - before.requests, unrated, outputTokens - before.outputTokens],
    [2, 0, answered],
    "what was lost is nobody's",
  );
  const seen = await only;
  assert.equal(seen.status, 200, seen.text);
  const { name, site } = (await receiptOf(cloud, keys["states"]!, seen)).hops.at(-1)!;
  assert.deepEqual([name, site], [us.host, "us"], "it waited for the only place where it may be");
  await hostIs(cloud, us.host, "ready");
});

test("a host that is stopped takes nothing new and lets its answers end", async () => {
  let begun = false;
  const running = ask({
    url: cloud.url,
    key: keys["states"]!,
    // Long enough that the gateway, which asks once a second, hears of it.
    content: "[[fake:tokens=120]] [[fake:token-ms=50]]",
    stream: true,
    onPart: () => (begun = true),
  });
  await eventually("its first token", () => begun);
  const stopping = us.stop();
  await eventually("it says that it is stopping", async () => {
    const { state, reason } = (await hostsOf(cloud)).find(({ id }) => id === us.host)!;
    return state === "away" && /stopping/.test(String(reason));
  });
  assert.equal(isDone((await running).text), true);
  assert.equal(await stopping, 0);
  us = await startMachine({ data: us.data, url: joinUrl });
  await hostIs(cloud, us.host, "ready");
});

test("kill -9 of the gateway: the joined host keeps its counts, and the next gateway settles them", async () => {
  const port = Number(new URL(joinUrl).port);
  const before = await usageOf(cloud, "france");
  let killed: Promise<void> | undefined;
  await ask({
    url: cloud.url,
    key: keys["france"]!,
    content: slow,
    stream: true,
    onPart: (text) => {
      if (eventsOf(text).length >= 20) killed ??= cloud.kill();
    },
  });
  await killed;
  cloud = await up(port);
  await eventually("the settlement", () => cloud.output().includes("settled what an earlier run left open"));
  const row = await usageOf(cloud, "france");
  assert.equal(row.requests - before.requests, 1);
  assert.equal(row.unrated, 0);
  assert.ok(row.outputTokens - before.outputTokens >= 19);
  await Promise.all([hostIs(cloud, fr.host, "ready"), hostIs(cloud, us.host, "ready")]);
  assert.equal((await ask({ url: cloud.url, key: keys["states"]! })).status, 200, "both hosts are its own, as before");
});

test("what a host has is known to the next gateway before the host is heard", async () => {
  await us.kill();
  assert.equal(await cloud.stop(), 0);
  cloud = await up(Number(new URL(joinUrl).port));
  const refused = await ask({ url: cloud.url, key: keys["states"]! });
  assert.equal(errorIn(refused).code, "engine_unavailable");
  us = await startMachine({ data: us.data, url: joinUrl });
  await Promise.all([hostIs(cloud, fr.host, "ready"), hostIs(cloud, us.host, "ready")]);
});

test("without a word from its gateway for ten seconds a host finishes what runs and takes nothing new", async () => {
  const { address } = (await hostsOf(cloud)).find(({ id }) => id === fr.host)!;
  const pem = identityIn(data);
  const identity = { pem, fingerprint: fingerprintOf(new X509Certificate(pem)) };
  const key = fingerprintOf(new X509Certificate(identityIn(fr.data)));
  const asked = async (): Promise<string> => {
    const peer = { identity, address: parseAddress(address)!, fingerprint: key, timeoutMs: 5_000, clock: systemClock };
    const socket = await connectPinned(peer);
    const body = JSON.stringify({ model: "fake", messages: [{ role: "user", content: "[[fake:tokens=2]]" }] });
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nbailiwick-request: req_01KA0000000000000000000001\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    return (await socket.toArray()).map(String).join("");
  };
  assert.match(await asked(), /^HTTP\/1\.1 200 /);
  cloud.process.kill("SIGSTOP");
  try {
    await eventually("the end of the lease", async () => /^HTTP\/1\.1 503 [^]*lease has run out/.test(await asked()));
  } finally {
    cloud.process.kill("SIGCONT");
  }
  await eventually("the lease again", async () => (await ask({ url: cloud.url, key: keys["france"]! })).status === 200);
});

test("a machine that stands still, its connections open, is given up: what nobody saw goes on elsewhere", async () => {
  const content = "[[fake:slow-prefill=8000]] [[fake:tokens=5]]";
  const still = fr.process;
  const both = [0, 1].map(() => ask({ url: cloud.url, key: keys["both"]!, content }));
  await eventually("both run", async () => (await metric(cloud, "bailiwick_requests_in_flight")) === 2);
  still.kill("SIGSTOP");
  try {
    await hostIs(cloud, fr.host, "away");
    for (const seen of await Promise.all(both)) {
      assert.equal(seen.status, 200, seen.text);
      assert.equal((await receiptOf(cloud, keys["both"]!, seen)).hops.at(-1)!.name, us.host);
    }
  } finally {
    still.kill("SIGCONT");
  }
  await hostIs(cloud, fr.host, "ready");
});

test("what had begun on a machine that stands still is told so and ends, before anybody knows what it used; then that is counted", async () => {
  const key = keys["france"]!;
  const before = await usageOf(cloud, "france");
  let begun = false;
  const asked = [
    ask({
      url: cloud.url,
      key,
      stream: true,
      content: "[[fake:tokens=100000]] [[fake:token-ms=20]]",
      more: { max_tokens: 4_000 },
      onPart: (text) => (begun ||= eventsOf(text).length >= 5),
    }),
    ask({ url: cloud.url, key, content: "[[fake:slow-prefill=600000]]" }),
  ];
  await eventually("a stream, and what is computed before a token", async () => {
    return begun && (await metric(cloud, "bailiwick_requests_in_flight")) === 2;
  });
  fr.process.kill("SIGSTOP");
  try {
    const [stream, whole] = await Promise.all(asked);
    assert.equal(await metric(cloud, "bailiwick_requests_in_flight"), 2, "their records wait for the host's counts");
    assert.ok(stream!.whole && whole!.whole);
    const last = eventsOf(stream!.text).at(-1) as { error?: { code: string } };
    assert.deepEqual([last.error?.code, isDone(stream!.text)], ["engine_failed", false]);
    assert.deepEqual([whole!.status, errorIn(whole!).code], [502, "engine_failed"]);
  } finally {
    fr.process.kill("SIGCONT");
  }
  await eventually("records", async () => (await metric(cloud, "bailiwick_requests_in_flight")) === 0);
  await hostIs(cloud, fr.host, "ready", 60_000);
  const row = await usageOf(cloud, "france");
  assert.deepEqual([row.requests - before.requests, row.unrated], [2, 0]);
  assert.ok(row.outputTokens - before.outputTokens >= 4, JSON.stringify([before, row]));
});

test("a backup holds the key that the hosts know their gateway by", async () => {
  const path = join(folder.path, "backup");
  await control(cloud, "POST", "/backups", { path });
  assert.equal(identityIn(path), identityIn(data));
});

test("a revoked host gets nothing new within a second, and what runs there ends whole", async () => {
  let begun = false;
  const running = ask({
    url: cloud.url,
    key: keys["france"]!,
    content: "[[fake:tokens=60]] [[fake:token-ms=50]]",
    stream: true,
    onPart: () => (begun = true),
  });
  await eventually("its first token", () => begun);
  await control(cloud, "POST", `/hosts/${fr.host}/revoke`);
  await pause(1_000);
  const refused = await ask({ url: cloud.url, key: keys["france"]! });
  assert.equal(errorIn(refused).code, "no_permitted_site");
  const seen = await running;
  assert.equal(isDone(seen.text), true);
  assert.equal(usageIn(seen)!.completion_tokens, (await receiptOf(cloud, keys["france"]!, seen)).usage!.outputTokens);
  assert.equal((await hostsOf(cloud)).find(({ id }) => id === fr.host)!.state, "revoked");
  assert.equal(await cloud.stop(), 0, "nothing of it holds a stop up");
});
