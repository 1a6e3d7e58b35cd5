import type { CompiledPolicies, PolicyNote } from "./cedar/policies.ts";
import type { Place } from "./places.ts";
import type { Action } from "./question.ts";
import type { View } from "./views.ts";

interface Why {
  readonly reason: string;
  readonly because: readonly string[];
}

/**
 * Nothing forbids, and nothing permits either. Cedar does not say of a permit why it did not hold; of the shipped ones it is
 * known here, of an operator's own their explanations are told.
 */
export function whyNothingPermits(view: View, place: Place, { policies }: CompiledPolicies): Why {
  const { action } = view.question;
  const permits = [...policies.values()].filter((note) => isPermitFor(action, note));
  const shipped = action === "support-access" ? supportWhy(view) : placeWhy(view, place);
  if (shipped !== undefined && permits.some(({ id }) => id.startsWith("base."))) return shipped;
  const known = permits.map(({ id, explain }) => `"${id}" (${explain})`);
  const none = `no policy permits ${action} at all`;
  return { reason: "not_permitted", because: [known.length === 0 ? none : `none of these holds: ${known.join(", ")}`] };
}

function isPermitFor(action: Action, { effect, json }: PolicyNote): boolean {
  if (effect !== "permit") return false;
  const scope = json.action;
  if (scope.op === "All") return true;
  const named = "entities" in scope ? scope.entities : "entity" in scope ? [scope.entity] : [];
  return named.some((entity) => "id" in entity && entity.id === action);
}

const resting: ReadonlySet<Action> = new Set(["store", "log", "cache", "export"]);

function placeWhy(view: View, { jurisdiction, doubt }: Place): Why | undefined {
  const rests = resting.has(view.question.action);
  const list = rests ? view.storage : view.processing;
  const whose = view.whose === "the project's" ? "the project's data" : "the request's data, as its headers say,";
  const only = `${whose} ${rests ? "rests" : "is processed"} in ${list.join(", ")} only`;
  if (jurisdiction === undefined) {
    const needed = list.length > 0 ? only : `${view.dataClass} data needs a declared one`;
    const because = doubt === undefined ? "" : ` (${doubt})`;
    return {
      reason: "undeclared_jurisdiction",
      because: [`its jurisdiction is not declared${because}, and ${needed}`],
    };
  }
  if (list.length === 0) return undefined;
  const reason = rests ? "outside_storage" : "outside_processing";
  return { reason, because: [`it lies in ${jurisdiction}, and ${only}`] };
}

function supportWhy({ question: { staff }, processing }: View): Why {
  if (staff === undefined) return why("staff_not_named", "nobody of the staff is named; say who asks");
  if (!staff.isGranted) return why("not_granted", `the tenant has granted "${staff.name}" no access; ask for a grant`);
  if (staff.from === undefined) {
    return why("undeclared_jurisdiction", `from where "${staff.name}" asks is not declared; declare it`);
  }
  const only = `this data is processed in ${processing.join(", ")} only`;
  return why("outside_processing", `"${staff.name}" asks from ${staff.from}, and ${only}`);
}

function why(reason: string, because: string): Why {
  return { reason, because: [because] };
}
