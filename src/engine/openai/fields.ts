import { nearest, refuse, RefusalError } from "../../base/index.ts";
import { type GenerationEndpoint, parametersOf } from "./parameters.ts";

/** A JSON object's members; what they hold is not yet known. */
export type Members = Readonly<Record<string, unknown>>;

const maxNamedLength = 80;
const maxIgnored = 32;

/** Where an unsupported parameter is refused by name, or noted and left out, as the project says. */
export class UnsupportedParameters {
  readonly #warn: boolean;
  readonly #ignored = new Set<string>();

  constructor(policy: "refuse" | "warn") {
    this.#warn = policy === "warn";
  }

  /** Throws a refusal, or returns where the project asks for a warning: the caller then leaves the parameter out. */
  report(param: string, message: string): void {
    const named = param.slice(0, maxNamedLength);
    if (!this.#warn) throw new RefusalError(refuse("unsupported_parameter", message, { param: named }));
    if (this.#ignored.size < maxIgnored) this.#ignored.add(named);
  }

  get ignored(): readonly string[] {
    return [...this.#ignored];
  }
}

/** Throws `invalid_request` for one field; `param` is its path, such as "messages[2].role". */
export function invalid(param: string, message: string): never {
  throw new RefusalError(refuse("invalid_request", `${param}: ${message}`, { param }));
}

/** Holds every member against the parameter table: unknown, refused and mistyped ones do not get past here. */
export function checkNames(body: Members, endpoint: GenerationEndpoint, unsupported: UnsupportedParameters): void {
  const table = parametersOf(endpoint);
  for (const [name, value] of Object.entries(body)) {
    const parameter = table.get(name);
    if (parameter === undefined) unsupported.report(name, unknownName(name, table.keys()));
    else if (value === null || parameter.treatment === "supported") continue;
    else if (parameter.treatment === "refused") {
      if (parameter.neutral?.(value) === true) continue;
      unsupported.report(name, `${name} is not supported: ${parameter.note}`);
    } else if (!hasType(value, parameter.type)) invalid(name, `expected ${parameter.type}, not ${kindOf(value)}.`);
  }
}

export function unknownName(name: string, known: Iterable<string>): string {
  const close = nearest(name, known);
  const suggestion = close === undefined ? "" : ` Did you mean ${close}?`;
  return `Unknown parameter: ${JSON.stringify(name.slice(0, maxNamedLength))}.${suggestion}`;
}

function hasType(value: unknown, type: "string" | "object" | undefined): boolean {
  return type === "object" ? isMembers(value) : typeof value === "string";
}

export function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value's JSON type, for messages. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

export function stringAt(value: unknown, path: string): string {
  return typeof value === "string" ? value : invalid(path, `expected string, not ${kindOf(value)}.`);
}

export function membersAt(value: unknown, path: string): Members {
  return isMembers(value) ? value : invalid(path, `expected object, not ${kindOf(value)}.`);
}

export function arrayAt(value: unknown, path: string): readonly unknown[] {
  return Array.isArray(value) ? value : invalid(path, `expected array, not ${kindOf(value)}.`);
}

/** A member that may be left out or null. */
export function optionalBoolean(body: Members, name: string): boolean | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  return typeof value === "boolean" ? value : invalid(name, `expected boolean, not ${kindOf(value)}.`);
}

/** A member that may be left out or null. */
export function optionalString(body: Members, name: string): string | undefined {
  const value = body[name];
  return value === undefined || value === null ? undefined : stringAt(value, name);
}

export interface NumberBounds {
  readonly min: number;
  readonly max: number;
  readonly integer?: boolean;
  /** The lower bound itself is not allowed. */
  readonly aboveMin?: boolean;
}

/** A member that may be left out or null, and otherwise is a number within its bounds. */
export function optionalNumber(body: Members, name: string, bounds: NumberBounds): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") invalid(name, `expected number, not ${kindOf(value)}.`);
  if (bounds.integer === true && !Number.isSafeInteger(value)) invalid(name, `expected an integer, not ${value}.`);
  const tooLow = value < bounds.min || (bounds.aboveMin === true && value === bounds.min);
  if (tooLow)
    invalid(
      name,
      `${value} is below the minimum; use ${bounds.aboveMin === true ? "above" : "at least"} ${bounds.min}.`,
    );
  if (value > bounds.max) invalid(name, `${value} is above the maximum of ${bounds.max}.`);
  return value;
}
