import type { Policy } from "./policy.ts";
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
  /** Why it may not be where it was, or why nothing permitted it before; as sentences. */
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

/** Replays recorded placements under two policies. What both decide alike is only counted. `onReplayed` hears of each. */
export function diff<P extends Placement>(
  placements: readonly P[],
  before: Policy,
  after: Policy,
  onReplayed: (count: number) => void = () => undefined,
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
      found.permitted.push({ placement, permittedAt: nowAt, because: sentences(old) });
    } else if (ranAt !== undefined && !nowAt.includes(ranAt)) {
      const list = nowAt.length === 0 ? found.refused : found.moved;
      list.push({ placement, permittedAt: nowAt, because: sentences(now) });
    } else found.unchanged += 1;
  }
  return found;
}

type Decided = ReturnType<Policy["decide"]>;

function namesOf(decided: Decided): readonly string[] {
  return decided.outcome === "permitted" ? decided.permitted.map(({ name }) => name) : [];
}

function sentences({ rejected }: Decided): readonly string[] {
  return rejected.map(({ explanation }) => explanation);
}
