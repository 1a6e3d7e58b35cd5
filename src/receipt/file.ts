import { canonicalJson, hashBytes } from "../base/index.ts";
import { pathOf } from "./merkle.ts";
import { typeOfStatement } from "./statement.ts";

/** The receipt as its customer keeps it: canonical JSON and a line feed; it never changes. */
export function receiptFile(receipt: {
  /** The statement. */
  readonly payload: string;
  /** Its place in its batch, counted from 0. */
  readonly index: number;
  /** What `leafHashes` returned for the batch. */
  readonly hashes: Buffer;
  /** What `seal` returned for it. */
  readonly seal: string;
}): string {
  const { payload, index, hashes, seal } = receipt;
  const { keyid, sig } = JSON.parse(seal) as { readonly keyid: string; readonly sig: string };
  const path = pathOf(hashes, index).map((hash) => hash.toString("base64"));
  return `${canonicalJson({
    payloadType: typeOfStatement(payload),
    payload: Buffer.from(payload).toString("base64"),
    batch: { index, size: hashes.length / hashBytes, path },
    signature: { keyid, sig },
  })}\n`;
}
