import type { DestinationList } from "../destinations/index.ts";
import type { Serving } from "../reservations/index.ts";
import type { Cloud } from "../stages/index.ts";
import type { Tenancy } from "../tenancy/index.ts";
import { allProjects, mayReach } from "./network.ts";

interface Parts {
  readonly tenancy: Tenancy;
  readonly destinations: DestinationList;
  readonly inForce: Cloud["inForce"];
}

/**
 * Which projects policy permits at which device, those left out that it permits at every one: for these any device that is
 * free will do. A project that an upstream may serve is never without a place.
 */
export async function permittedDevices({ tenancy, destinations, inForce }: Parts): Promise<Serving> {
  const projects = await allProjects(tenancy);
  const hosts = destinations.all.filter(({ kind }) => kind === "host");
  const upstreams = destinations.all.filter(({ kind }) => kind === "upstream");
  const reaching = (places: typeof hosts) =>
    projects.filter((project) => places.some((place) => mayReach(project, place, { inForce }))).map(({ id }) => id);
  const bound = new Set(
    projects.filter((each) => !hosts.every((host) => mayReach(each, host, { inForce }))).map(({ id }) => id),
  );
  return {
    devices: hosts.map((host) => ({ name: host.name, models: reaching([host]).filter((id) => bound.has(id)) })),
    elsewhere: new Set(reaching(upstreams)),
  };
}
