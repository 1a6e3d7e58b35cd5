import type { Clock, Ids } from "../base/index.ts";
import type { DestinationList } from "../destinations/index.ts";
import type { Destination } from "../engine/index.ts";
import {
  type ActiveReservation,
  createActiveReservations,
  createReservations,
  type Reservations,
  type Serving,
} from "../reservations/index.ts";
import type { Cloud } from "../stages/index.ts";
import type { Store } from "../store/index.ts";
import type { Log } from "../telemetry/index.ts";
import type { Tenancy } from "../tenancy/index.ts";
import type { Stops } from "./database.ts";
import { permittedDevices } from "./permitted-devices.ts";
import { messageOf } from "./words.ts";

interface Parts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly store: Store;
  readonly tenancy: Tenancy;
  readonly destinations: DestinationList;
  readonly inForce: Cloud["inForce"];
  /** Hears of all reservations that are active, each time that they are others than before. */
  readonly onActive: (active: readonly ActiveReservation[]) => void;
}

/** Reservations, and who follows which of them are active. */
export async function openReservations(parts: Parts, stops: Stops): Promise<Reservations> {
  const { clock, ids, log, store, tenancy, destinations, onActive } = parts;
  const active = await createActiveReservations({
    db: store.db,
    clock,
    onChange: onActive,
    onFailure: (error) => log.warn({ reason: messageOf(error) }, "reservations cannot be confirmed with the database"),
  });
  stops.push(() => active.close());
  return createReservations({
    db: store.db,
    clock,
    ids,
    tenancy,
    serving: () => servingOf(destinations),
    permitted: () => permittedDevices(parts),
    onChange: () => active.refresh(),
    onFailure: (error) => log.warn({ reason: messageOf(error) }, "a reservation will be seen at the next confirmation"),
  });
}

/** What an upstream runs on is not ours to give. */
function servingOf({ all }: DestinationList): Serving {
  const modelsOf = (destination: Destination): readonly string[] => [...destination.offers()].map(({ model }) => model);
  return {
    devices: all.filter(({ kind }) => kind === "host").map((host) => ({ name: host.name, models: modelsOf(host) })),
    elsewhere: new Set(all.filter(({ kind }) => kind === "upstream").flatMap(modelsOf)),
  };
}
