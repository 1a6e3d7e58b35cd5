import { createIds, createSalts, type Ids } from "../base/index.ts";
import type { Catalog } from "../catalog/index.ts";
import type { DestinationList } from "../destinations/index.ts";
import { createControl, createLogFiles, createRouter, type StageName } from "../gateway/index.ts";
import { type DataFolder, openDataFolder } from "../installation/index.ts";
import { Prefixes } from "../pool/index.ts";
import { digestKeyJwk } from "../receipt/index.ts";
import { serve } from "../request.ts";
import { type Call, type Cloud, Placements } from "../stages/index.ts";
import { createMeters } from "../telemetry/index.ts";
import { RateLimits } from "../tenancy/index.ts";
import { recordAcceleratorTime } from "./accelerator-time.ts";
import { openAlerts } from "./alerts.ts";
import { type Bookkeeping, openBookkeeping } from "./bookkeeping.ts";
import { readReceipt } from "./books.ts";
import { aboutLog, readProof } from "./transparency.ts";
import { retentionOf } from "./contents.ts";
import type { Stops } from "./database.ts";
import { theCatalog } from "./catalog.ts";
import { drain } from "./drain.ts";
import type { JoinedHosts } from "./joined.ts";
import { tellUnknownInternal } from "./ledger.ts";
import { openJoinedHosts } from "./joined-hosts.ts";
import { openEngines } from "./engines.ts";
import { Failed, failedBy } from "./failed.ts";
import { type FirstKey, firstKey, firstTenants } from "./first-tenants.ts";
import { type Behind, openFront } from "./front.ts";
import { createJurisdiction } from "./disclosing.ts";
import { createOperations, pageStatus } from "./operations.ts";
import type { BootOptions } from "./options.ts";
import { declaredSite } from "./declared-site.ts";
import { poolsOfHosts, reservedShares } from "./pool.ts";
import { settleOpenIntents } from "./recovery.ts";
import { refusalFor } from "./refusals.ts";
import { openReservations } from "./reservations.ts";
import { openResidency } from "./residency.ts";
import { Reserved } from "./reserved.ts";
import { identitiesOf, openRights } from "./rights.ts";
import { secretsOf } from "./secrets.ts";
import { serviceLevels } from "./service-levels.ts";
import { together } from "./together.ts";
import { upstreamsOf } from "./upstreams.ts";
import { messageOf } from "./words.ts";

/** Why a cloud did not come up, in words for the operator. */
export interface BootFailure {
  readonly outcome: "failed";
  readonly message: string;
  readonly next: string;
}

/** The signal came before the cloud was up. */
export interface BootStopped {
  readonly outcome: "stopped";
}

export interface RunningCloud {
  readonly outcome: "running";
  readonly url: string;
  /**
   * The first key, to be shown once. It is made when a model can be asked with it: before readiness, else when the
   * first upstream answers. Undefined where there are keys already. Rejects where it cannot be made.
   */
  readonly first: Promise<FirstKey | undefined>;
  readonly data: string;
  /** Public keys, as they are served. */
  readonly jwks: string;
  /** The names of the models that are served at the moment; those that chat come first. */
  models(): readonly string[];
  /** The upstreams that do not answer at the moment, and why. */
  waiting(): readonly { readonly name: string; readonly why: string }[];
  /** When each stage of the latest request was over, in milliseconds since its start. */
  stages(): ReadonlyMap<StageName, number>;
  /** Requests that run or wait. */
  inFlight(): number;
  /**
   * Stops taking requests, lets answers finish within the settings' bound, or until `hurry` is aborted, and leaves
   * nothing running.
   */
  stop(hurry: AbortSignal): Promise<void>;
}

/** Brings a cloud up on its data folder. A step that fails stops what was started before it. */
export async function boot(options: BootOptions): Promise<RunningCloud | BootFailure | BootStopped> {
  const stops: Stops = [];
  try {
    return await start(options, stops);
  } catch (error) {
    await stopAll(stops);
    if (options.signal.aborted) return { outcome: "stopped" };
    const failed = failedBy(error);
    if (failed !== undefined) return { outcome: "failed", message: failed.message, next: failed.next };
    throw error;
  }
}

async function stopAll(stops: Stops): Promise<void> {
  for (const stop of stops.splice(0).toReversed()) await stop();
}

