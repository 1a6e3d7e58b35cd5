import { inTurn, modelNames } from "./dealing.ts";
import type { Mapping } from "./mapping.ts";
import type { Client } from "./servegen-clients.ts";
import type { ClientLengths } from "./servegen-lengths.ts";
import { WorkloadError } from "./workload.ts";

/** A client with what was decided for it. */
export interface Casting {
  readonly client: Client;
  readonly model: string;
  readonly tenant: string;
  readonly lengths: ClientLengths;
  /** The lengths are another client's. */
  readonly isBorrowing: boolean;
}

/**
 * Gives each client a model, a tenant and lengths. Clients are dealt to models in turn, the busiest first; that goes by
 * the whole file, so that a client has the same model at any time of day. Who has no lengths gets those of the client
 * with lengths that is nearest in rate.
 */
export function castClients(
  path: string,
  clients: readonly Client[],
  lengths: ReadonlyMap<number, ClientLengths>,
  { models, clientsAreTenants }: Mapping,
): readonly Casting[] {
  const names = modelNames(models);
  const busiest = clients.toSorted((a, b) => b.requests - a.requests || a.id - b.id);
  const modelOf = new Map(busiest.map(({ id }, index) => [id, inTurn(names, index)]));
  const lenders = clients.filter(({ id }) => lengths.has(id));
  if (lenders.length === 0) throw new WorkloadError(`${path}: the lengths beside it are none of its clients'`);
  return clients.map((client) => {
    const own = lengths.get(client.id);
    const model = modelOf.get(client.id)!;
    return {
      client,
      model,
      tenant: clientsAreTenants ? `client-${client.id}` : model,
      lengths: own ?? lengths.get(nearestInRate(lenders, client).id)!,
      isBorrowing: own === undefined,
    };
  });
}

/** Of two as near the one with the lower id. */
function nearestInRate(lenders: readonly Client[], { requests }: Client): Client {
  const away = (lender: Client): number => Math.abs(lender.requests - requests);
  return lenders.reduce((best, lender) => (away(lender) < away(best) ? lender : best));
}
