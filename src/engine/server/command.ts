/** What is put in for the names in braces in a command's elements and an environment's values. */
export interface Placeholders {
  readonly path: string;
  readonly name: string;
  readonly port: number;
  /** Of a Unix socket that only this user reaches. */
  readonly socket: string;
  /** What requests are sent with, as a bearer token. */
  readonly key: string;
  readonly sequences: number;
  readonly contextTokens: number;
  /** Of all sequences together. */
  readonly totalTokens: number;
  readonly threads: number;
  /** What the KV of all sequences takes, each with a full context. */
  readonly kvBytes: number;
}

const names: readonly (keyof Placeholders)[] = [
  "path",
  "name",
  "port",
  "socket",
  "key",
  "sequences",
  "contextTokens",
  "totalTokens",
  "threads",
  "kvBytes",
];
const pattern = new RegExp(`\\{(${names.join("|")})\\}`, "g");

/** The text with its placeholders filled in; other braces stay. What is filled in is not looked at again. */
export function fill(text: string, values: Placeholders): string {
  return text.replace(pattern, (_, name: keyof Placeholders) => String(values[name]));
}

/** Whether one of the texts holds a placeholder. */
export function mentions(texts: Iterable<string>, name: keyof Placeholders): boolean {
  for (const text of texts) if (text.includes(`{${name}}`)) return true;
  return false;
}
