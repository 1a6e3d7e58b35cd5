/** Every forgery that a verifier has to refuse, tried on receipts of this very run. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandFails, eventually } from "../../test/end-to-end/cloud.ts";
import type { Borders } from "./cloud.ts";
import { jurisdictions } from "./facts.ts";
import { forkedCheckpoint, resealed, stolenKey, strangersKeys } from "./forging.ts";
import { type Kept, type Trust, statedIn, trustIn } from "./receipts.ts";
import type { Given, Verifier } from "./verifier.ts";

export interface Forgery {
  readonly what: string;
  readonly refused: boolean;
  readonly reason: string;
}

export interface Evidence {
  readonly borders: Borders;
  readonly verifier: Verifier;
  readonly kept: readonly Kept[];
  readonly trust: Trust;
  /** A checkpoint that was kept before any of the receipts. */
  readonly pinned: Buffer;
  /** For what is forged. */
  readonly folder: string;
}

/** A file, or several, that is not what it says, and what the command has to say of it. */
interface Attempt {
  readonly what: string;
  readonly because: RegExp;
  readonly argv: readonly string[];
}

export async function tryForgeries(evidence: Evidence): Promise<readonly Forgery[]> {
  mkdirSync(evidence.folder, { recursive: true });
  const before = await triedAll(attempts(evidence));
  return [...(await flipEveryByte(evidence)), ...before, ...(await triedAll(await revokedKey(evidence)))];
}

/** Every byte of receipt, proof and key statement, one at a time, one bit of it. */
async function flipEveryByte({ verifier, kept, trust }: Evidence): Promise<readonly Forgery[]> {
  const { receipt, proof } = kept[0]!;
  const logKeys = trust.logKeys.join("\n");
  // What has nothing to do with the part that is flipped is left out: a flip is refused by that part alone.
  const parts: readonly (readonly [what: string, bytes: Buffer, given: (flipped: Buffer) => Given])[] = [
    ["the receipt", receipt, (flipped) => ({ receipt: flipped, keys: trust.keys })],
    ["the proof", proof, (flipped) => ({ receipt, keys: trust.keys, proof: flipped, logKeys })],
    ["the key statement", trust.keyStatement, (flipped) => ({ receipt, keys: flipped, logKeys })],
  ];
  const flips: Forgery[] = [];
  for (const [part, bytes, given] of parts) {
    const what = `a flipped byte anywhere in ${part}`;
    const isWholeValid = (await verifier.verify(given(bytes))).valid;
    const passed: number[] = [];
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << (at % 8);
      if ((await verifier.verify(given(flipped))).valid) passed.push(at);
    }
    const refused = isWholeValid && passed.length === 0;
    const problem = isWholeValid ? `a flip passes at ${passed.join(", ")}` : `${part} does not hold as it is`;
    flips.push({ what, refused, reason: refused ? `each of ${bytes.length} flips is refused` : problem });
  }
  return flips;
}

