import { nonceBytes } from "./request.ts";
import { isOver, readToken } from "./token.ts";

export type Reply =
  | { readonly outcome: "stamped"; readonly atMs: number }
  | { readonly outcome: "refused"; readonly reason: string };

/**
 * What a reply says to a request over `data` with that nonce. Its signature is checked by who knows the authority; here it
 * is seen that the reply is one to what was asked (RFC 3161, section 2.4.2), so that nothing useless is kept.
 */
export function readReply(reply: Buffer, { data, nonce }: { readonly data: Buffer; readonly nonce: Buffer }): Reply {
  const read = readToken(reply);
  if (read.outcome === "refused") return read;
  const { token } = read;
  if (!isOver(token, data)) return { outcome: "refused", reason: "it is over other bytes than what was asked" };
  const answered = Buffer.from(token.info.nonce?.valueBlock.valueHexView ?? []);
  if (!answered.equals(nonceBytes(nonce))) return { outcome: "refused", reason: "it answers another request" };
  return { outcome: "stamped", atMs: token.info.genTime.getTime() };
}
