import {
  type Checkpoint,
  checkConsistency,
  openCheckpoint,
  parseProof,
  type ReadTile,
  type TrustedLog,
  verifyProof,
  type WitnessPolicy,
} from "../log/index.ts";
import { type Stated, verifyReceipt, type VerifyInput } from "../receipt/index.ts";
import { Ended } from "./ended.ts";
import { type KnownKeys, readKeys } from "./known-keys.ts";
import { checkMeanings, type Meant } from "./meanings.ts";

/** What is to be verified, and by what. */
export interface Asked extends Omit<VerifyInput, "keys">, Omit<Meant, "digestKey"> {
  /** A JSON Web Key Set, or a key statement's proof, as `/log/keys/N.tlog-proof` serves it. */
  readonly keys: Buffer;
  /** Its proof of inclusion: it is then demanded that it holds. */
  readonly proof?: Buffer;
  /** The logs that are trusted, by their keys. */
  readonly logs: readonly TrustedLog[];
  readonly witnesses?: WitnessPolicy;
  /** A checkpoint of the log that was seen before. */
  readonly pinned?: Buffer;
  /** Tiles of the log, where a newer checkpoint than the pinned one has to be shown to continue it. */
  readonly readTile?: ReadTile;
}

/** The checkpoint at which a verdict holds. */
export interface AsOf {
  readonly log: string;
  readonly size: number;
  /** The receipt's entry. */
  readonly index: number;
  /** When witnesses saw the checkpoint: the earliest of those that are known. */
  readonly cosignedAtMs: number | null;
  readonly witnesses: readonly string[];
}

export type Verdict =
  | {
      readonly outcome: "valid";
      readonly reason: string;
      readonly checked: readonly string[];
      readonly stated: Stated;
      /** undefined: by its signature alone; the log was not asked about. */
      readonly asOf: AsOf | undefined;
    }
  | {
      readonly outcome: "invalid" | "unchecked";
      readonly reason: string;
      readonly checked: readonly string[];
      /** The proof's checkpoint and the pinned one contradict each other: the two prove to anyone that the log has forked. */
      readonly isFork: boolean;
      /** The receipt's key is not among those that were given: newer ones may have it. */
      readonly isKeyUnknown: boolean;
    };

/** Verifies a receipt, and whatever else was given about it. Reads tiles only where `readTile` is given and needed. */
export async function verify(asked: Asked): Promise<Verdict> {
  const checked: string[] = [];
  try {
    const keys = readKeys(asked.keys, asked.logs, asked.witnesses);
    if (keys.outcome !== "known") throw new Ended(keys.outcome, keys.reason);
    if (keys.statement !== undefined) checked.push("key statement");
    const { proof, asked: meant, answered, logs: _, witnesses: __, pinned: ___, readTile: ____, ...receipt } = asked;
    const verified = verifyReceipt({ ...receipt, keys: keys.jwks });
    checked.push(...verified.checked);
    if (verified.outcome !== "valid") {
      const { outcome, reason, isKeyUnknown } = verified;
      return { outcome, reason, checked, isFork: false, isKeyUnknown };
    }
    checkMeanings(
      verified.stated,
      {
        ...(meant === undefined ? {} : { asked: meant }),
        ...(answered === undefined ? {} : { answered }),
        ...(asked.digestKey === undefined ? {} : { digestKey: asked.digestKey }),
      },
      checked,
    );
    const asOf = proof === undefined ? undefined : await inLog(asked, proof, verified.leaf, checked);
    checkRevocation(keys, verified.keyId, asOf, checked);
    return { outcome: "valid", reason: "valid", checked, stated: verified.stated, asOf };
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
    const { outcome, message: reason, isFork } = error;
    return { outcome, reason, checked, isFork, isKeyUnknown: false };
  }
}

