import { hash } from "node:crypto";
import { type CanonicalValue, canonicalJson, decodeBase64, hashBytes } from "../base/index.ts";

/** What a log durably is: everything in its folder beyond this was told to nobody. */
export interface LogState {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** The size before the last append, whose partial tiles may still lie there. */
  readonly previousSize: number;
  /** How many records the file of batches has. */
  readonly batches: number;
  /** The caller's: how far it has read what it appends from. */
  readonly cursor: CanonicalValue;
}

export const statePath = "state";
const cursorBytesMax = 4_096;

const version = 1;

export function checkCursor(cursor: CanonicalValue): void {
  if (Buffer.byteLength(canonicalJson(cursor)) <= cursorBytesMax) return;
  throw new RangeError(`a log's cursor has at most ${cursorBytesMax} bytes`);
}

/** Two lines: canonical JSON (RFC 8785), and its SHA-256 in hex, because a wrong cursor would show nowhere else. */
export function encodeState(state: LogState): Buffer {
  const line = canonicalJson({ v: version, ...state, root: state.root.toString("base64") });
  return Buffer.from(`${line}\n${hash("sha256", line, "hex")}\n`);
}

/** Undefined where the bytes are not those of a state of this version. */
export function decodeState(bytes: Buffer): LogState | undefined {
  const [line, digest, end, ...more] = bytes.toString("utf8").split("\n");
  if (line === undefined || end !== "" || more.length > 0 || hash("sha256", line, "hex") !== digest) return undefined;
  const { v, root, ...rest } = JSON.parse(line) as Omit<LogState, "root"> & { v: number; root: string };
  const state = { ...rest, root: decodeBase64(root) ?? Buffer.alloc(0) };
  const isState = v === version && state.root.length === hashBytes && encodeState(state).equals(bytes);
  return isState ? state : undefined;
}
