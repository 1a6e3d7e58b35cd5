import { decodeBase64, hashBytes, leafHash } from "../base/index.ts";
import { type Checkpoint, openCheckpoint, parseCount, type TrustedLog } from "./checkpoint.ts";
import { readCosignature } from "./cosignature.ts";
import type { VerifierKey } from "./keys.ts";
import { checkNote, decodeUtf8, type Note, noteBytesMax } from "./note.ts";
import { verifyInclusion } from "./verify-tree.ts";

/** That an entry is in a log, in a file that is verified offline (c2sp.org/tlog-proof, "Format"). */
export interface Proof {
  readonly index: number;
  /** From the leaf's sibling up. */
  readonly path: readonly Buffer[];
  /** The signed note of the log's checkpoint, as it was published, with the cosignatures it has. */
  readonly checkpoint: Buffer;
  /** The application's, and signed by nobody. */
  readonly extra?: Buffer;
}

export type ParsedProof =
  | { readonly outcome: "read"; readonly proof: Proof }
  | { readonly outcome: "malformed"; readonly reason: string };

/** A tree of 2^53 leaves has paths of 53 hashes. */
const pathMax = 63;
const proofBytesMax = noteBytesMax + 64 * 1024;
const firstLine = "c2sp.org/tlog-proof@v1";

