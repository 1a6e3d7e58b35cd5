import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export interface SourceFile {
  /** Path from the repository's root: "src/journal/writer.ts". */
  readonly path: string;
  readonly text: string;
  /** Paths of our own files that it imports, from the root; types included. */
  readonly imports: readonly string[];
}

/** Every file that git tracks or would track, by path from the root. */
export function trackedFiles(): readonly string[] {
  const output = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  return output.split("\n").filter((path) => path !== "");
}

/** The product's TypeScript below src/, tests left out unless asked for. */
export function sourceFiles(options: { readonly tests: boolean } = { tests: false }): readonly SourceFile[] {
  return (
    trackedFiles()
      .filter((path) => path.startsWith("src/") && path.endsWith(".ts"))
      // `testing.ts` in a folder is what its tests share.
      .filter((path) => options.tests || !/(\.test|\/testing)\.ts$/.test(path))
      .flatMap((path) => {
        const text = read(path);
        return text === undefined ? [] : [{ path, text, imports: importsOf(path, text) }];
      })
  );
}

/** A file's text; undefined where git still lists a file that was deleted. */
export function read(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

const importPattern = /(?:\bfrom\s*|\bimport\s*\(?\s*)["'](\.[^"']*)["']/g;

function importsOf(path: string, text: string): readonly string[] {
  return [...withoutComments(text).matchAll(importPattern)].map((match) => normalize(join(dirname(path), match[1]!)));
}

/** The text with its comments blanked out (a comment may name what code must not). */
export function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/^\s*\/\/.*$/gm, "")
    .replace(/([;{},)\s])\/\/ .*$/gm, "$1");
}

/** The folder below src/ that a file belongs to; for files directly in src/ the file's own name. */
export function roomOf(path: string): string {
  return path.split("/")[1]!;
}
