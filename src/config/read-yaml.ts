import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, visit, type Document } from "yaml";
import type { SettingsProblem } from "./problem.ts";

/** Largest settings file. */
export const settingsBytes = 262_144;
const aliases = 100;

export type ReadYaml =
  | {
      readonly outcome: "read";
      readonly value: unknown;
      /** The line, from 1, where a path's key (or a list's item) stands; undefined where the path is not in the file. */
      readonly lineAt: (path: readonly PropertyKey[]) => number | undefined;
    }
  | { readonly outcome: "unreadable"; readonly problems: readonly SettingsProblem[] };

/**
 * One YAML 1.2 document in the core schema: no tags of any kind, no merge keys, no repeated keys, few aliases. What
 * YAML 1.1 reads as a boolean (NO, the country) is a string here. Depth is bounded by the parser itself.
 */
export function readYaml(text: string, bytesMost: number = settingsBytes): ReadYaml {
  if (Buffer.byteLength(text) > bytesMost) return unreadable(`is larger than ${bytesMost} bytes`);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    resolveKnownTags: false,
    schema: "core",
    version: "1.2",
    merge: false,
    uniqueKeys: true,
  });
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    path: "",
    line: lines.linePos(error.pos[0]).line,
    message: error.message,
  }));
  if (problems.length > 0) return { outcome: "unreadable", problems };
  const refused = firstRefused(document, lines);
  if (refused !== undefined) return { outcome: "unreadable", problems: [refused] };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: aliases }) ?? {};
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return unreadable("uses too many aliases, or one that is not defined");
  }
  return { outcome: "read", value, lineAt: (path) => lineOf(document, lines, path) };
}

function unreadable(message: string): ReadYaml {
  return { outcome: "unreadable", problems: [{ path: "", message }] };
}

/** A tag, or a key that is not a plain word: nothing in the settings needs either. */
function firstRefused(document: Document, lines: LineCounter): SettingsProblem | undefined {
  let found: SettingsProblem | undefined;
  visit(document, {
    Node(_, node) {
      if (isAlias(node) || node.tag === undefined || isCoreTag(node.tag)) return undefined;
      found = { path: "", ...lineOfRange(node.range, lines), message: `tags such as ${node.tag} are not allowed` };
      return visit.BREAK;
    },
    Pair(_, { key }) {
      if (isScalar(key) && typeof key.value !== "object") return undefined;
      found = { path: "", message: "a key must be a plain word" };
      return visit.BREAK;
    },
  });
  return found;
}

function isCoreTag(tag: string): boolean {
  return /^tag:yaml\.org,2002:(map|seq|str|int|float|bool|null)$/.test(tag);
}

function lineOfRange(range: readonly number[] | null | undefined, lines: LineCounter): { line?: number } {
  return range?.[0] === undefined ? {} : { line: lines.linePos(range[0]).line };
}

function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number | undefined {
  let node: unknown = document.contents;
  let line: number | undefined;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
      );
      if (pair === undefined || !isScalar(pair.key)) return line;
      line = lineOfRange(pair.key.range, lines).line;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      const range = isMap(node) || isSeq(node) || isScalar(node) ? node.range : undefined;
      line = lineOfRange(range, lines).line ?? line;
    } else return line;
  }
  return line;
}
