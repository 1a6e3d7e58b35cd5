import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Kept } from "./cache.ts";
import type { Row } from "./row.ts";

/** Beside the page, what it was made of: JSON lines of a key and what is kept under it, in the report's order. */
const path = (folder: string): string => join(folder, "pool", "rows.jsonl");

/** What the page in this folder was made of, by its keys; nothing where there is no page. */
export function readRows(folder: string): ReadonlyMap<string, Kept> {
  if (!existsSync(path(folder))) return new Map();
  const lines = readFileSync(path(folder), "utf8").trimEnd().split("\n");
  return new Map(
    lines.map((line) => {
      const { key, ...kept } = JSON.parse(line) as Kept & { readonly key: string };
      return [key, kept];
    }),
  );
}

export function writeRows(folder: string, kept: readonly Kept[], keyOf: (row: Row) => string): void {
  const lines = kept.map((each) => `${JSON.stringify({ key: keyOf(each.row), ...each })}\n`);
  writeFileSync(path(folder), lines.join(""));
}
