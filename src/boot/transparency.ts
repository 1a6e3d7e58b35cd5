import { readFileSync } from "node:fs";
import { request } from "undici";
import { type ProjectId, type ReceiptId, refuse, type Refusal } from "../base/index.ts";
import type { LogOperations, LogStatus } from "../gateway/index.ts";
import type { DataFolder } from "../installation/index.ts";
import type { Journal } from "../journal/index.ts";
import { parseVerifierKey } from "../log/index.ts";
import type { SigningKeys } from "../receipt/index.ts";
import { openSequencing, type Sequencing, type SequencingOptions, type Standing } from "../sequencing/index.ts";
import { readReply, timestampRequest } from "../timestamp/index.ts";
import { locateReceipt } from "./books.ts";
import type { Stops } from "./database.ts";
import { Failed, failedBy } from "./failed.ts";
import type { BootOptions } from "./options.ts";
import type { OperationParts } from "./parts.ts";
import { messageOf } from "./words.ts";

const hashBytes = 32;

/** Opens the transparency log as the settings say, and follows the journal with it. */
export async function openTransparency(
  options: BootOptions,
  folder: DataFolder,
  journal: Journal,
  signing: SigningKeys,
  stops: Stops,
): Promise<Sequencing> {
  const { settings, clock, log } = options;
  const { origin, published, waitingBytes, whenDamaged, witnesses } = settings.log;
  const sequencing = await openSequencing({
    data: folder.path,
    journal,
    signing,
    clock,
    origin: origin ?? `bailiwick.example/${folder.installation}`,
    published: published.map(publishedNote),
    whenDamaged,
    waitingSegmentsMax: Math.ceil(waitingBytes / settings.journal.segmentBytes),
    witnesses: witnesses.map((witness) => ({ ...witness, key: witnessKey(witness) })),
    post: async (url, body) => {
      const { status, bytes } = await post(url, body, "text/plain; charset=utf-8");
      return { status, body: bytes.toString("utf8") };
    },
    ...timestampsOf(options),
    onStanding: (standing) => tell(standing, log),
  }).catch((error: unknown) => {
    throw (
      failedBy(error) ??
      new Failed(
        `The transparency log's keys cannot be used: ${messageOf(error)}.`,
        "Bring back `log-keys` and `key-statements` in the data folder from a backup.",
      )
    );
  });
  stops.push(() => sequencing.close());
  return sequencing;
}

function publishedNote(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Failed(
      `The checkpoint ${path} cannot be read: ${messageOf(error)}.`,
      "Correct `log.published`, which names files with checkpoints that the log has shown.",
    );
  }
}

function tell(standing: Standing, log: BootOptions["log"]): void {
  if (standing.outcome === "open") log.info({}, "the transparency log goes on");
  else log.warn({ reason: standing.reason, next: standing.next }, "the transparency log cannot go on");
}

function witnessKey({ name, key }: { readonly name: string; readonly key: string }) {
  const parsed = parseVerifierKey(key);
  if (parsed.outcome === "read" && parsed.key.type === "cosignature") return parsed.key;
  const why = parsed.outcome === "read" ? "it is a log's, not a witness's" : parsed.reason;
  throw new Failed(
    `The key of witness "${name}" cannot be used: ${why}.`,
    "Correct `log.witnesses`: `bailiwick witness` prints its key.",
  );
}

/** Who dates checkpoints, where the settings name anybody. */
function timestampsOf({ settings, randomBytes, log }: BootOptions): Pick<SequencingOptions, "timestamps"> {
  const url = settings.log.timestamps?.url;
  if (url === undefined) return {};
  const stamp = async (data: Buffer): Promise<Buffer> => {
    const nonce = randomBytes(nonceBytes);
    const { status, bytes } = await post(url, timestampRequest(data, nonce), "application/timestamp-query");
    if (status !== 200) throw new Error(`it answered ${status}`);
    const reply = readReply(bytes, { data, nonce });
    if (reply.outcome === "refused") throw new Error(reply.reason);
    return bytes;
  };
  const onFailure = (error: unknown): void =>
    log.warn({ reason: messageOf(error) }, "the checkpoint was not dated; the authority is asked again in 5 minutes");
  return { timestamps: { stamp, onFailure } };
}

const nonceBytes = 8;
const postTimeoutMs = 5_000;
const answerBytesMax = 64 * 1024;

/** Sends a body and resolves with what came back, bounded in time and bytes. */
async function post(url: string, body: Buffer, contentType: string) {
  const answer = await request(url, {
    method: "POST",
    body,
    headersTimeout: postTimeoutMs,
    bodyTimeout: postTimeoutMs,
    headers: { "content-type": contentType },
  });
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of answer.body) {
    bytes += (part as Buffer).length;
    if (bytes > answerBytesMax) throw new Error(`it answered more than ${answerBytesMax} bytes`);
    parts.push(part as Buffer);
  }
  return { status: answer.statusCode, bytes: Buffer.concat(parts) };
}

/** The proof of a receipt; its own project's only. Rejects as `locateReceipt`. */
export async function readProof(
  parts: Parameters<typeof locateReceipt>[0] & { readonly sequencing: Sequencing },
  id: ReceiptId,
  project: ProjectId,
): Promise<Buffer | Refusal> {
  const receipt = await locateReceipt(parts, id, project);
  if (receipt === undefined) return refuse("receipt_not_found", "This project has no such receipt.");
  const { batch, index, hashes } = receipt;
  const leaf = hashes.subarray(index * hashBytes, (index + 1) * hashBytes);
  const proven = await parts.sequencing.prove({ batch, index, leaf });
  if (proven.outcome === "proven") return proven.proof;
  if (proven.outcome === "damaged") return refuse("log_unavailable", proven.reason, { retryAfterSeconds: 5 });
  if (proven.outcome === "absent") return refuse("proof_absent", "The receipt was made before there was a log.");
  return refuse("proof_pending", "The receipt is not in the transparency log yet.", { retryAfterSeconds: 1 });
}

/** What `/.well-known/bailiwick/log` says. */
export function aboutLog(sequencing: Sequencing): string {
  const { origin, keys, ended } = sequencing.status();
  return JSON.stringify({ origin, url: "/log", keys, keyStatement: sequencing.provenStatement(), ended });
}

/** The log and the keys, for the control API. */
export function logOperations({ sequencing }: Pick<OperationParts, "sequencing">): LogOperations {
  const status = (): LogStatus => {
    const { keys, witnesses, ended, ...same } = sequencing.status();
    return { ...same, keys: [...keys], witnesses: [...witnesses], ended: [...ended] };
  };
  const signingKeys = () =>
    sequencing.statedKeys().map(({ id, status, since, revoked }) => ({ id, status, since, revoked }));
  return {
    status,
    async rotateKey(overlapMs) {
      await sequencing.rotateLogKey(overlapMs);
      return status();
    },
    begin: async () => (await sequencing.begin()) ?? status(),
    signingKeys,
    async rotateSigningKey() {
      await sequencing.rotateSigningKey();
      return signingKeys();
    },
    revokeSigningKey: async (key) => (await sequencing.revokeSigningKey(key)) ?? signingKeys(),
  };
}
