import { emptyRoot } from "../base/index.ts";
import { type Checkpoint, openCheckpoint, type TrustedLog } from "./checkpoint.ts";
import { cosignText, type SigningKey } from "./keys.ts";
import { formatNote, formatSignature } from "./note.ts";
import { verifyConsistency } from "./verify-tree.ts";
import { type AddCheckpoint, parseAddCheckpoint } from "./witness-request.ts";

/** What a witness answers (c2sp.org/tlog-witness, "add-checkpoint"): the status, and the body that goes with it. */
export type WitnessDecision =
  /**
   * The body holds the cosignature. It may be sent only once `latest` is durable, and no other request for this log may
   * be decided in between: or two trees of one log could be cosigned.
   */
  | { readonly status: 200; readonly body: string; readonly latest: Cosigned }
  /** The body is the size that was cosigned last, of type `text/x.tlog.size`. */
  | { readonly status: 409; readonly body: string }
  | { readonly status: 400 | 403 | 404 | 422; readonly body: string };

/** The latest checkpoint that a witness cosigned for a log. */
export interface Cosigned {
  readonly checkpoint: Checkpoint;
  /** The note that anyone may have: with the log's signatures that were verified, and the cosignature. */
  readonly note: string;
}

export interface WitnessKnowledge {
  readonly logs: readonly TrustedLog[];
  /** By a log's origin; undefined where nothing of it was cosigned yet. */
  readonly latest: (origin: string) => Checkpoint | undefined;
  readonly cosigner: SigningKey;
  readonly timestampSeconds: number;
}

/** Decides on a request, in the order in which the specification names the answers; changes nothing. */
export function decideAddCheckpoint(body: Buffer, knowledge: WitnessKnowledge): WitnessDecision {
  const request = parseAddCheckpoint(body);
  if (request === undefined) return refused(400, "the request is not of the form that add-checkpoint has");
  const opened = openCheckpoint(request.checkpoint, knowledge.logs);
  if (opened.outcome !== "signed") return refused(statusOf[opened.outcome], opened.reason);
  const { checkpoint, note, by } = opened;
  const stopped = refusalOf(request, checkpoint, knowledge.latest(checkpoint.origin));
  if (stopped !== undefined) return stopped;
  const cosignature = cosignText(note.text, knowledge.cosigner, knowledge.timestampSeconds);
  const signatures = [...by.map(({ signature }) => signature), cosignature];
  const latest = { checkpoint, note: formatNote({ text: note.text, signatures }) };
  return { status: 200, body: formatSignature(cosignature), latest };
}

const statusOf = { malformed: 400, foreign: 404, unsigned: 403, forged: 403 } as const;

function refusalOf(
  { oldSize, path }: AddCheckpoint,
  { size, root }: Checkpoint,
  latest: Checkpoint | undefined,
): WitnessDecision | undefined {
  if (oldSize > size) return refused(400, `the old size, ${oldSize}, is larger than the checkpoint's, ${size}`);
  const known = latest ?? { size: 0, root: emptyRoot };
  if (oldSize !== known.size) return { status: 409, body: `${known.size}\n` };
  if (verifyConsistency({ oldSize, oldRoot: known.root, size, root, path })) return undefined;
  return refused(422, `the proof does not show that the tree of ${size} entries begins with that of ${oldSize}`);
}

function refused(status: 400 | 403 | 404 | 422, reason: string): WitnessDecision {
  return { status, body: `${reason}\n` };
}
