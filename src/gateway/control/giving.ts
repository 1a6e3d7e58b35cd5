import { type KeyPermission, type KeyReach, openingPermissions, refuse, type Refusal } from "../../base/index.ts";
import type { Asker } from "./access.ts";
import type { TenancyOperations } from "./operations.ts";
import { scopeOf } from "./scope.ts";

interface Given {
  readonly project: string;
  readonly permissions?: readonly KeyPermission[] | undefined;
  readonly reach?: KeyReach | undefined;
}

/**
 * Why this asker cannot give a key these rights; undefined: it can. A tenant's key gives what it has itself and what is
 * its tenant's to give, and reaches no farther by it.
 */
export async function givingRefusal(
  asker: Asker,
  { project, permissions = ["use"], reach = "project" }: Given,
  tenancy: TenancyOperations,
): Promise<Refusal | undefined> {
  if (asker.kind !== "key") return undefined;
  const scope = await scopeOf(asker, { project }, tenancy);
  if ("outcome" in scope) return scope;
  const missing = permissions.find(
    (permission) => !asker.permissions.has(permission) && !openingPermissions.has(permission),
  );
  if (missing !== undefined) {
    return refuse("key_not_permitted", `This key has no permission "${missing}" to give.`, { param: "permissions" });
  }
  if (reach === "project" || asker.isForOrganisation) return undefined;
  return refuse("key_not_permitted", "This key reaches its own project only.", { param: "reach" });
}