function attempts({ borders, kept, trust, pinned, folder }: Evidence): readonly Attempt[] {
  const save = saver(folder);
  const keys = save("key-statement.tlog-proof", trust.keyStatement);
  const newest = save("checkpoint", trust.checkpoint);
  const digestKey = save("digest-key.json", kept[0]!.digestKey);
  const [first, second] = [kept[0]!, kept[1]!];
  const stranger = kept.find(({ sent }) => sent.access.project !== first.sent.access.project)!;
  const verify = (receipt: Kept, ...more: readonly string[]): readonly string[] => {
    const proof = ["--proof", proofPath(first), "--log-key", ...trust.logKeys];
    return ["receipt", "verify", receipt.path, "--key", keys, ...proof, ...more];
  };
  const log = `${borders.cloud.url}/log`;
  const logKey = stolenKey(join(borders.cloud.data, "log-keys"));
  const fork = (checkpoint: Buffer): Buffer => forkedCheckpoint(checkpoint, trust.logKeys[0]!, logKey);
  const [forkedBefore, forked] = [save("forked-before", fork(pinned)), save("forked", fork(trust.checkpoint))];
  const elsewhere = { ...jurisdictions, [first.site]: "US" };
  return [
    {
      what: "a swapped receipt, with the proof of another one",
      because: /path does not lead from the entry/,
      argv: verify(second),
    },
    {
      what: "a checkpoint older than the pinned one",
      because: /older than the pinned one/,
      argv: verify(first, "--checkpoint", newest),
    },
    {
      what: "a forked log: another tree of the same size, signed by the log's own key",
      because: /has forked/,
      argv: ["log", "verify", "--from", newest, "--to", forked, "--log", log, "--key", ...trust.logKeys],
    },
    {
      what: "a receipt of this log, for somebody who was shown the fork before",
      because: /has forked/,
      argv: verify(first, "--checkpoint", forkedBefore, "--log", log),
    },
    {
      what: "an unknown key",
      because: /signed by a key that is not in the set/,
      argv: ["receipt", "verify", first.path, "--key", save("strangers-keys.json", strangersKeys())],
    },
    {
      what: "a wrong jurisdiction map",
      because: /lies in .*, and it lies in US/,
      argv: verify(first, "--sites", save("wrong-sites.json", JSON.stringify(elsewhere))),
    },
    {
      what: "a replay under another tenant",
      because: /for another tenant/,
      argv: verify(first, "--tenant", stranger.sent.access.project),
    },
    {
      what: "a receipt shown for another answer",
      because: /response's bytes is not the one/,
      argv: verify(first, "--digest-key", digestKey, "--response", save("another.response", second.sent.seen.text)),
    },
  ];
}

/** The key that sealed the receipts is stolen, found out, and revoked: what was made with it counts no more. */
async function revokedKey({ borders, kept, trust, folder }: Evidence): Promise<readonly Attempt[]> {
  const { cloud } = borders;
  const first = kept[0]!;
  const key = stolenKey(join(cloud.data, "signing-keys"));
  const stolen = (JSON.parse(first.receipt.toString()) as { signature: { keyid: string } }).signature.keyid;
  await cloud.command("signing-key", "rotate");
  await cloud.command("signing-key", "revoke", stolen);
  await eventually("the revocation in the log", async () => {
    const { statement } = await cloud.command<{ statement: { number: number } }>("log", "show");
    return (await statedIn(borders)) === statement.number;
  });
  const save = saver(folder);
  const keys = save("key-statement-after.tlog-proof", (await trustIn(borders)).keyStatement);
  const lie = (statement: string): string => statement.replaceAll(`"site":"${first.site}"`, '"site":"us"');
  const forged = save("forged.json", resealed(first.receipt, key, lie));
  const verify = ["receipt", "verify"];
  const rest = ["--key", keys, "--log-key", ...trust.logKeys];
  return [
    { what: "a revoked key, and no proof", because: /its key was revoked/, argv: [...verify, first.path, ...rest] },
    {
      what: "a receipt forged with the revoked key, and no proof",
      because: /its key was revoked/,
      argv: [...verify, forged, ...rest],
    },
    {
      what: "a receipt forged with the revoked key, with the proof of a true one",
      because: /path does not lead from the entry/,
      argv: [...verify, forged, "--proof", proofPath(first), ...rest],
    },
  ];
}

/** Two at a time: each is a process of its own. */
async function triedAll(attempts: readonly Attempt[]): Promise<readonly Forgery[]> {
  const found: Forgery[] = [];
  for (let at = 0; at < attempts.length; at += 2) {
    found.push(...(await Promise.all(attempts.slice(at, at + 2).map(tried))));
  }
  return found;
}

async function tried({ what, because, argv }: Attempt): Promise<Forgery> {
  const { code, stdout, stderr } = await commandFails([...argv, "--json"]);
  if (stdout === "") return { what, refused: false, reason: `it could not be tried: ${stderr.trim()}` };
  const { reason } = JSON.parse(stdout) as { readonly reason: string };
  return { what, refused: code === 1 && because.test(reason), reason };
}

function saver(folder: string): (name: string, content: string | Buffer) => string {
  return (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
}

function proofPath({ path }: Kept): string {
  return path.replace(/\.json$/, ".tlog-proof");
}
