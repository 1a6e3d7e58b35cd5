import { explainRefusal, type Policy } from "./policy.ts";
import type { Candidate, Question } from "./question.ts";

/** A placement as it was recorded. Callers pass records of their own, which may hold more, and get them back. */
export interface Placement {
  readonly question: Question;
  readonly candidates: readonly Candidate[];
  /** The name of the candidate where it ran; undefined where it was refused. */
  readonly ranAt: string | undefined;
}

/** A placement that ends in another way. */
export interface Changed<P extends Placement> {
  readonly placement: P;
  /** Candidates that permit it now, by their names; empty where it is refused. */
  readonly permittedAt: readonly string[];
  /**
   * Why it may not be where it was, or why nothing permitted it before, as sentences: first of the place where it ran, then of
   * the others whose answer is another one now, then of those that are refused either way.
   */
  readonly because: readonly string[];
}

export interface PolicyDiff<P extends Placement> {
  /** Ran, and would find no place now. */
  readonly refused: readonly Changed<P>[];
  /** Ran, and would have to run elsewhere now. */
  readonly moved: readonly Changed<P>[];
  /** Was refused, and would find a place now. */
  readonly permitted: readonly Changed<P>[];
  /** The record and the old policy disagree already: facts have changed since, and the new policy is not to blame. */
  readonly drifted: readonly P[];
  readonly unchanged: number;
}

export interface DiffOptions {
  /** Hears how many were replayed, of each of them. */
  readonly onReplayed?: ((count: number) => void) | undefined;
  /** A clause that says better why a candidate is refused now; undefined: what the policies say. */
  readonly whyRefused?: (candidate: Candidate) => string | undefined;
}

/** Replays recorded placements under two policies. What both decide alike is only counted. */
export function diff<P extends Placement>(
  placements: readonly P[],
  before: Policy,
  after: Policy,
  { onReplayed = () => undefined, whyRefused = () => undefined }: DiffOptions = {},
): PolicyDiff<P> {
  const found = {
    refused: [] as Changed<P>[],
    moved: [] as Changed<P>[],
    permitted: [] as Changed<P>[],
    drifted: [] as P[],
    unchanged: 0,
  };
  for (const [index, placement] of placements.entries()) {
    onReplayed(index + 1);
    const { question, candidates, ranAt } = placement;
    const [old, now] = [before.decide(question, candidates), after.decide(question, candidates)];
    const [oldAt, nowAt] = [namesOf(old), namesOf(now)];
    if (ranAt === undefined ? oldAt.length > 0 : !oldAt.includes(ranAt)) found.drifted.push(placement);
    else if (ranAt === undefined && nowAt.length > 0) {
      found.permitted.push({ placement, permittedAt: nowAt, because: sentences(old, namesOf(now)) });
    } else if (ranAt !== undefined && !nowAt.includes(ranAt)) {
      const list = nowAt.length === 0 ? found.refused : found.moved;
      const because = sentences(now, [ranAt, ...oldAt], whyRefused);
      list.push({ placement, permittedAt: nowAt, because });
    } else found.unchanged += 1;
  }
  return found;
}

type Decided = ReturnType<Policy["decide"]>;

function namesOf(decided: Decided): readonly string[] {
  return decided.outcome === "permitted" ? decided.permitted.map(({ name }) => name) : [];
}

/** Why each candidate was refused; those that are `changed` come first, in this order. */
function sentences(
  { rejected }: Decided,
  changed: readonly string[],
  whyRefused: (candidate: Candidate) => string | undefined = () => undefined,
): readonly string[] {
  const rank = ({ candidate }: (typeof rejected)[number]): number => {
    const at = changed.indexOf(candidate.name);
    return at < 0 ? changed.length : at;
  };
  return rejected
    .toSorted((one, other) => rank(one) - rank(other))
    .map(({ candidate, explanation }) => {
      const better = whyRefused(candidate);
      return better === undefined ? explanation : explainRefusal(candidate, [better]);
    });
}
