/**
 * The bytes of a base64 text (RFC 4648, section 4); undefined where it is not the one encoding of them. Node decodes
 * nearly anything; a text that could be changed without changing its meaning is not accepted here.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

/** Base64 without padding, in the alphabet of URLs (RFC 4648, section 5). Not every `Buffer` of a browser knows it. */
export function base64Url(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("base64");
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The bytes of such a text; what is no base64 of either alphabet is passed over, as `Buffer` does. */
export function fromBase64Url(text: string): Buffer {
  return Buffer.from(text.replaceAll("-", "+").replaceAll("_", "/"), "base64");
}
