/**
 * The bytes of a base64 text (RFC 4648, section 4); undefined where it is not the one encoding of them. Node decodes
 * nearly anything; a text that could be changed without changing its meaning is not accepted here.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}
