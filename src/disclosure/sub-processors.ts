import type { Facts } from "../policy/index.ts";
import { type About, aboutReport } from "./about.ts";
import { type Backing, backingOf, counts } from "./evidence.ts";
import type { DocumentNamed, LiveState } from "./live-state.ts";

export interface SubProcessor {
  readonly name: string;
  readonly country: string;
  readonly purpose: string;
  readonly since: string;
  readonly until: string | null;
  readonly evidence: Backing;
  /** `ended`, `planned`: by its days; `not shown`: its evidence does not count now. */
  readonly state: "in force" | "planned" | "ended" | "not shown";
}

export interface SubProcessorsReport {
  readonly report: "sub-processors";
  readonly about: About;
  readonly summary: string;
  readonly list: readonly SubProcessor[];
  /** Against the facts that held at a moment; null: nothing was compared. */
  readonly changes: {
    readonly since: string;
    readonly facts: DocumentNamed;
    readonly added: readonly SubProcessor[];
    readonly removed: readonly SubProcessor[];
    readonly changed: readonly { readonly before: SubProcessor; readonly after: SubProcessor }[];
  } | null;
}

/** The facts that held at an earlier moment. */
export interface Earlier {
  readonly since: string;
  readonly named: DocumentNamed;
  readonly facts: Facts;
}

/** Who else handles tenants' data, and what has changed of that since a moment. */
export function subProcessorsReport(state: LiveState, earlier: Earlier | null): SubProcessorsReport {
  const list = subProcessors(state);
  const inForce = list.filter((each) => each.state === "in force").length;
  return {
    report: "sub-processors",
    about: aboutReport(state, null),
    summary:
      list.length === 0
        ? "The facts list no sub-processor. That nobody has written one is not shown by this to mean that there is none."
        : `${inForce} in force of ${list.length} that the facts list.`,
    list,
    changes: earlier === null ? null : changesSince(earlier, state, list),
  };
}

export function subProcessors({ facts, atMs }: Pick<LiveState, "facts" | "atMs">): readonly SubProcessor[] {
  return facts.subprocessors
    .map(({ name, country, purpose, since, until, evidence }) => ({
      name,
      country,
      purpose,
      since,
      until: until ?? null,
      evidence: backingOf(evidence),
      state: counts(evidence, atMs) ? stateOf({ since, until }, atMs) : ("not shown" as const),
    }))
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function stateOf({ since, until }: { since: string; until: string | undefined }, atMs: number): SubProcessor["state"] {
  if (counts({ on: since, expires: until }, atMs)) return "in force";
  return counts({ on: since, expires: undefined }, atMs) ? "ended" : "planned";
}

/** One company may do several things: each is an entry of its own. */
function keyOf({ name, country, since }: SubProcessor): string {
  return JSON.stringify([name, country, since]);
}

function changesSince(
  earlier: Earlier,
  state: LiveState,
  now: readonly SubProcessor[],
): SubProcessorsReport["changes"] {
  const then = subProcessors({ facts: earlier.facts, atMs: state.atMs });
  const before = new Map(then.map((each) => [keyOf(each), each]));
  const after = new Map(now.map((each) => [keyOf(each), each]));
  return {
    since: earlier.since,
    facts: earlier.named,
    added: now.filter((each) => !before.has(keyOf(each))),
    removed: then.filter((each) => !after.has(keyOf(each))),
    changed: now.flatMap((each) => {
      const old = before.get(keyOf(each));
      return old === undefined || JSON.stringify(old) === JSON.stringify(each) ? [] : [{ before: old, after: each }];
    }),
  };
}
