import { decodeBase64 } from "../base/index.ts";

/** Signed notes, as c2sp.org/signed-note has them: a text, a blank line, and a line for each signature. */
export interface Note {
  /** What is signed, with its last line feed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  /** Four bytes as a big-endian number. */
  readonly keyId: number;
  /** What stands behind the key's id. */
  readonly bytes: Buffer;
}

/** A public key that is known under a name. What of the text it signs is its type's to say. */
export interface NoteKey {
  readonly name: string;
  readonly keyId: number;
  verifies(text: string, signature: Buffer): boolean;
}

export type ParsedNote =
  | { readonly outcome: "read"; readonly note: Note }
  | { readonly outcome: "malformed"; readonly reason: string };

export type CheckedNote<Key extends NoteKey> =
  /** `by`: each known key that signed, once, and what it signed with. */
  | { readonly outcome: "signed"; readonly by: readonly SignedBy<Key>[] }
  /** `unsigned`: by nobody who is known; `forged`: a signature that claims to be a known key's does not hold. */
  | { readonly outcome: "unsigned" | "forged"; readonly reason: string };

export interface SignedBy<Key extends NoteKey> {
  readonly key: Key;
  readonly signature: NoteSignature;
}

/** Enough for the 16 signatures that everyone has to accept, were each of the 5 kB that post-quantum ones take. */
export const noteBytesMax = 128 * 1024;
const signaturesMax = 64;

/** Reads a note strictly ("Format"): what differs from how `formatNote` writes it is malformed. */
export function parseNote(bytes: Buffer): ParsedNote {
  if (bytes.length > noteBytesMax) return malformed(`it has more than ${noteBytesMax} bytes`);
  const whole = decodeUtf8(bytes);
  if (whole === undefined) return malformed("it is not UTF-8");
  if (hasControls(whole)) return malformed("it has control characters");
  const split = whole.lastIndexOf("\n\n");
  if (split < 0 || !whole.endsWith("\n")) return malformed("its signatures do not follow a blank line");
  const lines = whole
    .slice(split + 2)
    .split("\n")
    .slice(0, -1);
  if (lines.length === 0) return malformed("it has no signatures");
  if (lines.length > signaturesMax) return malformed(`it has more than ${signaturesMax} signatures`);
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseSignature(line);
    if (signature === undefined) return malformed("a line below its blank line is no signature");
    signatures.push(signature);
  }
  return { outcome: "read", note: { text: whole.slice(0, split + 1), signatures } };
}

function malformed(reason: string): { readonly outcome: "malformed"; readonly reason: string } {
  return { outcome: "malformed", reason };
}

/** The text of bytes that are UTF-8, byte for byte: a byte order mark stays a character. */
export function decodeUtf8(bytes: Buffer): string | undefined {
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : undefined;
}

/** Control characters below U+0020 other than the line feed. */
function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 && code !== 0x0a) return true;
  }
  return false;
}

/** Whether a name can stand in a signature line and in a key's text: neither spaces nor "+", and not empty. */
export function isKeyName(name: string): boolean {
  return /^[^\p{White_Space}+]+$/u.test(name) && name.isWellFormed() && !hasControls(name);
}

/** A line: an em dash, the key's name, and its id with the signature in base64. */
export function parseSignature(line: string): NoteSignature | undefined {
  const [dash, name, base64, ...more] = line.split(" ");
  if (dash !== "—" || name === undefined || base64 === undefined || more.length > 0) return undefined;
  const bytes = decodeBase64(base64);
  if (!isKeyName(name) || bytes === undefined || bytes.length < 5) return undefined;
  return { name, keyId: bytes.readUInt32BE(), bytes: bytes.subarray(4) };
}

export function formatSignature({ name, keyId, bytes }: NoteSignature): string {
  const id = Buffer.alloc(4);
  id.writeUInt32BE(keyId);
  return `— ${name} ${Buffer.concat([id, bytes]).toString("base64")}\n`;
}

export function formatNote({ text, signatures }: Note): string {
  return `${text}\n${signatures.map(formatSignature).join("")}`;
}

/**
 * Whose signatures a note carries, of the keys that are known ("Signatures"). Others are ignored, also where they share
 * a known key's name or id; one that claims to be a known key's and does not hold spoils the whole note.
 */
export function checkNote<Key extends NoteKey>(note: Note, keys: readonly Key[]): CheckedNote<Key> {
  const by = new Map<Key, SignedBy<Key>>();
  for (const signature of note.signatures) {
    for (const key of keys.filter(({ name, keyId }) => name === signature.name && keyId === signature.keyId)) {
      if (!key.verifies(note.text, signature.bytes)) {
        return { outcome: "forged", reason: `the signature of ${key.name} does not hold` };
      }
      if (!by.has(key)) by.set(key, { key, signature });
    }
  }
  if (by.size === 0) return { outcome: "unsigned", reason: "it carries no signature of a key that is known here" };
  return { outcome: "signed", by: [...by.values()] };
}
