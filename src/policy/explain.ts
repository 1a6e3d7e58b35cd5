import type { PolicyNote } from "./cedar/policies.ts";
import type { Standing } from "./facts/standing.ts";
import { placeOf } from "./places.ts";
import type { Policy } from "./policy.ts";
import type { Candidate, Question } from "./question.ts";

/** Why a place may have the data, or may not. */
export interface Explained<C extends Candidate = Candidate> {
  readonly candidate: C;
  /** Where it counts as standing; undefined: nobody has declared it, or settings and facts contradict each other. */
  readonly jurisdiction: string | undefined;
  readonly isPermitted: boolean;
  /** The policies that decided, with their annotations; empty where none permits. */
  readonly deciding: readonly PolicyNote[];
  /** A coarse word; undefined where it is permitted. */
  readonly reason: string | undefined;
  /** For people: which permit holds, or everything that is in the way and what to do about it. */
  readonly words: string;
}

/** Every candidate with the policies that decide about it, in the order of the candidates. */
export function explain<C extends Candidate>(
  policy: Policy,
  question: Question,
  candidates: readonly C[],
): readonly Explained<C>[] {
  return candidates.map((candidate) => {
    const { jurisdiction } = placeOf(candidate, policy.standing());
    const { isPermitted, deciding, reason, because } = policy.judge(question, candidate);
    const permits = deciding.map(({ id, explain }) => `permitted by "${id}": ${explain}`);
    return {
      candidate,
      jurisdiction,
      isPermitted,
      deciding,
      reason,
      words: (isPermitted ? permits : because).join("; "),
    };
  });
}

/** Every site that the facts know, as a candidate: also one at which nothing runs yet. */
export function knownSites({ sites }: Standing): readonly Candidate[] {
  return [...sites.values()].map(({ name, jurisdiction }) => ({ kind: "site", name, site: { name, jurisdiction } }));
}
