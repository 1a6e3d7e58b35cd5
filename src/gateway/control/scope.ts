import { refuse, type Refusal } from "../../base/index.ts";
import type { Asker } from "./access.ts";
import type { TenancyOperations } from "./operations.ts";

/** Whose things are asked for, by their ids; what is left out does not restrict. */
export interface Scope {
  readonly organisation?: string;
  readonly project?: string;
}

interface Asked {
  readonly organisation?: string | undefined;
  readonly project?: string | undefined;
}

/**
 * What is asked for, within what the asker may see: a key sees its project, or its organisation, whatever it names.
 * What is another tenant's looks as if it were not there.
 */
export async function scopeOf(asker: Asker, asked: Asked, tenancy: TenancyOperations): Promise<Scope | Refusal> {
  const scope: { organisation?: string; project?: string } = {};
  if (asked.organisation !== undefined) {
    const found = await tenancy.showOrganisation(asked.organisation);
    if ("outcome" in found) return asker.kind === "operator" ? found : absent("organisation");
    scope.organisation = found.id;
  }
  if (asked.project !== undefined) {
    const found = await tenancy.showProject(asked.project);
    if ("outcome" in found) return asker.kind === "operator" ? found : absent("project");
    if (scope.organisation !== undefined && scope.organisation !== found.organisation.id) return absent("project");
    Object.assign(scope, { project: found.id, organisation: found.organisation.id });
  }
  if (asker.kind === "operator") return scope;
  if (asker.kind === "anybody") return refuse("missing_key", "This needs a key.");
  if ((scope.organisation ?? asker.organisation) !== asker.organisation) {
    return absent(asked.project === undefined ? "organisation" : "project");
  }
  if (asker.isForOrganisation) return { ...scope, organisation: asker.organisation };
  if ((scope.project ?? asker.project) !== asker.project) return absent("project");
  return { organisation: asker.organisation, project: asker.project };
}

function absent(what: "organisation" | "project"): Refusal {
  return refuse("not_found", `This key's tenant has no such ${what}.`, { param: what });
}
