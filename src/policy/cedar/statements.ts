/** One policy of a file. */
export interface Statement {
  readonly text: string;
  /** Where it begins in the file, as an index. */
  readonly start: number;
}

/**
 * A file's policies, each up to its semicolon. Cedar says what is wrong in a text, by offsets into that text; taken one by
 * one, every policy's mistakes are told, and each where it stands in the file.
 */
export function statementsOf(text: string): readonly Statement[] {
  const statements: Statement[] = [];
  let start: number | undefined;
  for (const { 0: token, index } of text.matchAll(tokens)) {
    if (token.startsWith("//") || token.trim() === "") continue;
    start ??= index;
    if (token === ";") {
      statements.push({ text: text.slice(start, index + 1), start });
      start = undefined;
    }
  }
  // What is left has no semicolon: Cedar says so.
  if (start !== undefined) statements.push({ text: text.slice(start), start });
  return statements;
}

/** A comment, a string (closed or not), a semicolon, white space, or a run of what is none of these. */
const tokens = /\/\/[^\n]*|"(?:[^"\\]|\\[^])*"?|;|\s+|\/|[^/";\s]+/g;

/** A place in a file, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export function positionAt(text: string, index: number): Position {
  const before = text.slice(0, index);
  return { line: before.split("\n").length, column: index - before.lastIndexOf("\n") };
}

/** Cedar counts in bytes of UTF-8. */
export function indexAt(text: string, offsetBytes: number): number {
  return Buffer.from(text).subarray(0, offsetBytes).toString().length;
}
