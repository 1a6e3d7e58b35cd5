import { hash } from "node:crypto";
import { ContentInfo, SignedData, TimeStampResp, TSTInfo } from "pkijs";

/** A reply that was granted, taken apart. Nothing of it is checked yet but its form. */
export interface Token {
  readonly signed: SignedData;
  readonly info: TSTInfo;
}

export type ReadToken =
  | { readonly outcome: "read"; readonly token: Token }
  | { readonly outcome: "refused"; readonly reason: string };

const granted: readonly number[] = [0, 1];
const signedData = "1.2.840.113549.1.7.2";
const tstInfo = "1.2.840.113549.1.9.16.1.4";

/** Reads a TimeStampResp (RFC 3161, section 2.4.2). */
export function readToken(reply: Buffer): ReadToken {
  try {
    const { status, timeStampToken } = TimeStampResp.fromBER(reply);
    if (!granted.includes(status.status)) return refused(`the authority has not granted it (status ${status.status})`);
    if (timeStampToken?.contentType !== signedData) return refused("it has no token");
    const signed = new SignedData({ schema: ContentInfo.fromBER(timeStampToken.toSchema().toBER()).content });
    const { eContentType, eContent } = signed.encapContentInfo;
    if (eContentType !== tstInfo || eContent === undefined) return refused("its token says nothing of a time");
    return { outcome: "read", token: { signed, info: TSTInfo.fromBER(eContent.getValue()) } };
  } catch {
    // Whatever the parser says of bytes that are no reply, it is in its own words.
    return refused("it is no reply of a time-stamping authority");
  }
}

/** Whether it was made over these bytes, by SHA-256. */
export function isOver({ info }: Token, data: Buffer): boolean {
  const { hashedMessage } = info.messageImprint;
  return Buffer.from(hashedMessage.valueBlock.valueHexView).equals(hash("sha256", data, "buffer"));
}

function refused(reason: string): ReadToken {
  return { outcome: "refused", reason };
}
