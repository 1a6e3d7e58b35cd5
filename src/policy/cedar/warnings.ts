import type { PolicyNote, PolicyProblem } from "./policies.ts";

/** What a set of policies can hardly mean, although each of them is valid: whom it leaves with no permission at all. */
export function warningsOf(notes: readonly PolicyNote[]): readonly PolicyProblem[] {
  const overruled = notes.flatMap((note) => {
    const whom = everything(note);
    if (whom === undefined) return [];
    const { file, line, column, id } = note;
    return [{ file, line, column, message: `"${id}" forbids everything ${whom}, so nothing is permitted there` }];
  });
  if (notes.some(({ effect }) => effect === "permit")) return overruled;
  const message = "no policy permits anything: what nothing permits is refused";
  return [...overruled, { file: notes[0]?.file ?? "", line: 1, column: 1, message }];
}

/** Whom a forbid without conditions leaves nothing to do; undefined where it leaves something. */
function everything({ effect, json }: PolicyNote): string | undefined {
  const { principal, action, resource, conditions } = json;
  if (effect !== "forbid" || conditions.length > 0 || action.op !== "All" || resource.op !== "All") return undefined;
  if (principal.op === "All") return "to everybody";
  if (principal.op !== "in" || !("entity" in principal) || !("type" in principal.entity)) return undefined;
  return `to ${principal.entity.type} "${principal.entity.id}"`;
}
