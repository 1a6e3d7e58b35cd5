import { canonicalJson } from "../base/index.ts";

export const batchType = "application/vnd.bailiwick.batch+json;version=1";

/** DSSE v1's pre-authentication encoding: the bytes that are signed, or hashed, for a payload of a type. */
export function preAuthenticationEncoding(type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(preAuthenticationHead(type, payload.length)), payload]);
}

/** What stands before the payload in that encoding. The type is ASCII, as media types are (RFC 6838, section 4.2). */
export function preAuthenticationHead(type: string, payloadBytes: number): string {
  return `DSSEv1 ${type.length} ${type} ${payloadBytes} `;
}

/** What is signed for a batch: how many receipts it has, and the root over them. */
export function batchStatement(root: Buffer, size: number): Buffer {
  const text = canonicalJson({ v: 1, root: root.toString("base64"), size });
  return preAuthenticationEncoding(batchType, Buffer.from(text));
}
