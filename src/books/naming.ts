import type { Kysely } from "kysely";
import type { OrganisationId } from "../base/index.ts";
import type { Database } from "../store/index.ts";
import { organisationNames, organisationsOf } from "./organisations.ts";
import { type KeptBook, renamed } from "./prices.ts";

/** A price book as it is applied now to say the same: an organisation that it calls by name has the name of today. */
export async function namedToday(db: Kysely<Database>, { document, customers }: KeptBook): Promise<KeptBook> {
  const names = await organisationNames(db, Object.values(customers) as OrganisationId[]);
  const nameOf = (customer: string): string => {
    const id = Object.hasOwn(customers, customer) ? customers[customer]! : customer;
    // Whom it calls by the id, it means by the id.
    return id === customer ? customer : (names.get(id) ?? customer);
  };
  const now = Object.entries(customers).map(([name, id]) => [nameOf(name), id]);
  return { document: renamed(document, nameOf), customers: Object.fromEntries(now) as Record<string, string> };
}

/**
 * The ids of those organisations that a price book names, or what is wrong with its names: an organisation that is not there, or a
 * name that was another organisation's in the version before, whose terms would go over to who is called so by now.
 */
export async function customersOf(
  db: Kysely<Database>,
  named: readonly string[],
  before: KeptBook,
): Promise<{ readonly customers: Record<string, string>; readonly reasons: readonly string[] }> {
  const ids = await organisationsOf(db, named);
  const known = new Set<string>(named.flatMap((name) => ids.get(name) ?? []));
  const earlier = (name: string): string | undefined =>
    Object.hasOwn(before.customers, name) ? before.customers[name] : undefined;
  const names = await organisationNames(db, named.flatMap((name) => earlier(name) ?? []) as OrganisationId[]);
  const reasons = named.flatMap((name) => {
    const [id, was] = [ids.get(name), earlier(name)];
    const told = JSON.stringify(name);
    const today = was === undefined ? undefined : names.get(was);
    if (id === undefined) {
      const hint = today === undefined ? "" : `: who was called so is ${JSON.stringify(today)} now`;
      return [`there is no organisation ${told}${hint}`];
    }
    // Where both are named, it is clear who is meant.
    if (was === undefined || was === id || known.has(was)) return [];
    const other = today === undefined ? was : `${was}, which is ${JSON.stringify(today)} now`;
    return [`${told} was ${other}, and is ${id} by now: name the one that is meant by its id`];
  });
  return {
    customers: Object.fromEntries(named.flatMap((name) => (ids.has(name) ? [[name, ids.get(name)!]] : []))),
    reasons,
  };
}
