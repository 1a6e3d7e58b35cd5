/** For tests: a database with one organisation and two projects, and reservations over it under a clock that stands. */
import { randomBytes } from "node:crypto";
import { createIds, ManualClock, type ProjectId, type Refusal, systemClock } from "../base/index.ts";
import { openStore, type Store } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { createTenancy } from "../tenancy/index.ts";
import { createReservations, type Reservations } from "./index.ts";

export interface Ground {
  readonly store: Store;
  readonly clock: ManualClock;
  readonly reservations: Reservations;
  readonly project: ProjectId;
  /** Calls of `onChange`. */
  readonly changes: { count: number };
}

interface GroundOptions {
  readonly otherOnlyAt?: string;
  readonly hasDevices?: boolean;
}

export const noon = "2026-12-01T12:00:00.000Z";
const ids = createIds(systemClock);

const never = { public: 0, internal: 0, personal: 0, "special-category": 0, restricted: 0 };

export class TemporaryGround {
  readonly #postgres: TemporaryPostgres;
  readonly #stores: Store[] = [];

  constructor(postgres: TemporaryPostgres) {
    this.#postgres = postgres;
  }

  static async start(): Promise<TemporaryGround> {
    return new TemporaryGround(await temporaryPostgres());
  }

  /** A database of its own; the devices are host_A and host_B, which both serve "shared"; "up" can be had elsewhere too. Policy may permit "other" at one device only, and there may be upstreams alone. */
  async fresh({ otherOnlyAt, hasDevices = true }: GroundOptions = {}): Promise<Ground> {
    const connection = await this.#postgres.emptyDatabase();
    const clock = new ManualClock(Date.parse(noon));
    const store = await openStore({ connection, installation: ids.mint("inst"), clock, log: () => undefined });
    if (store.outcome === "refused") throw new Error(store.message);
    this.#stores.push(store);
    const common = { db: store.db, clock, ids, onFailure: (error: unknown) => void error };
    const tenancy = createTenancy({
      ...common,
      randomBytes: (count) => randomBytes(count),
      known: () => ({
        groups: {},
        regimes: new Set(),
        document: { dataClasses: [] },
        retention: { usualSeconds: never, mostSeconds: never },
      }),
      onChange: () => Promise.resolve(),
    });
    await tenancy.createOrganisation({ name: "ministry", limits: {} });
    const project = granted(await tenancy.createProject({ organisation: "ministry", name: "app", limits: {} }));
    const other = granted(await tenancy.createProject({ organisation: "ministry", name: "other", limits: {} }));
    const changes = { count: 0 };
    const reservations = createReservations({
      ...common,
      tenancy,
      serving: () => ({
        devices: hasDevices
          ? [
              { name: "host_A", models: ["shared", "up"] },
              { name: "host_B", models: ["shared", "only-b"] },
            ]
          : [],
        elsewhere: new Set(["up"]),
      }),
      permitted: () =>
        Promise.resolve({
          devices: ["host_A", "host_B"].map((name) => ({ name, models: name === otherOnlyAt ? [other.id] : [] })),
          elsewhere: new Set(),
        }),
      onChange: () => {
        changes.count++;
        return Promise.resolve();
      },
    });
    return { store, clock, reservations, project: project.id as ProjectId, changes };
  }

  async remove(): Promise<void> {
    for (const store of this.#stores) await store.close();
    await this.#postgres.remove();
  }
}

export function granted<Result>(result: Result | Refusal): Exclude<Result, Refusal> {
  if (typeof result === "object" && result !== null && "outcome" in result) throw new Error(JSON.stringify(result));
  return result as Exclude<Result, Refusal>;
}
