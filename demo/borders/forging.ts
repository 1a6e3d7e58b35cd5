/** What somebody makes who has stolen keys, by docs/reference/receipt.md and log.md alone. */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The newest private key in a folder of keys, as who has the run of the gateway's machine would copy it. */
export function stolenKey(folder: string): KeyObject {
  const newest = readdirSync(folder).toSorted().at(-1);
  if (newest === undefined) throw new Error(`no key is in ${folder}`);
  return createPrivateKey(readFileSync(join(folder, newest)));
}

/** DSSE's pre-authentication encoding. */
function pae(type: string, body: string): Buffer {
  return Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${Buffer.byteLength(body)} ${body}`);
}

const batchType = "application/vnd.bailiwick.batch+json;version=1";

/** The same receipt saying something else, in a batch of its own that the key has sealed. */
export function resealed(receipt: Buffer, key: KeyObject, change: (statement: string) => string): Buffer {
  const file = JSON.parse(receipt.toString()) as {
    readonly payload: string;
    readonly payloadType: string;
    readonly signature: { readonly keyid: string };
  };
  const statement = change(Buffer.from(file.payload, "base64").toString());
  const leaf = createHash("sha256").update(Buffer.of(0)).update(pae(file.payloadType, statement)).digest("base64");
  const sealed = sign(null, pae(batchType, `{"root":"${leaf}","size":1,"v":1}`), key);
  const forged = {
    batch: { index: 0, path: [], size: 1 },
    payload: Buffer.from(statement).toString("base64"),
    payloadType: file.payloadType,
    signature: { keyid: file.signature.keyid, sig: sealed.toString("base64") },
  };
  return Buffer.from(`${JSON.stringify(forged)}\n`);
}

/** A checkpoint of another tree of the same size, signed by the log's own key. */
export function forkedCheckpoint(checkpoint: Buffer, verifierKey: string, key: KeyObject): Buffer {
  const [origin, size] = checkpoint.toString().split("\n");
  const root = createHash("sha256").update("another tree").digest("base64");
  const text = `${origin}\n${size}\n${root}\n`;
  // A verifier key is NAME+HASH+KEY; a signature begins with the four bytes of that hash.
  const hash = Buffer.from(verifierKey.split("+")[1]!, "hex");
  const signature = Buffer.concat([hash, sign(null, Buffer.from(text), key)]).toString("base64");
  return Buffer.from(`${text}\n\u2014 ${origin} ${signature}\n`);
}

/** A key set with a key in it that has signed nothing here. */
export function strangersKeys(): string {
  const { crv, x, kty } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
  return JSON.stringify({ keys: [{ kty, crv, x }] });
}