async function start(options: BootOptions, stops: Stops): Promise<RunningCloud> {
  const { settings, clock, log, signal } = options;
  // What would fail at the end of a long start fails before it.
  secretsOf(options);
  const ids = createIds(clock);
  const served = Promise.withResolvers<void>();
  const upstreams = upstreamsOf(options, () => served.resolve());
  const folder = await ownFolder(options, stops);
  const front = await openFront(settings);
  stops.push(() => (front.destroy(), front.close()));
  folder.announce({ url: front.url, pid: process.pid });
  const catalog = await theCatalog(options, folder.path);
  const reserved = new Reserved();
  const [books, destinations] = await together(
    signal,
    () => openBookkeeping(options, folder, ids, stops),
    (failed) => openEngines(options, folder, catalog, upstreams, reserved, stops, failed),
  );
  signal.throwIfAborted();
  const onReady = (): void => served.resolve();
  const joined = await openJoinedHosts(
    { options, ids, folder, catalog, books, destinations, reserved, onReady },
    stops,
  );
  const running = await putTogether(
    { options, ids, folder, catalog, reserved, joined, url: front.url },
    books,
    destinations,
    stops,
  );
  const { cloud, behind } = running;
  // Last of all, so that no start that fails has made what nobody was shown.
  await firstTenants(books.store, books.tenancy);
  await tellUnknownInternal(books.ledger, options.log);
  const models = (): readonly string[] => servedModels(destinations);
  const makeKey = (): Promise<FirstKey | undefined> => firstKey(books.store, books.tenancy);
  const first = models().length > 0 ? Promise.resolve(await makeKey()) : served.promise.then(makeKey);
  // A start that takes long lets what it has read first grow old; whoever asks first would be told that the database is
  // away. Where it is, he is told so.
  await Promise.allSettled([books.directory.refresh(), books.inForce.refresh()]);
  front.open(behind);
  const { timeoutMs } = settings.drain;
  const inFlight = (): number => cloud.meters.inFlight;
  const stop = async (hurry: AbortSignal): Promise<void> => {
    running.startDraining();
    try {
      await drain({ clock, gateway: front, destinations, inFlight, timeoutMs, hurry });
      // What is durable reaches the database where that is there; else the next start ships it.
      await books.shipper.caughtUp(5_000);
    } finally {
      await stopAll(stops);
    }
  };
  void settleOpenIntents(cloud, log).catch((error: unknown) =>
    log.error({ reason: messageOf(error) }, "open requests of an earlier run could not be settled"),
  );
  return {
    outcome: "running",
    url: front.url,
    first,
    data: folder.path,
    jwks: books.signing.jwks(),
    models,
    waiting: () => upstreams.filter(({ ready }) => !ready).map(({ name, why }) => ({ name, why: why ?? "" })),
    stages: () => running.latest()?.stages ?? new Map(),
    inFlight,
    stop,
  };
}

/** What the start has found out before its parts are joined. */
interface Found {
  readonly options: BootOptions;
  readonly ids: Ids;
  readonly folder: DataFolder;
  readonly catalog: Catalog;
  readonly reserved: Reserved;
  readonly joined: JoinedHosts;
  readonly url: string;
}

interface Joined {
  readonly cloud: Cloud;
  readonly behind: Behind;
  /** The latest request. */
  latest(): Call | undefined;
  startDraining(): void;
}

