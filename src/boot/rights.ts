import { type AuditLog, createAuditLog } from "../audit/index.ts";
import { type Ids, refuse, type Refusal } from "../base/index.ts";
import type { Contents } from "../contents/index.ts";
import type { ControlIdentities, Operations } from "../gateway/index.ts";
import type { DataFolder } from "../installation/index.ts";
import type { InForce } from "../residency/index.ts";
import { createGrants, createOperators, firstOperator, type Grants, type Operators } from "../staff/index.ts";
import type { Store } from "../store/index.ts";
import type { Directory, Tenancy } from "../tenancy/index.ts";
import { contentsIn } from "./contents.ts";
import type { Stops } from "./database.ts";
import { declaredSite } from "./declared-site.ts";
import { dataOwner } from "./explaining.ts";
import type { BootOptions } from "./options.ts";

/** What operators and tenants may ask for beside the service itself. */
export interface Rights {
  readonly operators: Operators;
  readonly audit: AuditLog;
  readonly contents: Contents;
  readonly grants: Grants;
  readonly support: Operations["support"];
}

interface Books {
  readonly store: Store;
  readonly tenancy: Tenancy;
  readonly inForce: InForce;
}

export async function openRights(
  options: BootOptions,
  folder: DataFolder,
  books: Books,
  ids: Ids,
  stops: Stops,
): Promise<Rights> {
  const { clock, randomBytes } = options;
  const { store } = books;
  const { db } = store;
  const audit = createAuditLog({ db, clock });
  const operators = createOperators({ db, clock, ids, randomBytes });
  const grants = createGrants({ db, clock, ids, operators });
  const contents = await contentsIn(options, folder, { store, audit, ids }, stops);
  const support = { ...grants, refusalFor: supportRefusal(options, books, grants) };
  return { operators, audit, contents, grants, support };
}

/** A grant is one half of it; policy, which knows from where staff may look at what, is the other. */
function supportRefusal(
  { settings }: BootOptions,
  { tenancy, inForce }: Books,
  grants: Grants,
): Operations["support"]["refusalFor"] {
  const site = declaredSite(settings.site);
  const place = { kind: "site" as const, name: site.name, site };
  return async ({ name, country }, reference): Promise<Refusal | undefined> => {
    const project = await tenancy.showProject(reference);
    if ("outcome" in project) return project;
    const isGranted = await grants.holds(name, project.id);
    if (!isGranted) return refuse("grant_missing", "No grant that this tenant has approved holds for you now.");
    const staff = { name, from: country ?? undefined, isGranted };
    const question = { action: "support-access" as const, project: dataOwner(project), staff, model: "any model" };
    const decision = inForce.policy.decide(question, [place]);
    if (decision.outcome === "permitted") return undefined;
    const reasons = decision.rejected.map(({ explanation }) => explanation);
    return refuse("no_permitted_site", "Policy does not permit this look at the project's data.", { reasons });
  };
}

/** Whom the control API's secrets belong to. */
export function identitiesOf(folder: DataFolder, { operators }: Rights, directory: Directory): ControlIdentities {
  return {
    operatorToken: folder.operatorToken,
    operatorName: firstOperator,
    findOperator: (token) => operators.find(token),
    identify: (secret) => directory.identify(secret),
  };
}
