import type { Clock } from "../base/index.ts";
import type { Destination, PoolFigures, ToldPool } from "../engine/index.ts";
import type { PoolStatus } from "../gateway/index.ts";
import type { ActiveReservation } from "../reservations/index.ts";
import type { PoolOfHost, ReservedShare } from "../telemetry/index.ts";

/** What goes on in the hosts, for the control API: what each last told, and how old that is. */
export function poolStatus(
  destinations: readonly Destination[],
  reserved: readonly ActiveReservation[],
  clock: Clock,
): PoolStatus {
  const nowMs = clock.monotonicMs();
  return {
    at: new Date(clock.nowMs()).toISOString(),
    hosts: destinations
      .filter(({ kind }) => kind === "host")
      .map(({ name, site, ready, why, pool, faults }) => ({
        name,
        site: { name: site.name, jurisdiction: site.jurisdiction ?? null },
        ready,
        reason: why ?? null,
        ...told(pool, nowMs),
        faults: [...faults],
      })),
    upstreams: destinations
      .filter(({ kind }) => kind === "upstream")
      .map(({ name, site, ready, running }) => ({
        name,
        site: { name: site.name, jurisdiction: site.jurisdiction ?? null },
        ready,
        running,
      })),
    reserved: reserved.map(({ id, project, device, share, untilMs }) => ({
      reservation: id,
      project,
      device: device ?? null,
      share: share ?? null,
      until: new Date(untilMs).toISOString(),
    })),
  };
}

/** The same for metrics. A host that is away is left out: what it held, it holds no more. */
export function poolsOfHosts(destinations: readonly Destination[], clock: Clock): readonly PoolOfHost[] {
  const nowMs = clock.monotonicMs();
  return destinations.flatMap(({ name, ready, pool }) =>
    ready && pool !== undefined ? [{ host: name, ageMs: nowMs - pool.toldAtMs, pool: pool.pool }] : [],
  );
}

/** How much of the pool each project has reserved, for metrics; whole devices are no share of it. */
export function reservedShares(reserved: readonly ActiveReservation[]): readonly ReservedShare[] {
  const shares = Map.groupBy(
    reserved.filter(({ share }) => share !== undefined),
    ({ project }) => project,
  );
  return [...shares].map(([project, own]) => {
    const sum = own.reduce((total, each) => total + each.share!, 0);
    return { project, share: Number(sum.toFixed(6)) };
  });
}

type Told = Pick<PoolStatus["hosts"][number], "ageMs" | "upForMs" | "pool">;

function told(figures: PoolFigures | undefined, nowMs: number): Told {
  if (figures === undefined) return { ageMs: null, upForMs: null, pool: null };
  const { toldAtMs, upForMs } = figures;
  return { ageMs: Math.round(nowMs - toldAtMs), upForMs: Math.round(upForMs), pool: onTheWire(figures.pool) };
}

/** What a host leaves out is null in the control API, as everywhere in it. */
function onTheWire({ device, models, pending, totals }: ToldPool): Told["pool"] {
  return {
    device: { ...device, turn: device.turn ?? null, loading: device.loading ?? null },
    models: models.map((model) => ({
      ...model,
      keepWarmMs: model.keepWarmMs ?? null,
      unloadAfterMs: model.unloadAfterMs ?? null,
      slackMs: model.slackMs ?? null,
      idleMs: model.idleMs ?? null,
    })),
    pending,
    totals: { ...totals },
  };
}
