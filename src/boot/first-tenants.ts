import { RefusalError } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import type { Tenancy } from "../tenancy/index.ts";

export interface FirstTenants {
  readonly organisation: string;
  readonly project: string;
  /** The first key's secret, to be shown once. */
  readonly key: string;
}

const name = "default";

/** Makes the first organisation, project and key where there is no organisation yet. */
export async function firstTenants(store: Store, tenancy: Tenancy): Promise<FirstTenants | undefined> {
  const any = await store.db.selectFrom("organisations").select("id").limit(1).executeTakeFirst();
  if (any !== undefined) return undefined;
  const limits = {};
  orThrow(await tenancy.createOrganisation({ name, limits }));
  orThrow(await tenancy.createProject({ organisation: name, name, limits, dataClass: "public" }));
  const created = orThrow(await tenancy.createKey({ project: `${name}/${name}`, name: "first", limits }));
  return { organisation: name, project: name, key: created.key };
}

function orThrow<Made>(made: Made): Exclude<Made, { outcome: "refused" }> {
  const refusal = made as { readonly outcome?: unknown };
  if (refusal.outcome === "refused") throw new RefusalError(made as never);
  return made as Exclude<Made, { outcome: "refused" }>;
}
