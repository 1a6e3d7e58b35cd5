import { join } from "node:path";
import { type Clock, createIds, type HostId, refuse, type Refusal, withPrefix } from "../base/index.ts";
import { createCommandRunner, openCatalog } from "../catalog/index.ts";
import type { Settings } from "../config/index.ts";
import { DestinationList } from "../destinations/index.ts";
import { createControl, createRouter, listen, type StageName } from "../gateway/index.ts";
import { openDataFolder } from "../installation/index.ts";
import { folderDisk, openJournal } from "../journal/index.ts";
import { Budgets, createPriceBook } from "../ledger/index.ts";
import { createPolicy } from "../policy/index.ts";
import { digestKeyJwk, openSigningKeys } from "../receipt/index.ts";
import { serve } from "../request.ts";
import { createShipper } from "../shipping/index.ts";
import type { Call, Cloud } from "../stages/index.ts";
import { readWatermark } from "../store/index.ts";
import { createMeters } from "../telemetry/index.ts";
import { createDirectory, createTenancy, RateLimits } from "../tenancy/index.ts";
import { openDatabase } from "./database.ts";
import { Failed } from "./failed.ts";
import { readReceipt, seedBudgets, writeShipment } from "./books.ts";
import { readyModels } from "./models.ts";
import { createOperations, pageStatus } from "./operations.ts";
import { settleOpenIntents } from "./recovery.ts";
import type { Stops } from "./database.ts";
import { hostDestination, startOwnHost } from "./own-host.ts";
import type { BootOptions } from "./options.ts";
import { messageOf } from "./words.ts";
import { upstreamsOf } from "./upstreams.ts";
import { firstTenants, type FirstTenants } from "./first-tenants.ts";

/** Why a cloud did not come up, in words for the operator. */
export interface BootFailure {
  readonly outcome: "failed";
  readonly message: string;
  readonly next: string;
}

export interface RunningCloud {
  readonly outcome: "running";
  readonly url: string;
  /** Where the first run's key is, shown once; undefined on later runs. */
  readonly first: FirstTenants | undefined;
  readonly data: string;
  /** Public keys, as they are served. */
  readonly jwks: string;
  /** The names of the models that are served. */
  readonly models: readonly string[];
  /** When each stage of the latest request was over, in milliseconds since its start. */
  stages(): ReadonlyMap<StageName, number>;
  /** Stops taking requests, lets answers finish within the settings' bound, and leaves nothing running. */
  stop(): Promise<void>;
}

/** Brings a cloud up on its data folder. A step that fails stops what was started before it. */
export async function boot(options: BootOptions): Promise<RunningCloud | BootFailure> {
  const stops: (() => Promise<void> | void)[] = [];
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.toReversed()) await stop();
  };
  try {
    return await start(options, stops, stopAll);
  } catch (error) {
    await stopAll();
    if (error instanceof Failed) return { outcome: "failed", message: error.message, next: error.next };
    throw error;
  }
}

