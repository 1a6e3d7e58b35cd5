import { createHash } from "node:crypto";
import { type CanonicalValue, canonicalJson } from "../base/index.ts";

/** Who did it: a named operator, a tenant's key, or the cloud by itself (a retention that ran out). */
export interface Actor {
  readonly kind: "operator" | "key" | "system";
  /** An operator's name, or a key's id. */
  readonly name: string;
}

/** What is recorded of an action. */
export interface AuditFact {
  /** The request's id, which its entries share. */
  readonly request: string;
  readonly actor: Actor;
  /** The operation's name in the control API. */
  readonly action: string;
  /**
   * `asked` stands before anything is changed; one of the others follows, unless the process died between them. Of an answer
   * that is streamed `begun` stands before its first line, and then `done` where all of it was sent, or `broken`.
   */
  readonly outcome: "asked" | "begun" | "done" | "broken" | "refused" | "failed";
  /** Why it was refused: a code of the registry. */
  readonly code: string | null;
  readonly organisation: string | null;
  readonly project: string | null;
  /** What was acted on: an id, or a name. */
  readonly object: string | null;
  /** By member: what it was and what it is; what is long is told by its digest. */
  readonly changes: Record<string, [unknown, unknown]>;
}

/** An entry as it is kept and read. */
export interface AuditEntry extends AuditFact {
  readonly v: 1;
  /** Counted from 1, without a gap. */
  readonly number: number;
  /** RFC 3339, UTC. */
  readonly at: string;
  /** The hash of the entry before; 64 zeros before the first. */
  readonly previous: string;
  /** SHA-256 of the canonical JSON (RFC 8785) of all other members, lower-case hex. */
  readonly hash: string;
}

export const firstPrevious = "0".repeat(64);

/** The text that is hashed and kept. */
export function entryText(entry: Omit<AuditEntry, "hash">): string {
  const { v, number, at, previous, request, actor, action, outcome, code, organisation, project, object, changes } =
    entry;
  const { kind, name } = actor;
  const plain = { v, number, at, previous, request, action, outcome, code, organisation, project, object, changes };
  return canonicalJson({ ...plain, actor: { kind, name } } as unknown as CanonicalValue);
}

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Where a list of entries is not what was written; `reason` in words. */
export interface ChainBreak {
  readonly number: number;
  readonly reason: string;
}

/**
 * The first entry that was changed, or whose neighbour is missing; undefined: the entries are as they were written. Of a
 * part of the log (a tenant's entries) each is checked alone, as its neighbours are others' business.
 */
export function breakIn(entries: readonly AuditEntry[], isWhole: boolean): ChainBreak | undefined {
  let before: AuditEntry | undefined;
  for (const entry of [...entries].sort((a, b) => a.number - b.number)) {
    const { number } = entry;
    if (hashOf(entryText(entry)) !== entry.hash) return { number, reason: "it does not have the hash that it names" };
    if (isWhole && number !== (before?.number ?? 0) + 1) return { number, reason: "an entry before it is missing" };
    const follows = before !== undefined && number === before.number + 1;
    if (number === 1 && entry.previous !== firstPrevious) return { number, reason: "it is not the first" };
    if (follows && entry.previous !== before!.hash) {
      return { number, reason: "it names another entry than the one before it" };
    }
    before = entry;
  }
  return undefined;
}
