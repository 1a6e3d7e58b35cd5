import type { Kept } from "./cache.ts";
import type { BoundResult, CapacityResult, Result, Row, ShareResult } from "./row.ts";

/** What is known of the rows, by their names. */
export class Results {
  readonly #kept = new Map<string, Kept>();
  readonly #failures = new Map<string, string>();

  add(row: Row, kept: Omit<Kept, "row">): void {
    this.#kept.set(row.name, { ...kept, row });
  }

  failed(row: Row, message: string): void {
    this.#failures.set(row.name, message);
  }

  get all(): readonly Kept[] {
    return [...this.#kept.values()];
  }

  get failures(): ReadonlyMap<string, string> {
    return this.#failures;
  }

  capacity(name: string): CapacityResult | undefined {
    return this.#of(name, "capacity");
  }

  bound(name: string): BoundResult | undefined {
    return this.#of(name, "bound");
  }

  share(name: string): ShareResult | undefined {
    return this.#of(name, "share");
  }

  #of<Kind extends Result["kind"]>(name: string, kind: Kind): Extract<Result, { readonly kind: Kind }> | undefined {
    const result = this.#kept.get(name)?.result;
    return result?.kind === kind ? (result as Extract<Result, { readonly kind: Kind }>) : undefined;
  }
}
