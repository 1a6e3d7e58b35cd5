import { canonicalForm, type Usage } from "../base/index.ts";
import type { Said } from "./said.ts";

/** Larger bodies and answers get no digest of their meaning; that of their bytes is there all the same. */
export const meaningBytesMax = 1 << 20;

/** How an answer shall come, not what is asked. SDKs set these on their own. */
const deliveryFields: ReadonlySet<string> = new Set(["stream", "stream_options"]);

/**
 * What is asked, as canonical JSON: the body as the client sent it, without defaults of ours and without what says only
 * how the answer shall come: `stream`, `stream_options` and, of embeddings, `encoding_format`. Undefined where it has no
 * canonical form.
 */
export function requestMeaning(endpoint: string, body: Said): string | undefined {
  const asked: Record<string, unknown> = {};
  for (const name of Object.keys(body)) {
    const isDelivery = deliveryFields.has(name) || (name === "encoding_format" && endpoint === "embeddings");
    if (!isDelivery) asked[name] = body[name];
  }
  return canonicalForm(asked);
}

/**
 * What is answered, as canonical JSON: what the answer says, by the form of its endpoint, and the usage as the receipt
 * states it. Undefined where it has no canonical form, or the endpoint no form.
 */
export function answerMeaning(said: Said, usage: Usage | null): string | undefined {
  return canonicalForm({ ...said, usage });
}
