import type { CompiledPolicies, PolicyNote } from "./cedar/policies.ts";
import { fillIn, type RequestValues } from "./cedar/placeholders.ts";
import { hold, type Ruling, rule } from "./cedar/rule.ts";
import { type Slice, Slices } from "./cedar/slices.ts";
import { nextTurn } from "./cedar/turns.ts";
import type { Standing } from "./facts/standing.ts";
import { Kept } from "./kept.ts";
import type { Place } from "./places.ts";
import type { Candidate } from "./question.ts";
import { type CedarRequest, requestOf } from "./request.ts";
import type { View } from "./views.ts";
import { whyNothingPermits } from "./why.ts";

/** What was found on one place. */
export interface Verdict {
  readonly isPermitted: boolean;
  /** The policies that decided; empty where nothing permits. */
  readonly deciding: readonly PolicyNote[];
  /** A coarse word, for receipts; undefined where it is permitted. */
  readonly reason: string | undefined;
  /** Clauses with the facts behind them and what to do; empty where it is permitted. */
  readonly because: readonly string[];
}

/** Answers of Cedar that are kept: one for each set of values that policies look at. */
const rulingsKept = 16_384;

/** Judges places by one set of policies. */
export class Judge {
  readonly policies: CompiledPolicies;
  readonly #slices: Slices;
  readonly #rulings = new Kept<Ruling>(rulingsKept);

  constructor(policies: CompiledPolicies) {
    this.policies = policies;
    this.#slices = new Slices(policies);
  }

  /** The combinations of regimes that it has judged by. */
  get met(): readonly (readonly string[])[] {
    return this.#slices.met;
  }

  /** Has Cedar parse what judges under these combinations of regimes, one in each turn of the event loop. */
  async prepare(combinations: readonly (readonly string[])[]): Promise<void> {
    for (const regimes of combinations) {
      hold(this.#slices.for(regimes));
      await nextTurn();
    }
  }

  /** A place is permitted where every view permits it; else the first that does not says why. */
  judge(views: readonly View[], candidate: Candidate, place: Place, standing: Standing): Verdict {
    let first: Verdict | undefined;
    for (const view of views) {
      const verdict = this.#judgeView(view, candidate, place, standing);
      if (!verdict.isPermitted) return verdict;
      first ??= verdict;
    }
    return first!;
  }

  #judgeView(view: View, candidate: Candidate, place: Place, standing: Standing): Verdict {
    if (!view.isKnownClass) return unknownClass(view);
    const unknown = view.regimes.find((regime) => !this.policies.regimes.has(regime));
    if (unknown !== undefined) return unknownRegime(view, unknown);
    const slice = this.#slices.for(view.regimes);
    const request = requestOf(view, candidate, place, standing, slice.looks);
    const ruling = this.#rulingOn(request, slice);
    if (ruling.failed !== undefined) return failed(ruling.failed);
    const deciding = ruling.deciding.map((id) => this.policies.policies.get(id)!);
    if (ruling.isPermitted) return { isPermitted: true, deciding, reason: undefined, because: [] };
    if (deciding.length === 0) {
      return { isPermitted: false, deciding, ...whyNothingPermits(view, place, this.policies) };
    }
    return forbidden(deciding, request.values);
  }

  #rulingOn({ key: asked, call }: CedarRequest, slice: Slice): Ruling {
    const key = `${slice.id}\n${asked}`;
    const known = this.#rulings.get(key);
    if (known !== undefined) return known;
    const ruling = rule(slice, call);
    this.#rulings.set(key, ruling);
    return ruling;
  }
}

function forbidden(deciding: readonly PolicyNote[], values: RequestValues): Verdict {
  const because = deciding.map(({ explain }) => fillIn(explain, values));
  return { isPermitted: false, deciding, reason: deciding[0]!.reason, because };
}

/** The rules of a class go with its declaration: without it nobody knows what was to protect its data. */
function unknownClass({ whose, dataClass }: View): Verdict {
  const because = [
    `${whose} data class "${dataClass}" is declared by no policy document; declare it, or give the project another one`,
  ];
  return { isPermitted: false, deciding: [], reason: "unknown_data_class", because };
}

/** Rules that nobody has written permit nothing: a name may be a slip of the one that was meant to protect. */
function unknownRegime({ whose }: View, regime: string): Verdict {
  const because = [`${whose} regime "${regime}" is named by no policy; correct its name, or write its policies`];
  return { isPermitted: false, deciding: [], reason: "unknown_regime", because };
}

function failed({ id, message }: { readonly id: string; readonly message: string }): Verdict {
  const because = [`the policy "${id}" could not be evaluated (${message}); correct it`];
  return { isPermitted: false, deciding: [], reason: "policy_failed", because };
}
