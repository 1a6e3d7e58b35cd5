import { refuse, type Refusal } from "../base/index.ts";
import type { List } from "../store/index.ts";

// Where the next part of a list begins, as its `next` says it.

export function noNext(): Refusal {
  return refuse("invalid_request", "This is not the `next` of a list.", { param: "after" });
}

export function pageOf<Row>(rows: readonly Row[], limit: number, nextOf: (row: Row) => string): List<Row> {
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? nextOf(items.at(-1)!) : null };
}

export function cursorOf(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/** What a `next` of texts holds; undefined: it was not ours. */
export function textsOf(after: string): readonly string[] | undefined {
  try {
    const parts: unknown = JSON.parse(Buffer.from(after, "base64url").toString("utf8"));
    return Array.isArray(parts) && parts.every((part) => typeof part === "string" && isKey(part)) ? parts : undefined;
  } catch {
    // What is no cursor was not ours: the caller says so.
    return undefined;
  }
}

/** What no database's text can hold was in no key. */
function isKey(part: string): boolean {
  return !part.includes("\0") && part.isWellFormed();
}
