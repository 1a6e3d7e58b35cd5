import type { Transaction } from "kysely";
import { refuse, RefusalError } from "../base/index.ts";
import { classesOf, type PolicyDocument } from "../policy/index.ts";
import type { Database } from "../store/index.ts";
import type { PoliciesInput } from "./documents.ts";
import { findVersion } from "./versions.ts";

const namedMax = 20;

/**
 * Refuses a document that no longer declares a class that projects have: what protects their data would go with it. The
 * epoch of keys is held meanwhile, so that no project is given the class at the same time.
 */
export async function refuseDroppedClasses(
  transaction: Transaction<Database>,
  document: Pick<PolicyDocument, "dataClasses">,
): Promise<void> {
  await transaction.selectFrom("epochs").select("number").where("name", "=", "keys").forUpdate().execute();
  const dropped = (await declaredBefore(transaction)).filter((name) => !classesOf(document).has(name));
  if (dropped.length === 0) return;
  const rows = await transaction
    .selectFrom("projects")
    .innerJoin("organisations", "organisations.id", "projects.organisation")
    .select(["projects.name", "projects.dataClass", "organisations.name as organisationName"])
    .where("projects.dataClass", "in", dropped)
    .where("projects.erasedAt", "is", null)
    .orderBy("projects.id")
    .limit(namedMax + 1)
    .execute();
  if (rows.length === 0) return;
  const reasons = rows
    .slice(0, namedMax)
    .map(({ name, organisationName, dataClass }) => `project ${organisationName}/${name} has data of "${dataClass}"`);
  if (rows.length > namedMax) reasons.push("and more projects");
  const message = `The policies no longer declare a data class that projects have: ${reasons[0]}.`;
  throw new RefusalError(refuse("document_invalid", message, { reasons }));
}

/** It was valid when it was applied. */
async function declaredBefore(transaction: Transaction<Database>): Promise<readonly string[]> {
  const newest = await findVersion(transaction, "policies");
  if (newest === undefined) return [];
  const { document } = JSON.parse(newest.body) as PoliciesInput;
  const { dataClasses = [] } = document as Partial<PolicyDocument>;
  return dataClasses.map(({ name }) => name);
}