export function formatProof({ index, path, checkpoint, extra }: Proof): Buffer {
  const lines = [
    firstLine,
    ...(extra === undefined ? [] : [`extra ${extra.toString("base64")}`]),
    `index ${index}`,
    ...path.map((hash) => hash.toString("base64")),
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\n")}\n\n`), checkpoint]);
}

/** Reads a proof strictly: it is exactly what `formatProof` writes of it. Its checkpoint is not looked into. */
export function parseProof(bytes: Buffer): ParsedProof {
  if (bytes.length > proofBytesMax) return malformed(`it has more than ${proofBytesMax} bytes`);
  const text = decodeUtf8(bytes);
  const end = text?.indexOf("\n\n") ?? -1;
  if (text === undefined || end < 0) return malformed("it is no text with a blank line before its checkpoint");
  const [first, ...lines] = text.slice(0, end).split("\n");
  if (first !== firstLine) return malformed(`it does not begin with ${firstLine}`);
  const extraLine = lines[0]?.startsWith("extra ") === true ? lines.shift()! : undefined;
  const extra = extraLine === undefined ? undefined : decodeBase64(extraLine.slice("extra ".length));
  if (extraLine !== undefined && extra === undefined) return malformed("its extra data is not base64");
  const indexLine = lines.shift() ?? "";
  const index = indexLine.startsWith("index ") ? parseCount(indexLine.slice("index ".length)) : undefined;
  if (index === undefined) return malformed("it states no index");
  const path = parseHashes(lines);
  if (path === undefined) return malformed("its path does not consist of hashes");
  const checkpoint = Buffer.from(text.slice(end + 2));
  return { outcome: "read", proof: { index, path, checkpoint, ...(extra === undefined ? {} : { extra }) } };
}

function malformed(reason: string): { readonly outcome: "malformed"; readonly reason: string } {
  return { outcome: "malformed", reason };
}

/** Lines of one hash each; undefined where one is something else, or there are more than any tree has. */
export function parseHashes(lines: readonly string[]): readonly Buffer[] | undefined {
  if (lines.length > pathMax) return undefined;
  const hashes = lines.map(decodeBase64).filter((hash) => hash?.length === hashBytes);
  return hashes.length === lines.length ? (hashes as Buffer[]) : undefined;
}

/** Witnesses of whom `quorum` must have cosigned: k of n. */
export interface WitnessPolicy {
  readonly keys: readonly VerifierKey[];
  readonly quorum: number;
}

export interface ProofInput {
  readonly proof: Buffer;
  /** The bytes that are said to be in the log. */
  readonly entry: Buffer;
  readonly logs: readonly TrustedLog[];
  readonly witnesses?: WitnessPolicy;
  /** A checkpoint of the log that one has seen before. */
  readonly pinned?: Checkpoint;
}

interface ProvenFacts {
  readonly index: number;
  readonly checkpoint: Checkpoint;
  /** Witnesses that are known and have cosigned, and when. */
  readonly witnesses: readonly { readonly name: string; readonly timestampSeconds: number }[];
}

export type ProofVerdict =
  | ({ readonly outcome: "valid" } & ProvenFacts)
  /** All holds, but that the log is one with the pinned checkpoint takes a proof of consistency from `older` to `newer`. */
  | ({
      readonly outcome: "undecided";
      readonly reason: string;
      readonly older: Checkpoint;
      readonly newer: Checkpoint;
    } & ProvenFacts)
  | { readonly outcome: "invalid"; readonly reason: string };

/** Verifies a proof with nothing but its bytes and public keys (c2sp.org/tlog-proof, "Verifying a tlog proof"). */
export function verifyProof(input: ProofInput): ProofVerdict {
  const parsed = parseProof(input.proof);
  if (parsed.outcome === "malformed") return invalid(`the proof is malformed: ${parsed.reason}`);
  const { index, path } = parsed.proof;
  const opened = openCheckpoint(parsed.proof.checkpoint, input.logs);
  if (opened.outcome !== "signed") return invalid(`its checkpoint does not count: ${opened.reason}`);
  const { checkpoint, note } = opened;
  const witnesses = cosignersOf(note, input.witnesses);
  if (typeof witnesses === "string") return invalid(witnesses);
  const leaf = leafHash(input.entry);
  if (!verifyInclusion({ leaf, index, size: checkpoint.size, path, root: checkpoint.root })) {
    return invalid("its path does not lead from the entry to the checkpoint's root");
  }
  return heldAgainst(input.pinned, { index, checkpoint, witnesses });
}

function invalid(reason: string): { readonly outcome: "invalid"; readonly reason: string } {
  return { outcome: "invalid", reason };
}

/** Who cosigned, or why that is not enough. A public key counts once, under however many names it is known. */
function cosignersOf(note: Note, policy: WitnessPolicy | undefined): ProvenFacts["witnesses"] | string {
  if (policy === undefined) return [];
  const cosigners = policy.keys.filter(({ type }) => type === "cosignature");
  const checked = checkNote(note, cosigners);
  if (checked.outcome === "forged") return checked.reason;
  const signed = checked.outcome === "signed" ? checked.by : [];
  const distinct = new Map(signed.map((each) => [each.key.publicKey.toString("hex"), each]));
  if (distinct.size < policy.quorum) {
    return `${distinct.size} of the ${policy.quorum} witnesses that it takes have cosigned its checkpoint`;
  }
  return [...distinct.values()].map(({ key, signature }) => ({
    name: key.name,
    timestampSeconds: readCosignature(signature.bytes)!.timestampSeconds,
  }));
}

function heldAgainst(pinned: Checkpoint | undefined, facts: ProvenFacts): ProofVerdict {
  const { checkpoint } = facts;
  if (pinned === undefined || pinned.origin !== checkpoint.origin) return { outcome: "valid", ...facts };
  if (pinned.size === checkpoint.size) {
    if (pinned.root.equals(checkpoint.root)) return { outcome: "valid", ...facts };
    return invalid(`the log has forked: it signed another tree of ${pinned.size} entries than the pinned one`);
  }
  const [older, newer] = pinned.size < checkpoint.size ? [pinned, checkpoint] : [checkpoint, pinned];
  if (older.size === 0) return { outcome: "valid", ...facts };
  const reason = `it takes a proof that the tree of ${newer.size} entries begins with that of ${older.size}`;
  return { outcome: "undecided", reason, older, newer, ...facts };
}
