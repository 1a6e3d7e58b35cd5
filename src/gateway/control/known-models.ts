import { nearest, refuse, type Refusal } from "../../base/index.ts";
import type { Catalog } from "../../catalog/index.ts";
import type { CloudOperations, LimitChanges } from "./operations.ts";
import type { Model } from "./wire.ts";

/** Which models there are: those that are served, and those of the catalogue. */
export class KnownModels {
  readonly #catalog: Pick<Catalog, "list">;
  readonly #cloud: Pick<CloudOperations, "destinations" | "priceOf">;

  constructor(catalog: Pick<Catalog, "list">, cloud: Pick<CloudOperations, "destinations" | "priceOf">) {
    this.#catalog = catalog;
    this.#cloud = cloud;
  }

  served(): ReadonlySet<string> {
    return new Set(this.#cloud.destinations().flatMap(({ models }) => models.map(({ name }) => name)));
  }

  /** The hosts that were to serve a model, with why they cannot. */
  faultsOf(name: string): Model["faults"] {
    return this.#cloud
      .destinations()
      .flatMap(({ name: host, faults }) =>
        faults.filter(({ model }) => model === name).map(({ code, message, next }) => ({ host, code, message, next })),
      );
  }

  /** Why a name is no model's; undefined where one has it. */
  async unknown(name: string, param = "model"): Promise<Refusal | undefined> {
    const names = await this.#names();
    if (names.has(name)) return undefined;
    const near = nearest(name, names);
    const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
    return refuse("model_not_found", `There is no model "${name.slice(0, 200)}".${hint}`, { param });
  }

  /** Why no request for a model can run; undefined where it is served. */
  async notServed(name: string): Promise<Refusal | undefined> {
    if (this.served().has(name)) return undefined;
    const [fault] = this.faultsOf(name);
    if (fault !== undefined)
      return refuse("model_out_of_service", `"${name}" is not served: ${fault.message}`, { param: "model" });
    const message = `"${name}" is in the catalogue but not served; start with --model ${name}.`;
    return (await this.unknown(name)) ?? refuse("model_not_found", message, { param: "model" });
  }

  /**
   * What is odd about limits that are asked for, in sentences. A model that nobody knows is refused, except where an
   * upstream may bring it later.
   */
  async oddities({ models, requestsPerMinute, tokensPerMinute }: LimitChanges): Promise<readonly string[] | Refusal> {
    const found: string[] = [];
    const hasUpstream = this.#cloud.destinations().some(({ kind }) => kind === "upstream");
    for (const [index, name] of (models ?? []).entries()) {
      const unknown = await this.unknown(name, `limits.models[${index}]`);
      if (unknown === undefined) continue;
      if (!hasUpstream) return unknown;
      found.push(`${unknown.message} An upstream may bring it; until then no request can use it.`);
    }
    if (models?.length === 0) found.push("No model is permitted: no request will run.");
    if (requestsPerMinute === 0) found.push("0 requests a minute are permitted: no request will run.");
    if (tokensPerMinute === 0) found.push("0 tokens a minute are permitted: no request will run.");
    return found;
  }

  /** The price book's; null where no model has a price. */
  async currency(): Promise<string | null> {
    for (const name of await this.#names()) {
      const price = this.#cloud.priceOf(name);
      if (price !== undefined) return price.currency;
    }
    return null;
  }

  async #names(): Promise<ReadonlySet<string>> {
    return new Set([...this.served(), ...(await this.#catalog.list()).map(({ entry }) => entry.name)]);
  }
}
