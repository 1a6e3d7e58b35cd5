import type { Candidate, Question } from "../policy/index.ts";

/** What a replay needs of a decision: what was asked, and everywhere it could have gone. Nothing of what was said. */
export interface Placement {
  readonly question: Question;
  readonly candidates: readonly Candidate[];
}

/** Longer ones are not kept: a settlement and a note have their bounds, and others stand in them too. */
export const placementBytesMax = 2_048;
const placementsKept = 4_096;

/** Placements by their decisions' digests: what is asked again and again is put into words once. */
export class Placements {
  readonly #known = new Map<string, Placement | null>();
  readonly #settled = new Set<string>();

  /** What is kept of a decision; null: it is too long. */
  of(digest: string, question: Question, candidates: readonly Candidate[]): Placement | null {
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    const made = { question: questionKept(question), candidates: candidates.map(candidateKept) };
    const isKept = Buffer.byteLength(placementText(made)) <= placementBytesMax;
    const placement = isKept ? made : null;
    forgetOldest(this.#known);
    this.#known.set(digest, placement);
    return placement;
  }

  /** Whether this process settles something of a decision for the first time, as far as it knows. */
  isFirst(digest: string): boolean {
    if (this.#settled.has(digest)) return false;
    forgetOldest(this.#settled);
    this.#settled.add(digest);
    return true;
  }
}

function forgetOldest(kept: Map<string, unknown> | Set<string>): void {
  const oldest = kept.size >= placementsKept ? kept.keys().next() : undefined;
  if (oldest?.done === false) kept.delete(oldest.value);
}

/** The members that a decision depends on: a holder's project has more. */
function questionKept({ action, project, key, model, narrowing }: Question): Question {
  const { id, dataClass, processing, storage, regimes, country, organisation, exported } = project;
  const owner = { id, dataClass, processing, storage, regimes, country, organisation, exported };
  return { action, project: owner, key, model, narrowing } as Question;
}

function candidateKept({ kind, name, site }: Candidate): Candidate {
  return { kind, name, site };
}

const texts = new WeakMap<Placement, string>();

export function placementText(placement: Placement | null): string {
  if (placement === null) return "null";
  let text = texts.get(placement);
  if (text === undefined) texts.set(placement, (text = JSON.stringify(placement)));
  return text;
}
