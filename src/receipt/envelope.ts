import { canonicalJson } from "../base/index.ts";

export const batchType = "application/vnd.bailiwick.batch+json;version=1";

/** DSSE v1's pre-authentication encoding: the bytes that are signed, or hashed, for a payload of a type. */
export function preAuthenticationEncoding(type: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** What is signed for a batch: how many receipts it has, and the root over them. */
export function batchStatement(root: Buffer, size: number): Buffer {
  const text = canonicalJson({ v: 1, root: root.toString("base64"), size });
  return preAuthenticationEncoding(batchType, Buffer.from(text));
}
