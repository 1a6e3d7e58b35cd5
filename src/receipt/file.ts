import { canonicalJson } from "../base/index.ts";
import { preAuthenticationEncoding } from "./envelope.ts";
import { leafHash, pathsOf } from "./merkle.ts";
import { statementType } from "./statement.ts";

/** A statement's place in its batch, with what proves it; hashes are base64. */
export interface ReceiptPlace {
  readonly payload: string;
  readonly index: number;
  readonly size: number;
  readonly path: readonly string[];
  /** What `seal` returned for the batch. */
  readonly seal: string;
}

/** The place of every statement of a batch, in order. */
export function receiptPlaces(payloads: readonly string[], seal: string): readonly ReceiptPlace[] {
  const leaves = payloads.map((payload) => leafHash(preAuthenticationEncoding(statementType, Buffer.from(payload))));
  const paths = pathsOf(leaves);
  return payloads.map((payload, index) => ({
    payload,
    index,
    size: payloads.length,
    path: paths[index]!.map((hash) => hash.toString("base64")),
    seal,
  }));
}

/** The receipt as its customer keeps it: canonical JSON and a line feed; it never changes. */
export function receiptFile(place: ReceiptPlace): string {
  const { keyid, sig } = JSON.parse(place.seal) as { readonly keyid: string; readonly sig: string };
  return `${canonicalJson({
    payloadType: statementType,
    payload: Buffer.from(place.payload).toString("base64"),
    batch: { index: place.index, size: place.size, path: [...place.path] },
    signature: { keyid, sig },
  })}\n`;
}