async function start(options: BootOptions, stops: Stops, stopAll: () => Promise<void>): Promise<RunningCloud> {
  const { settings, clock, log, onStep } = options;
  const ids = createIds(clock);
  const folder = await ownFolder(options, stops);
  const host: HostId = withPrefix("host", folder.gateway);
  onStep("database");
  const catalog = await theCatalog(options, folder.path);
  const [{ store, connection }, models] = await Promise.all([
    openDatabase(options, folder, stops),
    readyModels(settings, catalog, options.onPull, options.signal),
  ]);
  if (models.outcome === "refused") throw refused(models);
  const signing = openSigningKeys(join(folder.path, "signing-keys"), clock.nowMs());

  onStep("journal");
  const watermark = await readWatermark(store.db, folder.gateway);
  const journal = await openJournal({
    disk: await folderDisk(join(folder.path, "journal")),
    clock,
    installation: folder.installation,
    gateway: folder.gateway,
    segmentBytes: settings.journal.segmentBytes,
    seal: (payloads) => signing.seal(payloads),
    ...(watermark === undefined ? {} : { firstSegment: watermark.segment + 1 }),
  });
  stops.push(() => journal.close());
  const shipper = createShipper({
    journal,
    clock,
    from: watermark,
    waitingMax: settings.journal.unshippedRecords,
    write: (shipment) => writeShipment(store, folder.gateway, shipment),
    onFailure: (error, retryInMs) => log.warn({ retryInMs, reason: messageOf(error) }, "usage waits for the database"),
  });
  stops.push(() => shipper.close());

  onStep("tenants");
  const directory = await createDirectory({
    db: store.db,
    clock,
    whenAway: settings.database.whenAway,
    onFailure: (error) => log.warn({ reason: messageOf(error) }, "keys cannot be confirmed with the database"),
  });
  stops.push(() => directory.close());
  const tenancy = createTenancy({
    db: store.db,
    clock,
    ids,
    randomBytes: options.randomBytes,
    onChange: () => directory.refresh(),
    onFailure: (error) => log.warn({ reason: messageOf(error) }, "a change will be seen at the next confirmation"),
  });
  const first = await firstTenants(store, tenancy);
  const budgets = new Budgets(clock);
  await seedBudgets(budgets, store, journal, folder.gateway, clock.nowMs());

  onStep("engine");
  const hosts = models.models.length === 0 ? [] : [hostDestination(options, host)];
  const upstreams = upstreamsOf(options);
  const destinations = new DestinationList([...hosts, ...upstreams]);
  for (const upstream of upstreams) stops.push(() => upstream.close());
  const hostReady = hosts.map((destination) =>
    startOwnHost(options, folder.path, host, destination, models.models, stops),
  );
  await Promise.all([
    ...hostReady,
    within(
      clock,
      upstreamsStartMs,
      upstreams.map((upstream) => upstream.start()),
    ),
  ]);

  const meters = createMeters({
    journal: () => ({
      ...journal.state(),
      lastSyncMs: journal.state().lastSyncMs ?? 0,
      unshippedRecords: shipper.waiting,
    }),
    destinations: () => destinations.all,
    directoryConfirmedAgoMs: () => directory.confirmedAgoMs,
  });
  let draining = false;
  let latest: Call | undefined;
  const prices = createPriceBook(settings.prices);
  const cloud: Cloud = {
    gateway: folder.gateway,
    clock,
    directory,
    rateLimits: new RateLimits(clock),
    budgets,
    prices,
    policy: createPolicy(),
    destinations,
    journal,
    books: shipper,
    meters,
    draining: () => draining,
    limits: { requestsInFlight: settings.limits.requestsInFlight, defaultMaxTokens: settings.limits.defaultMaxTokens },
    countsTimeoutMs: 30_000,
  };
  const startedAtMs = clock.nowMs();
  const isReady = (): boolean => !draining && destinations.all.some(({ ready }) => ready);
  let url = "";
  const control = await createControl({
    version: options.version,
    operatorToken: folder.operatorToken,
    ids,
    operations: createOperations({
      ...options,
      cloud,
      store,
      connection,
      tenancy,
      catalog,
      shipper,
      folder,
      startedAtMs,
      url: () => url,
      isReady,
    }),
    metrics: async () => ({ contentType: meters.contentType, body: await meters.scrape() }),
    pageStatus: () => pageStatus(options, cloud, meters, isReady()),
    onFailure: (error, request) => log.error({ request, reason: messageOf(error) }, "a control request failed"),
  });
  stops.push(() => control.close());
  const router = createRouter({
    clock,
    ids,
    limits: { ...settings.limits, stallTimeoutMs: 60_000 },
    identify: (secret) => directory.identify(secret),
    serve: (call, answer) => {
      latest = call;
      return serve(call, answer, cloud);
    },
    listModels: (holder) => modelList(destinations, holder.limits, startedAtMs),
    findReceipt: (id, holder) => readReceipt({ journal, shipper, store }, id, holder.project.id),
    digestKey: (holder) => digestKeyJwk(holder.project.digestKey),
    onFailure: (error, request) => {
      log.error({ request, reason: messageOf(error) }, "a request failed");
      return refusalOf(error, request);
    },
  });
  const json = (status: number, value: unknown) => ({ status, body: JSON.stringify(value) });
  onStep("gateway");
  const gateway = await listen({
    ...settings.listen,
    limits: settings.limits,
    openai: router,
    control: (request, response) => control.handle(request, response),
    plain: new Map([
      ["/healthz", () => json(200, { status: "ok" })],
      [
        "/readyz",
        () => (isReady() ? json(200, { status: "ready" }) : json(503, { status: draining ? "draining" : "starting" })),
      ],
      ["/.well-known/bailiwick/keys", () => ({ status: 200, body: signing.jwks() })],
    ]),
  }).catch((error: NodeJS.ErrnoException) => {
    throw listenFailure(error, settings);
  });
  url = gateway.url;
  stops.push(async () => {
    draining = true;
    const closed = gateway.close();
    const cancel = clock.after(settings.drain.timeoutMs, () => gateway.destroy());
    await closed;
    cancel();
    await settled(clock, () => meters.inFlight === 0);
    // What is durable reaches the database where that is there; else the next start ships it.
    await shipper.caughtUp(5_000);
  });
  folder.announce({ url, pid: process.pid });
  void settleOpenIntents(cloud, log).catch((error: unknown) =>
    log.error({ reason: messageOf(error) }, "open requests of an earlier run could not be settled"),
  );
  return {
    outcome: "running",
    url,
    models: [...destinations.models()],
    first,
    data: folder.path,
    jwks: signing.jwks(),
    stages: () => latest?.stages ?? new Map(),
    stop: stopAll,
  };
}

