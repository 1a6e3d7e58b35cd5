import type { Usage } from "../../base/index.ts";
import type { Endpoint, Json } from "./endpoints.ts";

/** What a whole answer says of itself. */
export interface WholeAnswer {
  readonly usage: Usage | undefined;
  /** e.g. "stop"; undefined where it names none. */
  readonly ending: string | undefined;
  /** undefined: it is too large to be parsed. */
  readonly value: Json | undefined;
}

/** Larger answers (long lists of embeddings) are not parsed for a usage of a few bytes. */
const parsedBytesMax = 1 << 20;
/** Members called "usage" that are looked at from the end, until one stands at the top. */
const candidatesMax = 64;

/** Undefined: it is no JSON object. */
export function readWhole(bytes: Buffer, endpoint: Endpoint): WholeAnswer | undefined {
  if (bytes.length > parsedBytesMax) return readLarge(bytes, endpoint);
  const value = parseObject(bytes.toString("utf8"));
  return value === undefined ? undefined : read(value, endpoint);
}

/** What an answer, or a stream's event, says of the usage and of its end. */
export function read(value: Json, endpoint: Endpoint): WholeAnswer {
  const found = endpoint.usageAt(value);
  const ending = endpoint.endingAt(value);
  return {
    usage: isObject(found) ? endpoint.usage(found) : undefined,
    ending: typeof ending === "string" ? ending : undefined,
    value,
  };
}

/** The same of an answer that is not parsed: by the last `"usage"` that is a member of the answer itself. */
function readLarge(bytes: Buffer, endpoint: Endpoint): WholeAnswer | undefined {
  if (!looksLikeObject(bytes)) return undefined;
  const found = topUsage(bytes);
  const ending =
    endpoint.endingField === undefined ? undefined : lastString(bytes.toString("latin1"), `"${endpoint.endingField}"`);
  return { usage: found === undefined ? undefined : endpoint.usage(found), ending, value: undefined };
}

const usageName = Buffer.from('"usage"');
const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** Inside a JSON string the quotes would be escaped, so these bytes can only be a member's name. */
function topUsage(bytes: Buffer): Json | undefined {
  let at = bytes.lastIndexOf(usageName);
  for (let candidates = 0; at > 0 && candidates < candidatesMax; candidates++) {
    const start = valueStart(bytes, at + usageName.length);
    const end = start !== undefined && bytes[start] === openBrace ? closingEnd(bytes, start, 0) : undefined;
    // Behind a member of the answer itself one brace is left to close: the answer's own.
    if (end !== undefined && closingEnd(bytes, end, 1) === endOf(bytes))
      return parseObject(bytes.toString("utf8", start, end));
    at = bytes.lastIndexOf(usageName, at - 1);
  }
  return undefined;
}

/** The index behind the bracket that closes the last of `depth` open ones and those that follow; strings are skipped. */
function closingEnd(bytes: Buffer, from: number, depth: number): number | undefined {
  let isInString = false;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isInString) {
      if (byte === backslash) at++;
      else if (byte === quote) isInString = false;
    } else if (byte === quote) isInString = true;
    else if (byte === openBrace || byte === openBracket) depth++;
    else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) return at + 1;
  }
  return undefined;
}

function looksLikeObject(bytes: Buffer): boolean {
  let start = 0;
  while (isSpace(bytes[start])) start++;
  return bytes[start] === openBrace && bytes[endOf(bytes) - 1] === closeBrace;
}

/** The index behind the last byte that is no white space. */
function endOf(bytes: Buffer): number {
  let end = bytes.length;
  while (isSpace(bytes[end - 1])) end--;
  return end;
}

/** The string behind the last member `name` (with its quotes) of a text with one character a byte. */
export function lastString(text: string, name: string): string | undefined {
  for (let at = text.lastIndexOf(name); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(name, at - 1)) {
    const found = stringAt(text, at + name.length);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The string value that follows behind a member's name: after white space, a colon, white space. */
function stringAt(text: string, from: number): string | undefined {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  if (text.charCodeAt(at) !== colon) return undefined;
  at++;
  while (isSpace(text.charCodeAt(at))) at++;
  if (text.charCodeAt(at) !== quote) return undefined;
  const end = text.indexOf('"', at + 1);
  return end > at && end - at < 64 ? text.slice(at + 1, end) : undefined;
}

/** Where the value begins behind a member's name: after white space, a colon, white space. */
function valueStart(bytes: Buffer, from: number): number | undefined {
  let at = from;
  while (isSpace(bytes[at])) at++;
  if (bytes[at] !== colon) return undefined;
  at++;
  while (isSpace(bytes[at])) at++;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function parseObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // No JSON: it says nothing to the books.
    return undefined;
  }
}
