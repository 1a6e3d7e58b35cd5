import { nearest } from "../base/index.ts";
import { recordFields } from "./record.ts";

const keptMost = 20;

/** Names of columns and members that mean nothing in a record; the first ones, where there are many. */
export class IgnoredNames {
  readonly #names = new Set<string>();

  add(name: string): void {
    if (this.#names.size < keptMost) this.#names.add(name.slice(0, 100));
  }

  get all(): readonly string[] {
    return [...this.#names];
  }
}

/** A name that means nothing, with the one that was probably meant: a count under a wrong name is no count. */
function withMeant(name: string): string {
  if (name === "") return '""';
  const near = nearest(name, recordFields);
  return `${name}${near === undefined || near === name ? "" : ` (did you mean ${near}?)`}`;
}

/** Of names that mean nothing; the first ones, where there are many. */
export function nothingMeant(names: readonly string[]): string {
  const few = new IgnoredNames();
  for (const name of names) few.add(name);
  const more = names.length > few.all.length ? ` and ${names.length - few.all.length} more` : "";
  return `${few.all.map(withMeant).join(", ")}${more} ${names.length === 1 ? "means" : "mean"} nothing in a record`;
}
