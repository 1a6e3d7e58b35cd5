import type { Store } from "../store/index.ts";
import type { Tenancy } from "../tenancy/index.ts";

export interface FirstKey {
  readonly organisation: string;
  readonly project: string;
  /** The secret, to be shown once. */
  readonly key: string;
}

const name = "default";

/**
 * Makes the first organisation and project where there is none yet, and goes on where an earlier start was cut off. A
 * refusal is no failure: it says that the operator has made tenants of other names.
 */
export async function firstTenants(store: Store, tenancy: Tenancy): Promise<void> {
  if (await isEmpty(store, "organisations")) await tenancy.createOrganisation({ name, limits: {} });
  if (await isEmpty(store, "projects")) {
    await tenancy.createProject({ organisation: name, name, limits: {}, dataClass: "public" });
  }
}

/** Makes the first key where there is none yet, for whoever shows it at once: nobody sees it a second time. */
export async function firstKey(store: Store, tenancy: Tenancy): Promise<FirstKey | undefined> {
  if (!(await isEmpty(store, "keys"))) return undefined;
  const created = await tenancy.createKey({ project: `${name}/${name}`, name: "first", limits: {} });
  return "key" in created ? { organisation: name, project: name, key: created.key } : undefined;
}

async function isEmpty(store: Store, table: "organisations" | "projects" | "keys"): Promise<boolean> {
  return (await store.db.selectFrom(table).select("id").limit(1).executeTakeFirst()) === undefined;
}
