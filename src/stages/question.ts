import { refuse, type Refusal } from "../base/index.ts";
import { narrowingHeaders } from "../gateway/index.ts";
import { baseClassOf, type DataClass, type Narrowing, parseNarrowing, type Question } from "../policy/index.ts";
import type { Call, Cloud } from "./cloud.ts";

/** What a request asks of where it may run, read by the names that the policy in force knows. */
export interface Asked {
  readonly outcome: "asked";
  readonly narrowing: Narrowing | undefined;
  /** Of the five: its project's, and the one that its header says. */
  readonly dataClasses: readonly DataClass[];
}

const nothing: readonly [] = [];

/** Of the five: the project's own class, and the one that a request narrows itself to. */
export function dataClassesOf(
  dataClass: string,
  narrowing: Narrowing | undefined,
  { inForce }: Pick<Cloud, "inForce">,
): readonly DataClass[] {
  const named = narrowing?.dataClass;
  const own = baseClassOf(dataClass, inForce.document);
  return [own, ...(named === undefined ? nothing : [baseClassOf(named, inForce.document)])];
}

/** Reads a request's headers. A value that nobody knows is refused, with the header's name. */
export function asked({ narrowing: headers, holder }: Call, { inForce }: Pick<Cloud, "inForce">): Asked | Refusal {
  const { dataClass } = holder.project;
  if (headers === undefined)
    return { outcome: "asked", narrowing: undefined, dataClasses: dataClassesOf(dataClass, undefined, { inForce }) };
  const { document, facts, policy } = inForce;
  const known = { document, regimes: policy.policies.regimes, groups: facts.jurisdictions.groups };
  const parsed = parseNarrowing(headers, known);
  if (parsed.outcome === "invalid") {
    const header = narrowingHeaders[parsed.header];
    return refuse("invalid_request", `${header}: ${parsed.message}`, { param: header });
  }
  const { narrowing } = parsed;
  return { outcome: "asked", narrowing, dataClasses: dataClassesOf(dataClass, narrowing, { inForce }) };
}

/** What policy is asked of a request. The key is named only where a policy looks at keys: answers are shared otherwise. */
export function questionOf({ holder, endpoint, body }: Call, narrowing: Narrowing | undefined, cloud: Cloud): Question {
  const { looks } = cloud.inForce.policy.policies;
  return {
    action: endpoint.action,
    project: holder.project,
    model: body.fields.model,
    ...(looks.entities.has("Key") ? { key: holder.key.id } : {}),
    ...(narrowing === undefined ? {} : { narrowing }),
  };
}
