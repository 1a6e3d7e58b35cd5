import type { Clock } from "../base/index.ts";
import type { Destination, PoolFigures, ToldPool } from "../engine/index.ts";
import type { PoolStatus } from "../gateway/index.ts";
import type { PoolOfHost } from "../telemetry/index.ts";

/** What goes on in the hosts, for the control API: what each last told, and how old that is. */
export function poolStatus(destinations: readonly Destination[], clock: Clock): PoolStatus {
  const nowMs = clock.monotonicMs();
  return {
    at: new Date(clock.nowMs()).toISOString(),
    hosts: destinations
      .filter(({ kind }) => kind === "host")
      .map(({ name, site, ready, why, pool }) => ({
        name,
        site: { name: site.name, jurisdiction: site.jurisdiction ?? null },
        ready,
        reason: why ?? null,
        ...told(pool, nowMs),
      })),
    upstreams: destinations
      .filter(({ kind }) => kind === "upstream")
      .map(({ name, site, ready, running }) => ({
        name,
        site: { name: site.name, jurisdiction: site.jurisdiction ?? null },
        ready,
        running,
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
