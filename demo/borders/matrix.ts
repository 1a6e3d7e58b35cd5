/** Each kind of data from each tenant, and what tries to get around a border. */
import { send, type Sent } from "./asking.ts";
import type { Borders } from "./cloud.ts";
import { dataClasses } from "./tenants.ts";

/** One after the other, so that each goes where it comes first. */
export async function sendEachClass(borders: Borders): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  for (const access of borders.tenants) {
    for (const dataClass of dataClasses) sent.push(await send(borders, { access, dataClass, step: "each class" }));
  }
  return sent;
}

/** What a tenant's headers say takes away and never adds: these would be permitted in the United States. */
export async function sendWidening(borders: Borders): Promise<readonly Sent[]> {
  const wide = { "bailiwick-processing": "US", "bailiwick-regimes": "open", "bailiwick-legal-basis": "consent" };
  const sent: Sent[] = [];
  for (const access of borders.tenants.filter(({ tenant }) => !tenant.permitted.public.includes("us"))) {
    const step = "its headers ask for more than it may";
    sent.push(await send(borders, { access, step, dataClass: "public", permitted: [], headers: wide }));
  }
  return sent;
}