async function inLog(asked: Asked, proof: Buffer, entry: Buffer, checked: string[]): Promise<AsOf> {
  if (asked.logs.length === 0) throw new Ended("unchecked", "a proof takes the log's key: give it with --log-key");
  const { logs, witnesses } = asked;
  const verdict = verifyProof({ proof, entry, logs, ...(witnesses === undefined ? {} : { witnesses }) });
  if (verdict.outcome !== "valid") throw new Ended("invalid", verdict.reason);
  checked.push("proof");
  if (witnesses !== undefined) checked.push("witnesses");
  await heldAgainst(asked, proof, verdict.checkpoint, checked);
  const times = verdict.witnesses.map(({ timestampSeconds }) => timestampSeconds * 1_000);
  return {
    log: verdict.checkpoint.origin,
    size: verdict.checkpoint.size,
    index: verdict.index,
    cosignedAtMs: times.length === 0 ? null : Math.min(...times),
    witnesses: verdict.witnesses.map(({ name }) => name),
  };
}

/** Whether the log has only grown since the pinned checkpoint. An older state than that is no state to stand on. */
async function heldAgainst(asked: Asked, proof: Buffer, shown: Checkpoint, checked: string[]): Promise<void> {
  const { pinned, logs, readTile } = asked;
  if (pinned === undefined) return;
  const opened = openCheckpoint(pinned, logs);
  if (opened.outcome !== "signed")
    throw new Ended("unchecked", `the pinned checkpoint does not count: ${opened.reason}`);
  const seen = opened.checkpoint;
  if (seen.origin !== shown.origin) {
    throw new Ended("invalid", `its proof is of the log ${shown.origin}, and the pinned checkpoint of ${seen.origin}`);
  }
  if (shown.size < seen.size) {
    const sizes = `${shown.size} entries, and the pinned one ${seen.size}`;
    throw new Ended("invalid", `its checkpoint is older than the pinned one: it has ${sizes}`);
  }
  if (shown.size === seen.size && !shown.root.equals(seen.root)) {
    throw new Ended("invalid", `the log has forked: it signed two trees of ${seen.size} entries`, true);
  }
  if (shown.size > seen.size && seen.size > 0) await continues(asked, proof, seen, readTile);
  checked.push("pinned checkpoint");
}

async function continues(asked: Asked, proof: Buffer, seen: Checkpoint, readTile: ReadTile | undefined): Promise<void> {
  if (readTile === undefined) {
    throw new Ended(
      "unchecked",
      "its checkpoint is newer than the pinned one: that it continues it takes the tiles (--log)",
    );
  }
  const parsed = parseProof(proof);
  if (parsed.outcome === "malformed") throw new Ended("invalid", parsed.reason);
  const log = asked.logs.find(({ origin }) => origin === seen.origin)!;
  const found = await checkConsistency({ log, seen: asked.pinned!, shown: parsed.proof.checkpoint, readTile });
  if (found.outcome === "consistent") return;
  const isFork = found.outcome === "forked";
  throw new Ended(isFork ? "invalid" : "unchecked", found.reason, isFork);
}

/** What a revoked key has sealed holds only where the log shows that it was there before the revocation. */
function checkRevocation(keys: KnownKeys, keyId: string, asOf: AsOf | undefined, checked: string[]): void {
  if (keys.statement === undefined) return;
  const key = keys.statement.receiptKeys.find(({ id }) => id === keyId);
  if (key === undefined) throw new Ended("invalid", "it is signed by a key that the operator has not stated");
  if (key.status === "revoked") {
    const { log, index } = key.revoked ?? { log: keys.log, index: 0 };
    const at = index ?? (log === keys.log ? keys.index : 0);
    if (asOf === undefined) {
      throw new Ended("invalid", "its key was revoked, and no proof shows that it was in the log before that");
    }
    if (asOf.log !== log || asOf.index >= at) {
      throw new Ended("invalid", `its key was revoked at entry ${at} of ${log}, and it is not in that log before it`);
    }
  }
  checked.push("key status");
}
