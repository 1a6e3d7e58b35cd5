import { parseCount } from "./checkpoint.ts";
import type { VerifierKey } from "./keys.ts";
import { checkNote, decodeUtf8, formatSignature, noteBytesMax, parseNote } from "./note.ts";
import { parseHashes } from "./proof.ts";

/** What a log sends to a witness, and what it gets (c2sp.org/tlog-witness, "add-checkpoint"). */
export interface AddCheckpoint {
  /** The size that the witness is thought to have cosigned last. */
  readonly oldSize: number;
  /** The consistency proof from there to the checkpoint. */
  readonly path: readonly Buffer[];
  /** The log's signed note. */
  readonly checkpoint: Buffer;
}

export const addCheckpointBytesMax = noteBytesMax + 64 * 1024;

export function formatAddCheckpoint({ oldSize, path, checkpoint }: AddCheckpoint): Buffer {
  const lines = [`old ${oldSize}`, ...path.map((hash) => hash.toString("base64"))];
  return Buffer.concat([Buffer.from(`${lines.join("\n")}\n\n`), checkpoint]);
}

/** Undefined where the body is of another form. Its checkpoint is not looked into. */
export function parseAddCheckpoint(body: Buffer): AddCheckpoint | undefined {
  if (body.length > addCheckpointBytesMax) return undefined;
  const text = decodeUtf8(body);
  const end = text?.indexOf("\n\n") ?? -1;
  if (text === undefined || end < 0) return undefined;
  const [first, ...hashes] = text.slice(0, end).split("\n");
  const oldSize = first?.startsWith("old ") === true ? parseCount(first.slice("old ".length)) : undefined;
  const path = parseHashes(hashes);
  if (oldSize === undefined || path === undefined) return undefined;
  return { oldSize, path, checkpoint: Buffer.from(text.slice(end + 2)) };
}

export type CosignedNote =
  /** The note with the signatures of witnesses that are known, and whose those are. */
  | { readonly outcome: "cosigned"; readonly checkpoint: Buffer; readonly by: readonly VerifierKey[] }
  | { readonly outcome: "refused"; readonly reason: string };

/** Adds what a witness answered to a log's note, after verifying it; signatures of unknown keys are left out. */
export function addCosignatures(checkpoint: Buffer, answer: string, keys: readonly VerifierKey[]): CosignedNote {
  const parsed = parseNote(Buffer.concat([checkpoint, Buffer.from(answer)]));
  const own = parseNote(checkpoint);
  if (parsed.outcome === "malformed")
    return { outcome: "refused", reason: `the answer is malformed: ${parsed.reason}` };
  if (own.outcome === "malformed") throw new RangeError(`a log's own note is malformed: ${own.reason}`);
  const added = { ...parsed.note, signatures: parsed.note.signatures.slice(own.note.signatures.length) };
  const checked = checkNote(added, keys);
  if (checked.outcome !== "signed") return { outcome: "refused", reason: checked.reason };
  const lines = checked.by.map(({ signature }) => formatSignature(signature)).join("");
  return {
    outcome: "cosigned",
    checkpoint: Buffer.concat([checkpoint, Buffer.from(lines)]),
    by: checked.by.map(({ key }) => key),
  };
}
