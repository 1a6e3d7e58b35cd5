import type { Settings } from "../config/index.ts";
import type { DestinationSite } from "../engine/index.ts";
import type { InForce } from "../residency/index.ts";
import { declaredSite } from "./declared-site.ts";

/** The sites that are declared: by the settings, which stay, or by the facts as they are in force. */
export class Sites {
  readonly #settings: ReadonlyMap<string, DestinationSite>;
  readonly #inForce: InForce;
  #standing = "";
  #facts: ReadonlyMap<string, DestinationSite> = new Map();

  constructor({ site, sites, upstreams }: Settings, inForce: InForce) {
    const all = [...upstreams.map((upstream) => upstream.site), ...sites, site];
    this.#settings = new Map(all.map((each) => [each.name, declaredSite(each)]));
    this.#inForce = inForce;
  }

  get names(): ReadonlySet<string> {
    return new Set([...this.#settings.keys(), ...this.#fromFacts().keys()]);
  }

  /** One that is declared nowhere any more has no jurisdiction: it is never guessed. */
  of(name: string): DestinationSite {
    return this.#settings.get(name) ?? this.#fromFacts().get(name) ?? { name, jurisdiction: undefined };
  }

  #fromFacts(): ReadonlyMap<string, DestinationSite> {
    const { id, sites } = this.#inForce.policy.standing();
    if (id !== this.#standing) {
      this.#standing = id;
      this.#facts = new Map([...sites.values()].map((site) => [site.name, declaredSite(site)]));
    }
    return this.#facts;
  }
}
