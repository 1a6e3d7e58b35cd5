import type { Usage } from "../../base/index.ts";
import type { Endpoint } from "./endpoints.ts";

const usageName = Buffer.from('"usage"');
const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const maxUsageBytes = 8_192;

/**
 * The last `"usage": {...}` of an answer's bytes, without parsing the rest: inside a JSON string the quotes would be
 * escaped, so these bytes can only be a member's name. Undefined where there is none, or it holds no counts.
 */
export function lastUsage(bytes: Buffer, endpoint: Endpoint): Usage | undefined {
  const found = lastUsageObject(bytes);
  return found === undefined ? undefined : endpoint.usage(found);
}

/** The object behind the last `"usage":`, parsed; undefined where there is none that is an object. */
export function lastUsageObject(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  for (let at = bytes.lastIndexOf(usageName); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(usageName, at - 1)) {
    const start = valueStart(bytes, at + usageName.length);
    if (start === undefined || bytes[start] !== openBrace) continue;
    const end = objectEnd(bytes, start);
    if (end === undefined) continue;
    const parsed = parseObject(bytes.toString("utf8", start, end));
    if (parsed !== undefined) return parsed;
  }
  return undefined;
}

/**
 * What the last `finish_reason`, `status` or `stop_reason` says, such as "stop"; undefined where it is null, or there
 * is none. The argument is the answer's bytes.
 */
export function lastEnding(bytes: Buffer, { endingField }: Endpoint): string | undefined {
  return endingField === undefined ? undefined : lastString(bytes.toString("latin1"), `"${endingField}"`);
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

/** The index behind the brace that closes the one at `start`; strings are skipped. */
function objectEnd(bytes: Buffer, start: number): number | undefined {
  let depth = 0;
  let inString = false;
  const end = Math.min(bytes.length, start + maxUsageBytes);
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === backslash) at++;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === openBrace) depth++;
    else if (byte === closeBrace && --depth === 0) return at + 1;
  }
  return undefined;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // Bytes between braces that are no JSON: an upstream's garbage holds no usage.
    return undefined;
  }
}