/** Joins the parts to what answers requests. */
async function putTogether(
  { options, ids, folder, catalog, reserved, joined, url }: Found,
  books: Bookkeeping,
  destinations: DestinationList,
  stops: Stops,
): Promise<Joined> {
  const { settings, clock, log } = options;
  const { journal, shipper, directory, store, signing, sequencing } = books;
  const meters = createMeters({
    journal: () => ({
      ...journal.state(),
      lastSyncMs: journal.state().lastSyncMs ?? 0,
      unshippedRecords: shipper.waiting,
    }),
    destinations: () => destinations.all,
    directoryConfirmedAgoMs: () => directory.confirmedAgoMs,
    pools: () => poolsOfHosts(destinations.all, clock),
    reservedShares: () => reservedShares(reserved.all),
  });
  const prefixes = new Prefixes();
  const rights = await openRights(options, folder, { ...books, destinations, prefixes }, ids, stops);
  let draining = false;
  let latest: Call | undefined;
  const cloud: Cloud = {
    gateway: folder.gateway,
    site: declaredSite(settings.site),
    clock,
    newSalt: createSalts(),
    meanings: { ofWhole: settings.receipts.meanings !== "none", ofStreams: settings.receipts.meanings === "all" },
    directory,
    rateLimits: new RateLimits(clock),
    budgets: books.budgets,
    wallets: books.wallets.wallets,
    prices: books.ledger.prices,
    inForce: books.inForce,
    placements: new Placements(),
    serviceLevels: serviceLevels(settings.tiers),
    destinations,
    prefixes,
    reservedFor: reserved.holderOf,
    catalogued: new Set((await catalog.list()).map(({ entry }) => entry.name)),
    journal,
    books: shipper,
    transparency: sequencing,
    contents: {
      recordBytesMax: settings.contents.recordBytesMax,
      retention: retentionOf(settings),
      keep: (head, content) => rights.contents.keep(head, content),
    },
    meters,
    draining: () => draining,
    limits: { requestsInFlight: settings.limits.requestsInFlight, defaultMaxTokens: settings.limits.defaultMaxTokens },
    countsTimeoutMs: 30_000,
  };
  const failure = (what: string) => (error: unknown, request: string) => {
    log.error({ request, reason: messageOf(error) }, what);
    return refusalFor(error, request);
  };
  recordAcceleratorTime(options, store, () => destinations.all, stops);
  const onActive = reserved.follow;
  const residency = openResidency(options, books, destinations);
  const reservations = await openReservations({ ...options, ...books, ids, destinations, onActive }, stops);
  const alerts = await openAlerts(options, { ...books, meters, installation: folder.installation }, stops);
  const startedAtMs = clock.nowMs();
  const isReady = (): boolean => !draining && destinations.all.some(({ ready }) => ready);
  const parts = {
    ...options,
    ...books,
    alerts,
    reservations,
    reserved,
    residency,
    rights,
    joined,
    cloud,
    catalog,
    folder,
    startedAtMs,
    url: () => url,
    isReady,
  };
  const control = await createControl({
    version: options.version,
    identities: identitiesOf(folder, rights, directory),
    ids,
    clock,
    operations: createOperations(parts),
    metrics: async () => ({ contentType: meters.contentType, body: await meters.scrape() }),
    pageStatus: () => pageStatus(options, cloud, meters, draining ? "stopping" : isReady() ? "ready" : "not ready"),
    jurisdictionPage: createJurisdiction(parts).page,
    onFailure: failure("a control request failed"),
  });
  stops.push(() => control.close());
  const sources = { journal, shipper, store, clock, signing };
  const openai = createRouter({
    clock,
    ids,
    limits: { ...settings.limits, stallTimeoutMs: 60_000 },
    identify: (secret) => directory.identify(secret),
    serve: (call, answer) => {
      latest = call;
      return serve(call, answer, cloud);
    },
    listModels: (holder) => modelList(destinations, holder.limits, startedAtMs),
    findReceipt: (id, holder) => readReceipt(sources, id, holder.project.id),
    findProof: (id, holder) => readProof({ ...sources, sequencing }, id, holder.project.id),
    digestKey: (holder) => digestKeyJwk(holder.project.digestKey),
    onFailure: failure("a request failed"),
  });
  return {
    cloud,
    behind: {
      openai,
      control: (request, response) => control.handle(request, response),
      state: () => (draining ? "draining" : isReady() ? "ready" : "not_ready"),
      log: createLogFiles({
        read: (path) => sequencing.resource(path),
        onFailure: failure("a file of the transparency log could not be read"),
      }),
      jwks: () => signing.jwks(),
      aboutLog: () => aboutLog(sequencing),
    },
    latest: () => latest,
    startDraining: () => {
      draining = true;
    },
  };
}

/** The models that requests can be sent for at this moment. One that chats comes first: it is asked the first question. */
function servedModels(destinations: DestinationList): readonly string[] {
  const offers = destinations.all.filter(({ ready }) => ready).flatMap((destination) => [...destination.offers()]);
  const chat = (offer: (typeof offers)[number]): boolean => offer.endpoints.has("chat.completions");
  const names = [...offers.filter(chat), ...offers.filter((offer) => !chat(offer))].map(({ model }) => model);
  return [...new Set(names)];
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
  if (opened.outcome === "damaged") {
    throw new Failed(
      `${opened.path} is damaged, or this folder is something else's.`,
      "Restore a backup into another folder, or name another one with --data.",
    );
  }
  if (opened.outcome === "half-restored") {
    throw new Failed(
      `${opened.path} holds a part of an installation: a restore into it was cut off.`,
      "Run `npx bailiwick restore` into it again, or name another folder with --data.",
    );
  }
  stops.push(() => opened.folder.close());
  return opened.folder;
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
