/** Receipts with all that they are verified by, written to a folder as their customers would keep them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pause } from "../../test/end-to-end/cloud.ts";
import type { Sent } from "./asking.ts";
import type { Borders } from "./cloud.ts";
import { jurisdictions } from "./facts.ts";
import type { Given, Verifier } from "./verifier.ts";

export interface Kept {
  readonly sent: Sent;
  readonly id: string;
  /** The site that it names as the one that computed the answer. */
  readonly site: string;
  readonly receipt: Buffer;
  readonly proof: Buffer;
  readonly digestKey: Buffer;
  /** The receipt's file; its proof, the request and the response lie beside it. */
  readonly path: string;
}

/** What a receipt is held against beside its proof; nothing of it is secret. */
export interface Trust {
  readonly logKeys: readonly string[];
  readonly keyStatement: Buffer;
  /** The same keys without a proof that the log knows of them. */
  readonly keys: Buffer;
  readonly checkpoint: Buffer;
}

interface AboutLog {
  readonly keys: readonly string[];
  readonly keyStatement: number;
}

async function aboutLog({ cloud: { url } }: Borders): Promise<AboutLog> {
  return JSON.parse((await got(`${url}/.well-known/bailiwick/log`)).toString()) as AboutLog;
}

/** The newest statement about the keys that the log is known to have. */
export async function statedIn(borders: Borders): Promise<number> {
  return (await aboutLog(borders)).keyStatement;
}

export async function trustIn(borders: Borders): Promise<Trust> {
  const { url } = borders.cloud;
  const about = await aboutLog(borders);
  return {
    logKeys: about.keys,
    keyStatement: await got(`${url}/log/keys/${about.keyStatement}.tlog-proof`),
    keys: await got(`${url}/.well-known/bailiwick/keys`),
    checkpoint: await got(`${url}/log/checkpoint`),
  };
}

/** Fetches each receipt with its tenant's key, and writes it with proof, digest key, request and answer. */
export async function keepReceipts({ cloud }: Borders, sent: readonly Sent[], out: string): Promise<readonly Kept[]> {
  const kept: Kept[] = [];
  for (const each of sent) {
    const { access, receipt: id } = each;
    if (id === null) continue;
    const receipt = await got(`${cloud.url}/v1/receipts/${id}`, access.key);
    const proof = await got(`${cloud.url}/v1/receipts/${id}/proof`, access.key);
    const digestKey = await got(`${cloud.url}/v1/receipts/digest-key`, access.key);
    const folder = join(out, access.tenant.name);
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${id}.json`);
    writeFileSync(path, receipt);
    writeFileSync(join(folder, `${id}.tlog-proof`), proof);
    writeFileSync(join(folder, `${id}.request`), each.body);
    writeFileSync(join(folder, `${id}.response`), each.seen.text);
    writeFileSync(join(folder, "digest-key.json"), digestKey, { mode: 0o600 });
    kept.push({ sent: each, id, site: siteIn(receipt), receipt, proof, digestKey, path });
  }
  return kept;
}

/** All that can be checked of a receipt, demanded of it. */
export function everythingOf({ sent, receipt, proof, digestKey }: Kept, trust: Trust): Given {
  return {
    receipt,
    proof,
    digestKey,
    keys: trust.keyStatement,
    logKeys: trust.logKeys.join("\n"),
    sites: JSON.stringify(jurisdictions),
    tenant: sent.access.project,
    request: sent.body,
    response: sent.seen.text,
  };
}

/** The reasons of those that do not hold; the log has to continue the checkpoint that was kept before the first of them. */
export async function verifyAll(
  verifier: Verifier,
  { cloud }: Borders,
  kept: readonly Kept[],
  trust: Trust,
  pinned: Buffer,
): Promise<readonly string[]> {
  const tiles = new Map<string, Buffer>();
  const readLog = async (path: string): Promise<Buffer> => {
    const tile = tiles.get(path) ?? (await got(`${cloud.url}/log/${path}`));
    tiles.set(path, tile);
    return tile;
  };
  const wrong: string[] = [];
  for (const each of kept) {
    const { valid, reason } = await verifier.verify({ ...everythingOf(each, trust), checkpoint: pinned, readLog });
    if (!valid) wrong.push(`${each.path}: ${reason}`);
  }
  return wrong;
}

export function siteIn(receipt: Buffer): string {
  const { payload } = JSON.parse(receipt.toString()) as { readonly payload: string };
  const statement = JSON.parse(Buffer.from(payload, "base64").toString()) as {
    readonly predicate: { readonly hops: readonly { readonly site: string }[] };
  };
  return statement.predicate.hops.at(-1)!.site;
}

/** What is not there yet is asked for again: a receipt is in the log within a second of its answer. */
async function got(url: string, key?: string): Promise<Buffer> {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  for (let tries = 0; ; tries++) {
    const response = await fetch(url, { headers });
    const body = Buffer.from(await response.arrayBuffer());
    if (response.status === 200) return body;
    if (response.headers.get("retry-after") === null || tries === 200) {
      throw new Error(`${url}: ${response.status} ${body.toString().slice(0, 500)}`);
    }
    await pause(50);
  }
}
