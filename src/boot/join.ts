import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { lockFolder, makeFolder } from "../installation/index.ts";
import { type NetworkAddress, Seldom } from "../base/index.ts";
import { hostProtocol } from "../host/index.ts";
import { type Announcement, askToJoin, type Joined } from "../membership/index.ts";
import { type Identity, openFront, openIdentity, PeerNotTrusted } from "../tls/index.ts";
import { theCatalog } from "./catalog.ts";
import type { Stops } from "./database.ts";
import { Failed, failedBy, refused } from "./failed.ts";
import { identityFolder } from "./identity-folder.ts";
import { type JoinNote, readJoinNote, writeJoinNote } from "./join-note.ts";
import { cannotServe, readyModels } from "./models.ts";
import type { BootOptions } from "./options.ts";
import { type HostWatcher, openSocketFolder, startOwnHost } from "./own-host.ts";
import { messageOf } from "./words.ts";

/** Of what strangers bring about, one is logged in so long. */
const strangersEveryMs = 60_000;

export interface JoinOptions extends BootOptions {
  /** Where the gateway listens for machines that join. */
  readonly gateway: NetworkAddress;
  /** What the token holds; undefined: this machine has joined before. */
  readonly token: { readonly secret: string; readonly gateway: string } | undefined;
  /** The site that this machine takes itself to be at. */
  readonly claimedSite: string | undefined;
  readonly listen: NetworkAddress;
  /** Where the gateway reaches `listen`; undefined: at the address that it sees. */
  readonly address: NetworkAddress | undefined;
}

export interface RunningHost {
  readonly outcome: "running";
  readonly joined: Joined;
  readonly models: readonly string[];
  /** Takes nothing new, and lets answers end within the settings' bound, or until `hurry` is aborted. */
  stop(hurry: AbortSignal): Promise<void>;
}

export type JoinOutcome =
  | RunningHost
  | { readonly outcome: "failed"; readonly code: string; readonly message: string; readonly next: string }
  | { readonly outcome: "stopped" };

/** Makes this machine a host of a cloud, and runs it. A step that fails stops what was started before it. */
export async function joinCloud(options: JoinOptions): Promise<JoinOutcome> {
  const stops: Stops = [];
  try {
    return await start(options, stops);
  } catch (error) {
    for (const stop of stops.toReversed()) await stop();
    if (options.signal.aborted) return { outcome: "stopped" };
    const failed = failedBy(error);
    if (failed === undefined) throw error;
    return { outcome: "failed", code: failed.code, message: failed.message, next: failed.next };
  }
}

async function start(options: JoinOptions, stops: Stops): Promise<RunningHost> {
  const { log, signal, settings } = options;
  const data = await ownFolder(options, stops);
  const identity = await openIdentity(join(data, identityFolder), "bailiwick host");
  const note = readJoinNote(data);
  const gatewayKey = keyOfGateway(options, note, data);
  let socketPath: string | undefined;
  const strangers = new Seldom(options.clock, strangersEveryMs);
  const front = await openFront({
    identity,
    listen: options.listen,
    accepts: gatewayKey,
    socketPath: () => socketPath,
    connections: settings.limits.connections,
    onStranger: (fingerprint) =>
      strangers.tell("stranger", (untold) =>
        log.warn({ fingerprint, untold }, "a connection of somebody who is not the gateway was closed"),
      ),
  }).catch((error: unknown) => {
    throw new Failed(`This machine cannot listen there: ${messageOf(error)}.`, "Choose another --listen.");
  });
  stops.push(() => front.destroy());
  options.onStep(`joining ${options.gateway.host}`);
  const announcement = announcementOf(options, front.address.port);
  const joined = await introduce(options, { identity, note, gatewayKey, announcement, data });
  signal.throwIfAborted();
  const { models, faults } = await modelsOf(options, data);
  if (models.length > 0) options.onStep(`loading ${models.map(({ name }) => name).join(", ")}`);
  const watcher: HostWatcher = {
    up: (path) => (socketPath = path),
    down: () => (socketPath = undefined),
    // Its gateway hears of it no more either, and gives up what runs there.
    silent: () => undefined,
    told: () => undefined,
    close: () => Promise.resolve(),
  };
  const socketFolder = await openSocketFolder(options, stops);
  await startOwnHost(options, { host: joined.host, data, socketFolder, models, faults, watcher }, stops);
  signal.throwIfAborted();
  const stop = async (hurry: AbortSignal): Promise<void> => {
    // Without its connections what runs there ends at once.
    hurry.addEventListener("abort", () => front.destroy(), { once: true });
    for (const stopOne of stops.toReversed()) await stopOne();
  };
  return { outcome: "running", joined, models: models.map(({ name }) => name), stop };
}

