import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { createContext, runInContext } from "node:vm";
import { systemClock } from "../../src/base/index.ts";
import type * as Fetch from "../../src/fetch/index.ts";
import { type Bundles, bundles } from "../../src/browser/index.ts";
import { folderDisk, formatVerifierKey, openSequencer, verifierKeyOf } from "../../src/log/index.ts";
import { ask, makeKey } from "./asking.ts";
import { type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";
import { aboutLog, type AboutLog, judged, keep, type Kept, receiptIdOf } from "./transparency.ts";

/** The verifier of browsers against the command line: the same verdicts, word for word, over every forgery. */
const folder = temporaryFolder();
const settings = "engine: {kind: fake}\nmodels: {serve: [fake]}\nsite: {jurisdiction: DE}\nfake: {tokens: 4}\n";
const body = JSON.stringify({ model: "fake", messages: [{ role: "user", content: "Grüezi" }] });
let cloud: RunningCloud;
let key: string;
let log: AboutLog;
let made: Bundles;
let kept: Kept;
let response: string;

before(async () => {
  made = await bundles();
  cloud = await startCloud({ data: join(folder.path, "data"), settings });
  key = await makeKey(cloud, "tenant");
  log = await aboutLog(cloud);
  const seen = await ask({ url: cloud.url, key, body });
  response = seen.text;
  kept = await keep(cloud, key, String(seen.headers["bailiwick-receipt"]), folder.path);
});
after(async () => {
  await cloud?.kill();
  folder.remove();
});

/** What is given to either verifier; what ends in bytes stands in base64, so that a page can be given it. */
type Given = Readonly<Record<string, string>>;

interface Verdict {
  readonly valid: boolean;
  readonly reason: string;
}

const options: Readonly<Record<string, string>> = {
  keys: "--key",
  proof: "--proof",
  checkpoint: "--checkpoint",
  sites: "--sites",
  request: "--request",
  response: "--response",
  digestKey: "--digest-key",
  asked: "--asked",
  answered: "--answered",
};
const texts: Readonly<Record<string, string>> = { logKeys: "--log-key", tenant: "--tenant", witnesses: "--witness" };

const bytesOf = (path: string): string => readFileSync(path, "latin1");

const everything = (): Given => ({
  receipt: bytesOf(kept.receipt),
  keys: bytesOf(kept.keyStatement),
  proof: bytesOf(kept.proof),
  logKeys: log.keys.join("\n"),
});

/** By the command line. */
async function atTerminal(given: Given): Promise<Verdict> {
  const saved = (name: string): string => {
    const path = join(folder.path, `given-${name}`);
    writeFileSync(path, given[name]!, "latin1");
    return path;
  };
  const argv = Object.keys(given).flatMap((name) => {
    if (options[name] !== undefined) return [options[name], saved(name)];
    return texts[name] === undefined ? [] : [texts[name], ...given[name]!.split("\n")];
  });
  const { code: _, ...verdict } = await judged("receipt", "verify", saved("receipt"), ...argv);
  return verdict as unknown as Verdict;
}

/** How a page gives it to the verifier. */
const giving = `(given) => Object.fromEntries(Object.entries(given).map(([name, text]) =>
  [name, ["logKeys", "tenant", "witnesses"].includes(name) ? text
    : ["sites", "asked", "answered"].includes(name) ? new TextDecoder().decode(Uint8Array.from(text, (c) => c.charCodeAt(0)))
    : Uint8Array.from(text, (c) => c.charCodeAt(0))]))`;

/** In a realm that has what the language has, and text encoders: nothing of Node, no network. */
async function inRealm(given: Given): Promise<Verdict> {
  const context = createContext({ TextEncoder, TextDecoder });
  runInContext(made.verifier, context);
  const run = `bailiwick.verifyGiven((${giving})(${JSON.stringify(given)})).then((verdict) => JSON.stringify(verdict))`;
  const { text: _, ...verdict } = JSON.parse(await (runInContext(run, context) as Promise<string>)) as Verdict & {
    readonly text: string;
  };
  return verdict;
}

/** Cases that both have judged the same, for a real browser. */
const judgedAlike: { readonly given: Given; readonly verdict: Verdict }[] = [];

async function alike(given: Given): Promise<Verdict> {
  const verdict = await atTerminal(given);
  assert.deepEqual(await inRealm(given), verdict);
  judgedAlike.push({ given, verdict });
  return verdict;
}

function flipped(text: string, at: number): string {
  return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
}

const utf8 = (text: string): string => Buffer.from(text).toString("latin1");

test("a receipt with all that there is about it is valid, as of the same checkpoint", async () => {
  const verdict = await alike({
    ...everything(),
    sites: '{"here":"DE"}',
    digestKey: bytesOf(kept.digestKey),
    request: utf8(body),
    response: utf8(response),
    asked: utf8(JSON.stringify({ ...(JSON.parse(body) as object), stream: false })),
    answered: utf8(response),
    checkpoint: bytesOf(kept.proof).slice(bytesOf(kept.proof).indexOf("\n\n") + 2),
  });
  assert.ok(verdict.valid, verdict.reason);
});

test("a flipped byte of receipt, proof, key statement, request, answer or what an SDK said of them", async () => {
  const whole: Given = {
    ...everything(),
    digestKey: bytesOf(kept.digestKey),
    request: utf8(body),
    response: utf8(response),
  };
  for (const name of ["receipt", "proof", "keys", "request", "response"]) {
    const text = whole[name]!;
    for (let part = 0; part < 12; part++) {
      const at = Math.floor((text.length * part) / 12);
      assert.equal((await alike({ ...whole, [name]: flipped(text, at) })).valid, false, `${name}, byte ${at}`);
    }
  }
  const { request: _, response: __, ...rest } = whole;
  const asked = utf8(body.replace("Grüezi", "Servus"));
  assert.match((await alike({ ...rest, asked })).reason, /what was asked is not the one/);
  const said = JSON.parse(response) as { choices: { message: { content: string } }[] };
  said.choices[0]!.message.content += "!";
  const answered = utf8(JSON.stringify(said));
  assert.match((await alike({ ...rest, answered })).reason, /what was answered is not the one/);
});

test("swapped receipts and proofs, another tenant, another jurisdiction, unknown keys, too few witnesses", async () => {
  const other = await keep(cloud, key, await receiptIdOf(cloud, key, "Something else."), folder.path);
  const { privateKey } = generateKeyPairSync("ed25519");
  const stranger = formatVerifierKey(verifierKeyOf("ed25519", { name: "log.example/other", privateKey }));
  const witness = "witness.example/w1+04d2d833+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM";
  const keys = '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}';
  for (const [change, reason] of [
    [{ receipt: bytesOf(other.receipt) }, /path does not lead/],
    [{ proof: bytesOf(other.proof) }, /path does not lead/],
    [{ tenant: "prj_01KA0000000000000000000000" }, /another tenant/],
    [{ sites: '{"here":"FR"}' }, /it lies in FR/],
    [{ sites: '{"there":"DE"}' }, /not among the given ones/],
    [{ logKeys: stranger }, /not a trusted log/],
    [{ keys }, /not in the set/],
    [{ witnesses: witness }, /0 of the 1 witnesses/],
  ] as const) {
    const verdict = await alike({ ...everything(), ...change });
    assert.equal(verdict.valid, false);
    assert.match(verdict.reason, reason);
  }
});

test("a checkpoint older than the pinned one, a newer one without its tiles, a forked log", async () => {
  const newest = await (await fetch(`${cloud.url}/log/checkpoint`)).text();
  assert.match((await alike({ ...everything(), checkpoint: utf8(newest) })).reason, /older than the pinned one/);
  const proof = bytesOf(kept.proof);
  const first = proof.slice(proof.indexOf("\n\n") + 2);
  const later = await keep(cloud, key, await receiptIdOf(cloud, key), folder.path);
  const newer = { ...everything(), receipt: bytesOf(later.receipt), proof: bytesOf(later.proof), checkpoint: first };
  assert.match((await alike(newer)).reason, /it takes the tiles/);
  const keyFolder = join(folder.path, "data", "log-keys");
  const privateKey = createPrivateKey(readFileSync(join(keyFolder, readdirSync(keyFolder)[0]!)));
  const opened = await openSequencer({
    disk: await folderDisk(join(folder.path, "fork")),
    clock: systemClock,
    origin: log.origin,
    keys: [{ privateKey }],
  });
  assert.ok(opened.outcome === "opened");
  await opened.log.append([{ entries: Buffer.alloc(Number(first.split("\n")[1]) * 32, 7) }], null);
  assert.match((await alike({ ...everything(), checkpoint: utf8(opened.log.checkpoint!) })).reason, /has forked/);
});

test("a key that was revoked: what it signed before holds by its proof alone", async () => {
  await cloud.command("signing-key", "rotate");
  const [, first] = await cloud
    .command<{ id: string }[] | { items: { id: string }[] }>("signing-key", "list")
    .then((list) => ("items" in list ? list.items : list));
  await cloud.command("signing-key", "revoke", first!.id);
  const after = await keep(cloud, key, await receiptIdOf(cloud, key), folder.path);
  const keys = bytesOf(after.keyStatement);
  assert.ok((await alike({ ...everything(), keys })).valid);
  const { proof: _, ...unproven } = everything();
  assert.match((await alike({ ...unproven, keys })).reason, /its key was revoked/);
});

test("the wrapper's bundle has all that it needs in it, and verifies as the source does", async () => {
  assert.doesNotMatch(made.fetch, /\bfrom\s*["']|\brequire\(|\bimport\(/);
  const url = `data:text/javascript;base64,${Buffer.from(made.fetch).toString("base64")}`;
  const { verifying, memoryPins } = (await import(url)) as typeof Fetch;
  const reasons: string[] = [];
  const wrapped = verifying({
    logKeys: log.keys,
    pins: memoryPins(),
    strict: true,
    onVerdict: ({ reason }) => void reasons.push(reason),
  });
  for (const more of [{}, { stream: true }]) {
    const answer = await wrapped(`${cloud.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ ...(JSON.parse(body) as object), ...more }),
    });
    assert.ok((await answer.text()).length > 0);
  }
  assert.deepEqual(reasons, ["valid", "valid"]);
});

const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

test(
  "a real browser, from a file, gives every one of these verdicts",
  { skip: chromium === undefined && "no Chromium here" },
  async () => {
    const page = join(folder.path, "verify.html");
    const cases = JSON.stringify(judgedAlike.map(({ given }) => given)).replaceAll("<", "\\u003c");
    const run = `<script>(async () => {
    const verdicts = [];
    for (const given of ${cases}) verdicts.push(await bailiwick.verifyGiven((${giving})(given)));
    const shown = document.createElement("pre");
    shown.id = "verdicts";
    shown.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(verdicts))));
    document.body.append(shown);
  })()</script>`;
    writeFileSync(
      page,
      made.page.replace("</body>", () => `${run}</body>`),
    );
    const { stdout } = await promisify(execFile)(
      chromium!,
      ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=60000", "--dump-dom", `file://${page}`],
      { maxBuffer: 64 << 20, timeout: 120_000 },
    );
    const shown = /<pre id="verdicts">([^<]*)</.exec(stdout)?.[1];
    const verdicts = JSON.parse(Buffer.from(shown!, "base64").toString()) as (Verdict & { text: string })[];
    assert.equal(verdicts.length, judgedAlike.length);
    for (const [at, { text: _, ...verdict }] of verdicts.entries()) assert.deepEqual(verdict, judgedAlike[at]!.verdict);
  },
);
