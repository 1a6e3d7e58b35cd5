import { type Looks, looksOf } from "./looks.ts";
import type { CompiledPolicies, PolicyNote } from "./policies.ts";

/** Those policies of a set that can apply to somebody, and what they look at. */
export interface Slice {
  readonly id: string;
  readonly policies: ReadonlyMap<string, PolicyNote>;
  readonly looks: Looks;
}

/** More combinations of regimes than anybody has; what comes beyond is decided by the whole set. */
const slicesKept = 48;

/**
 * Leaves out the policies of regimes that a principal is not under: their scope says that they cannot apply to it. Few values
 * are then sent to Cedar for a project under few regimes, and the answer depends on fewer.
 */
export class Slices {
  readonly #compiled: CompiledPolicies;
  readonly #slices = new Map<string, Slice>();

  constructor(compiled: CompiledPolicies) {
    this.#compiled = compiled;
  }

  /** The combinations of regimes that were asked for. */
  get met(): readonly (readonly string[])[] {
    return [...this.#slices.keys()].map((key) => (key === "" ? [] : key.split(" ")));
  }

  for(regimes: readonly string[]): Slice {
    const under = [...new Set(regimes)].sort();
    const key = under.join(" ");
    const known = this.#slices.get(key);
    if (known !== undefined) return known;
    if (this.#slices.size >= slicesKept) return this.#compiled;
    const slice = sliceOf(this.#compiled, new Set(under), key);
    this.#slices.set(key, slice);
    return slice;
  }
}

function sliceOf({ id, policies }: CompiledPolicies, regimes: ReadonlySet<string>, key: string): Slice {
  const left = [...policies].filter(([, note]) => {
    const regime = regimeOf(note);
    return regime === undefined || regimes.has(regime);
  });
  return { id: `${id} ${key}`, policies: new Map(left), looks: looksOf(left.map(([, { json }]) => json)) };
}

/** The regime that a policy's scope asks of a principal; undefined where it asks for none. */
function regimeOf({ json: { principal } }: PolicyNote): string | undefined {
  if (principal.op !== "in" || !("entity" in principal) || !("type" in principal.entity)) return undefined;
  return principal.entity.type === "Regime" ? principal.entity.id : undefined;
}
