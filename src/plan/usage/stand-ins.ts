import { findShape, type ModelShape } from "../../pool/index.ts";
import { PlanError } from "../problem.ts";
import type { UsageRow } from "./row.ts";

/** Which open-weight model takes the place of which. */
export type StandIns = ReadonlyMap<string, ModelShape>;

/** Reads `gpt-4o=qwen2.5-72b,gpt-4o-mini=qwen2.5-7b`. */
export function parseStandIns(text: string): StandIns {
  const standIns = new Map<string, ModelShape>();
  for (const part of text.split(",").map((each) => each.trim())) {
    const [, name, id] = /^(.+)=([^=]+)$/.exec(part) ?? [];
    if (name === undefined || id === undefined) {
      throw new PlanError(`map: "${part}" is no stand-in; write gpt-4o=qwen2.5-72b, separated by commas`);
    }
    const found = findShape(id.trim());
    if (!found.known) {
      const meant = found.nearest === undefined ? "" : ` (did you mean "${found.nearest}"?)`;
      throw new PlanError(`map: there is no model "${id}"${meant}`);
    }
    if (standIns.has(name.trim())) throw new PlanError(`map: ${name} is mapped twice`);
    standIns.set(name.trim(), found.shape);
  }
  return standIns;
}

/**
 * A stand-in for each model that the rows name. One that is open-weight and known stands for itself. Throws a `PlanError`
 * with all names that have none.
 */
export function standInsFor(path: string, rows: readonly UsageRow[], given: StandIns): StandIns {
  const requests = new Map<string, number>();
  for (const row of rows) requests.set(row.model, (requests.get(row.model) ?? 0) + row.requests);
  const standIns = new Map<string, ModelShape>();
  const unknown: string[] = [];
  for (const [name, seen] of [...requests].toSorted((a, b) => b[1] - a[1])) {
    const found = findShape(name);
    const standIn = given.get(name) ?? (found.known ? found.shape : undefined);
    if (standIn === undefined) unknown.push(`${name} (${seen} requests)`);
    else standIns.set(name, standIn);
  }
  if (unknown.length > 0) {
    throw new PlanError(
      `${path}: which open-weight models take the place of ${unknown.join(", ")}? Say it with --map NAME=MODEL,...`,
    );
  }
  return standIns;
}
