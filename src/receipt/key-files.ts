import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { thumbprint } from "./thumbprint.ts";

export interface KeyFile {
  /** The file's name, which is when it was made. */
  readonly name: string;
  /** Ed25519. */
  readonly privateKey: KeyObject;
}

/** A folder of private keys, one a file, readable by their owner only. */
export interface KeyFolder {
  /** The newest first; at least one. */
  readonly keys: readonly KeyFile[];
  make(nowMs: number): void;
  /** Destroys one that is not the newest. */
  remove(name: string): void;
}

/** Opens a folder of keys, making the first one where there is none. Throws where a key file is damaged. */
export function openKeyFolder(folder: string, nowMs: number): KeyFolder {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const names = readdirSync(folder).filter((name) => name.endsWith(".pem"));
  if (names.length === 0) names.push(createKey(folder, nowMs));
  let keys = names.map((name) => readKey(folder, name)).toSorted((a, b) => (a.name < b.name ? 1 : -1));
  return {
    get keys() {
      return keys;
    },
    make(atMs) {
      const name = createKey(folder, atMs);
      keys = [readKey(folder, name), ...keys.filter((key) => key.name !== name)];
    },
    remove(name) {
      if (keys[0]!.name === name) throw new RangeError("the newest key is not destroyed");
      rmSync(join(folder, name), { force: true });
      syncFolder(folder);
      keys = keys.filter((key) => key.name !== name);
    },
  };
}

/** "2026-11-24T00-00-00-000Z.pem": its name is when it was made. */
function createKey(folder: string, nowMs: number): string {
  const privateKey = newPrivateKey();
  const name = `${new Date(nowMs).toISOString().replaceAll(/[:.]/g, "-")}.pem`;
  const beside = join(folder, `${name}.new`);
  const file = openSync(beside, "w", 0o600);
  writeSync(file, String(privateKey.export({ type: "pkcs8", format: "pem" })));
  fsyncSync(file);
  closeSync(file);
  renameSync(beside, join(folder, name));
  // What is signed with it must not outlive it.
  syncFolder(folder);
  return name;
}

/** Its id is given to commands, which take a word that begins with a dash for an option: one key in 64 is drawn again. */
function newPrivateKey(): KeyObject {
  for (;;) {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    if (!thumbprint(publicKey.export({ format: "jwk" })).startsWith("-")) return privateKey;
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  fsyncSync(handle);
  closeSync(handle);
}

function readKey(folder: string, name: string): KeyFile {
  const path = join(folder, name);
  chmodSync(path, 0o600);
  const privateKey = createPrivateKey(readFileSync(path));
  if (privateKey.asymmetricKeyType !== "ed25519") throw new Error(`${path} is no Ed25519 key`);
  return { name, privateKey };
}
