import { device, loads, overloadPolicies, overloadScenes, type Scene, capacityName } from "./matrix.ts";
import type { Found, Row, ShareResult, ShareRow, TenantCount } from "./row.ts";
import type { Results } from "./results.ts";
import type { Extent } from "./workloads.ts";

export function overloadName({ title }: Scene, policy: string, load: number): string {
  return `overload/${title}/${policy}/${load}`;
}

/** Each policy on the fleet that it needs for 99 % at a load of 1, set up as it was there. */
export function overloadRows(results: Results, extent: Extent): readonly Row[] {
  return overloadScenes.flatMap((scene) =>
    overloadPolicies.flatMap((policy) => {
      const found = fleetOf(results, scene, policy);
      if (found === undefined) return [];
      return loads.map((load): ShareRow => {
        const { accelerators, variant } = found;
        const setting = { ...scene.setting, switchCost: "link" } as const;
        const name = overloadName(scene, policy, load);
        return { kind: "share", name, setting, extent, fleet: `${accelerators}x${device}`, policy, variant, load };
      });
    }),
  );
}

export function fleetOf(results: Results, scene: Scene, policy: string): Found | undefined {
  return results.capacity(capacityName(scene, "link", policy))?.found[1] ?? undefined;
}

/** Requests/s that were met strictly. */
export function goodput({ tenants, arrivalSeconds }: ShareResult): number {
  return tenants.reduce((sum, { met }: TenantCount) => sum + met, 0) / arrivalSeconds;
}

/** The most requests/s that a policy met at this load or a lower one: what the fleet is known to do. Undefined: not run. */
export function mostUpTo(results: Results, scene: Scene, policy: string, load: number): number | undefined {
  const known = loads
    .filter((each) => each <= load)
    .flatMap((each) => results.share(overloadName(scene, policy, each)) ?? []);
  return known.length === 0 ? undefined : Math.max(...known.map(goodput));
}

/** The least of goodput as a share of the most at a lower load: below 1 where it falls. Undefined: not run. */
export function kept(results: Results, scene: Scene, policy: string): number | undefined {
  const shares = loads.flatMap((load): number[] => {
    const at = results.share(overloadName(scene, policy, load));
    const most = mostUpTo(results, scene, policy, load);
    return at === undefined || most === undefined ? [] : [goodput(at) / most];
  });
  return shares.length === 0 ? undefined : Math.min(...shares);
}

/**
 * Who fared worst of the tenants, as a share of what is fair: what it asked for, or an equal part of what was met,
 * whichever is less.
 */
export function worstFairShare({ tenants }: ShareResult): number {
  const equalPart = tenants.reduce((sum, { met }: TenantCount) => sum + met, 0) / tenants.length;
  return Math.min(1, ...tenants.map(({ requests, met }) => met / Math.min(requests, equalPart)));
}

/** Share of the requests that were taken and had a token too late, or none. */
export function acceptedButMissed({ figures: { requests, refused }, tenants }: ShareResult): number {
  const met = tenants.reduce((sum, tenant) => sum + tenant.met, 0);
  return (requests - refused - met) / requests;
}