async function ownFolder({ data, temporaryFolder, platform }: JoinOptions, stops: Stops): Promise<string> {
  makeFolder(data, 0o700);
  const path = realpathSync(data);
  if (existsSync(join(path, "installation.json"))) {
    throw new Failed(`${path} is a gateway's data folder.`, "Give the host a folder of its own with --data.");
  }
  const lock = await lockFolder(path, temporaryFolder, platform);
  if (lock === undefined) {
    throw new Failed(
      `Another host runs on ${path}.`,
      "Stop it first, or give this one a folder of its own with --data.",
    );
  }
  stops.push(() => lock.release());
  return path;
}

/** The one key that this machine takes for its gateway's: the token's, and for ever after that of the first joining. */
function keyOfGateway({ token }: JoinOptions, note: JoinNote | undefined, data: string): string {
  if (note === undefined && token === undefined) {
    throw new Failed(
      `Nothing in ${data} says that this machine is a host.`,
      "Give --token with a token that `npx bailiwick host token create` has made on the gateway.",
    );
  }
  if (note !== undefined && token !== undefined && note.gatewayKey !== token.gateway) {
    throw new Failed(`${data} belongs to a host of another cloud.`, "Join this one with another data folder (--data).");
  }
  return note?.gatewayKey ?? token!.gateway;
}

function announcementOf(options: JoinOptions, port: number): Announcement {
  const { address, listen, version, claimedSite, token, clock } = options;
  return {
    protocol: hostProtocol,
    version,
    secret: token?.secret ?? null,
    site: claimedSite ?? null,
    address: address ?? { host: listen.host, port },
    atMs: clock.nowMs(),
  };
}

interface Introduction {
  readonly identity: Identity;
  readonly note: JoinNote | undefined;
  readonly gatewayKey: string;
  readonly announcement: Announcement;
  readonly data: string;
}

/**
 * Joins, or says that this host is back. A host that is known needs no answer to go on: the gateway finds it as soon as
 * it can. What the gateway refuses ends the start.
 */
async function introduce(options: JoinOptions, introduction: Introduction): Promise<Joined> {
  const { clock, gateway: address, log } = options;
  const { identity, note, gatewayKey: gateway, announcement, data } = introduction;
  try {
    const joined = await askToJoin({ identity, address, gateway, announcement, clock });
    if ("outcome" in joined) throw refused(joined);
    writeJoinNote(data, { gatewayKey: gateway, host: joined.host, site: joined.site, address: joined.address });
    return joined;
  } catch (error) {
    if (failedBy(error) !== undefined) throw error;
    if (error instanceof PeerNotTrusted) {
      throw new Failed(
        `What answers at ${address.host} is not the gateway that the token is of: ${error.message}.`,
        "See that the URL is the gateway's, and that nothing stands between; a token is of one gateway.",
        "gateway_not_trusted",
      );
    }
    if (note !== undefined) {
      log.warn({ reason: messageOf(error) }, "the gateway does not answer: this host goes on as the one that it is");
      return { ...note, isNew: false };
    }
    throw new Failed(
      `The gateway cannot be reached at ${address.host}, port ${address.port}: ${messageOf(error)}.`,
      "Give the URL that the gateway's `hosts.listen` has, and see that this machine gets there.",
      "gateway_unreachable",
    );
  }
}

async function modelsOf(options: JoinOptions, data: string) {
  const { settings, signal, onPull } = options;
  const ready = await readyModels(settings, await theCatalog(options, data), onPull, signal);
  if (ready.outcome === "refused") throw cannotServe(ready);
  if (ready.models.length > 0) return ready;
  throw new Failed("This host has no model to serve.", "Name one with --model, or in the settings' models.serve.");
}
