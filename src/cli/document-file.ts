import { readFileSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { readYaml } from "../config/index.ts";
import type { DocumentProblem, PolicyFile, PolicyProblem } from "../policy/index.ts";
import { CommandFailure } from "./failure.ts";
import type { Surroundings } from "./surroundings.ts";

/** What the control API takes of one document. */
const bytesMost = 1 << 20;

/** A document as its file says it. */
export interface DocumentFile {
  readonly path: string;
  readonly value: unknown;
  /** A problem with its place in the file, as editors take it: "facts.yaml:12: sites[0].operator: ...". */
  readonly placed: (problem: DocumentProblem) => string;
}

/** Reads YAML, or JSON, which is YAML. Fails with the line where it is neither. */
export function readDocument(path: string, { currentFolder }: Pick<Surroundings, "currentFolder">): DocumentFile {
  const read = readYaml(textOf(resolve(currentFolder, path)), bytesMost);
  if (read.outcome === "unreadable") {
    const reasons = read.problems.map(
      ({ line, message }) => `${path}${line === undefined ? "" : `:${line}`}: ${message}`,
    );
    throw documentInvalid(path, reasons);
  }
  const placed = ({ path: at, message }: DocumentProblem): string => {
    const line = at === "" ? undefined : read.lineAt(stepsOf(at));
    return `${path}${line === undefined ? "" : `:${line}`}: ${at === "" ? "the document" : `${at}:`} ${message}`;
  };
  return { path, value: read.value, placed };
}

/** Files of policies under their own names, and the policy document where one of them is YAML or JSON. */
export interface PolicyInput {
  readonly files: readonly PolicyFile[];
  readonly document: DocumentFile | undefined;
}

export function readPolicyInput(paths: readonly string[], place: Pick<Surroundings, "currentFolder">): PolicyInput {
  const files = paths.filter((path) => path.endsWith(".cedar"));
  const documents = paths.filter((path) => /\.(ya?ml|json)$/.test(path));
  const other = paths.find((path) => !files.includes(path) && !documents.includes(path));
  if (other !== undefined || documents.length > 1) {
    const message =
      other === undefined ? "There is one policy document at most." : `${other} is neither policies nor a document.`;
    throw new CommandFailure("invalid_usage", message, {
      next: "Name files that end in .cedar, and at most one that ends in .yaml, .yml or .json.",
    });
  }
  return {
    files: files.map((path) => ({ name: basename(path), text: textOf(resolve(place.currentFolder, path)) })),
    document: documents[0] === undefined ? undefined : readDocument(documents[0], place),
  };
}

/** "own.cedar:3:5: ...": as compilers say it. */
export function inFile({ file, line, column, message }: PolicyProblem): string {
  return `${file}:${line}:${column}: ${message}`;
}

export function documentInvalid(what: string, reasons: readonly string[]): CommandFailure {
  return new CommandFailure("document_invalid", `${what} is not valid.`, {
    reasons,
    next: "Mend what each line names; nothing has changed.",
  });
}

function textOf(path: string): string {
  const about = statSync(path);
  if (about.isDirectory()) {
    throw new CommandFailure("unusable_file", `${path} is a folder.`, { next: "Name the file in it that is meant." });
  }
  // A file that does not end would be read for ever.
  if (about.size > bytesMost) {
    throw new CommandFailure("unusable_file", `${path} is larger than ${bytesMost} bytes.`, { next: "Split it up." });
  }
  return readFileSync(path, "utf8");
}

/** "sites[0].owners" -> ["sites", 0, "owners"]. */
function stepsOf(path: string): readonly PropertyKey[] {
  return [...path.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)].map(([, index, quoted, name]) =>
    index !== undefined ? Number(index) : quoted !== undefined ? (JSON.parse(quoted) as string) : name!,
  );
}
