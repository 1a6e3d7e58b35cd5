import { type Clock, type HostId, withPrefix } from "../base/index.ts";
import type { Catalog } from "../catalog/index.ts";
import { DestinationList } from "../destinations/index.ts";
import type { Upstream } from "../engine/index.ts";
import type { DataFolder } from "../installation/index.ts";
import type { Stops } from "./database.ts";
import { declaredSite } from "./declared-site.ts";
import { cannotServe, readyModels } from "./models.ts";
import type { BootOptions } from "./options.ts";
import type { Reserved } from "./reserved.ts";
import { hostDestination, openSocketFolder, startOwnHost, watcherFor } from "./own-host.ts";

/** How long a start waits for upstreams: one that never answers is watched on, and holds nobody else up. */
const upstreamsStartMs = 5_000;

/**
 * Has the models, starts this machine's host with them, and asks the upstreams what they offer. Rejects where a model
 * cannot be had or the host does not come up; upstreams may come later. What it started is in `stops` also then.
 */
export async function openEngines(
  options: BootOptions,
  folder: DataFolder,
  catalog: Catalog,
  upstreams: readonly Upstream[],
  reserved: Reserved,
  stops: Stops,
  signal: AbortSignal,
): Promise<DestinationList> {
  const { settings, clock } = options;
  for (const upstream of upstreams) stops.push(() => upstream.close());
  const starting = within(
    clock,
    upstreamsStartMs,
    upstreams.map((upstream) => upstream.start()),
  );
  const ready = await readyModels(settings, catalog, options.onPull, signal);
  if (ready.outcome === "refused") throw cannotServe(ready);
  const { models, faults } = ready;
  const socketFolder = await openSocketFolder(options, stops);
  // Whoever stops what was started waits for this moment, and for none behind it.
  signal.throwIfAborted();
  const host: HostId = withPrefix("host", folder.gateway);
  const site = declaredSite(settings.site);
  const hosts = models.length === 0 ? [] : [hostDestination(options, host, () => site)];
  if (models.length > 0) options.onStep(`loading ${models.map(({ name }) => name).join(", ")}`);
  const reservations = () => reserved.ofHost(host);
  const loading = hosts.map((destination) =>
    startOwnHost(
      options,
      { host, data: folder.path, socketFolder, models, faults, watcher: watcherFor(destination), reservations },
      stops,
    ),
  );
  await orAborted(Promise.all([...loading, starting]), signal);
  return new DestinationList([...hosts, ...upstreams]);
}

/** Nobody waits any more once the signal is aborted; what runs is stopped by others. */
async function orAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const aborted = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", aborted, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", aborted);
  }
}

async function within(clock: Clock, limitMs: number, tasks: readonly Promise<void>[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(limitMs, resolve);
  await Promise.race([Promise.all(tasks), promise]);
  cancel();
}