/** How long a start waits for upstreams: one that never answers is watched on, and holds nobody else up. */
const upstreamsStartMs = 5_000;

async function within(clock: Clock, limitMs: number, tasks: readonly Promise<void>[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(limitMs, resolve);
  await Promise.race([Promise.all(tasks), promise]);
  cancel();
}

async function ownFolder(options: BootOptions, stops: Stops) {
  const opened = await openDataFolder({
    path: options.data,
    ids: createIds(options.clock),
    randomBytes: options.randomBytes,
    temporaryFolder: options.temporaryFolder,
    platform: options.platform,
  });
  if (opened.outcome === "taken") {
    throw new Failed(
      `Another Bailiwick runs on ${opened.path}.`,
      "Stop it first, or give this one a data folder of its own with --data.",
    );
  }
  stops.push(() => opened.folder.close());
  return opened.folder;
}

async function theCatalog(options: BootOptions, data: string) {
  const { settings, clock, environment } = options;
  const opened = await openCatalog({
    folder: settings.models.folder ?? join(data, "models"),
    entries: settings.models.entries,
    clock,
    environment,
    runCommand: createCommandRunner(clock),
    hub: { url: settings.models.huggingFaceUrl, accessToken: environment["HF_TOKEN"], dispatcher: undefined },
  });
  if (opened.outcome === "refused") throw refused(opened);
  return opened.catalog;
}

function modelList(
  destinations: DestinationList,
  limits: readonly { readonly models: readonly string[] | undefined }[],
  startedAtMs: number,
) {
  return [...destinations.models()]
    .filter((model) => limits.every(({ models }) => models === undefined || models.includes(model)))
    .map((id) => ({ id, object: "model", created: Math.floor(startedAtMs / 1_000), owned_by: "bailiwick" }));
}

function listenFailure(error: NodeJS.ErrnoException, settings: Settings): Error {
  const { host, port } = settings.listen;
  if (error.code === "EADDRINUSE") {
    return new Failed(`Port ${port} on ${host} is in use.`, "Choose another with --port, or stop what listens there.");
  }
  if (error.code === "EACCES" || error.code === "EADDRNOTAVAIL") {
    return new Failed(`Cannot listen on ${host}, port ${port}: ${error.code}.`, "Choose another --host or --port.");
  }
  return error;
}

function refused(refusal: Refusal): Failed {
  return new Failed(
    [refusal.message, ...(refusal.reasons ?? [])].join("\n  "),
    "`bailiwick doctor` says what is missing.",
  );
}

function refusalOf(error: unknown, request: string): Refusal {
  const refusal = (error as { refusal?: Refusal } | null)?.refusal;
  return refusal ?? refuse("internal_error", `Something failed here; the request is ${request}.`);
}

async function settled(clock: Clock, holds: () => boolean): Promise<void> {
  for (let waits = 0; waits < 100 && !holds(); waits++) await new Promise<void>((resolve) => clock.after(50, resolve));
}
