import type { Catalog } from "../catalog/index.ts";
import type { DestinationList } from "../destinations/index.ts";
import type { InForce } from "../residency/index.ts";

/**
 * What a model of a name is, as this cloud knows it: by the facts, else by the catalogue, else as its own machine serves
 * it. A host elsewhere may not give the name to something else, nor to what nobody can tell from an upstream's.
 */
export class KnownDigests {
  readonly #catalogued: ReadonlyMap<string, string | undefined>;
  readonly #inForce: InForce;
  readonly #own: DestinationList["all"];

  /** `destinations`: before any host has joined. */
  constructor(catalogued: Awaited<ReturnType<Catalog["list"]>>, inForce: InForce, destinations: DestinationList) {
    this.#catalogued = new Map(catalogued.map(({ entry }) => [entry.name, entry.sha256]));
    this.#inForce = inForce;
    this.#own = destinations.all;
  }

  /** Lower-case hex; undefined: nobody here knows the model. */
  of(name: string): string | undefined {
    return (
      this.#inForce.policy.standing().models.get(name)?.sha256 ??
      this.#catalogued.get(name) ??
      this.#own.find((each) => each.kind === "host" && each.offer(name) !== undefined)?.offer(name)?.sha256
    );
  }

  /** Why a host's model of these weights cannot have the name; undefined: it can. */
  refusalOf(name: string, sha256: string | undefined): string | undefined {
    const known = this.of(name);
    if (known !== undefined) return known === sha256 ? undefined : "the name means another model here";
    const upstream = this.#own.find((each) => each.kind === "upstream" && each.offer(name) !== undefined);
    return (
      upstream && `the name is that of a model of the upstream ${upstream.name}, and no digest says that it is the same`
    );
  }
}
