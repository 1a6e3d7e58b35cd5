import { join } from "node:path";
import { createAuditLog } from "../audit/index.ts";
import { addressText, type Ids, type NetworkAddress, Seldom, sleep } from "../base/index.ts";
import type { Catalog } from "../catalog/index.ts";
import type { DestinationList } from "../destinations/index.ts";
import type { HostHello } from "../host/index.ts";
import type { DataFolder } from "../installation/index.ts";
import {
  createMembers,
  createMembership,
  type JoinListener,
  listenForHosts,
  type Membership,
} from "../membership/index.ts";
import { connectPinned, type Identity, openIdentity } from "../tls/index.ts";
import type { Bookkeeping } from "./bookkeeping.ts";
import type { Stops } from "./database.ts";
import { Failed } from "./failed.ts";
import { identityFolder } from "./identity-folder.ts";
import type { RefusedModel } from "./joined-host.ts";
import type { JoinedHosts } from "./joined.ts";
import { KnownDigests } from "./known-digests.ts";
import type { BootOptions } from "./options.ts";
import { refusalFor } from "./refusals.ts";
import type { Reserved } from "./reserved.ts";
import { Roster } from "./roster.ts";
import { Sites } from "./sites.ts";
import { messageOf } from "./words.ts";

const reachTimeoutMs = 5_000;
/** Of what strangers bring about, one of each kind is logged in so long. */
const strangersEveryMs = 60_000;

interface Parts {
  readonly options: BootOptions;
  readonly ids: Ids;
  readonly folder: DataFolder;
  readonly catalog: Catalog;
  readonly books: Bookkeeping;
  readonly destinations: DestinationList;
  readonly reserved: Reserved;
  /** Hears each time that one has come. */
  readonly onReady: () => void;
}

/** Makes hosts on other machines destinations, as they join and until they are revoked, and lets further ones join. */
export async function openJoinedHosts(parts: Parts, stops: Stops): Promise<JoinedHosts> {
  const { options, folder, books, destinations, reserved, onReady } = parts;
  const { clock, log, settings } = options;
  const { db } = books.store;
  const identity = await openIdentity(join(folder.path, identityFolder), folder.gateway);
  const sites = new Sites(settings, books.inForce);
  const digests = new KnownDigests(await parts.catalog.list(), books.inForce, destinations);
  let listener: JoinListener | undefined;
  const membership = createMembership({
    db,
    clock,
    ids: parts.ids,
    randomBytes: options.randomBytes,
    gateway: identity.fingerprint,
    sites: () => sites.names,
    isOpen: () => listener !== undefined,
    clockSkewMs: settings.hosts.clockSkewMs,
    reach: reaching(identity, options),
    onChange: () => members.refresh(),
    onFailure: (error) => log.warn({ reason: messageOf(error) }, "a change will be seen at the next confirmation"),
  });
  const keepTold = (hello: HostHello): void => {
    void membership.keepTold(hello.host, JSON.stringify(hello)).catch((error: unknown) => {
      log.warn({ host: hello.host, reason: messageOf(error) }, "what a host has is not kept for the next start");
    });
  };
  const onRefused = recording(parts);
  const shared = { options, identity, reserved, sites, digests, onReady };
  const roster = new Roster(destinations, { ...shared, keepTold, onRefused });
  stops.push(() => roster.close());
  const members = await createMembers({
    db,
    clock,
    onChange: roster.follow,
    onFailure: (error) => log.warn({ reason: messageOf(error) }, "joined hosts cannot be confirmed with the database"),
  });
  stops.push(() => members.close());
  listener = await listenForJoins(parts, identity, membership);
  if (listener !== undefined) stops.push(() => listener.close());
  return { membership, hosts: roster.hosts, sites, url: listener?.url };
}

/** Puts into the audit log which model of a host's was not taken, and why. */
function recording({ options, ids, books }: Parts): (refused: RefusedModel) => void {
  const { clock, log } = options;
  const audit = createAuditLog({ db: books.store.db, clock });
  return ({ host, model, sha256, reason }) => {
    const entry = audit.append({
      request: ids.mint("req"),
      actor: { kind: "system", name: "hosts" },
      action: "offerModel",
      outcome: "refused",
      code: "name_taken",
      organisation: null,
      project: null,
      object: host,
      changes: { model: [null, model], sha256: [null, sha256], reason: [null, reason] },
    });
    entry.catch((error: unknown) => log.warn({ host, reason: messageOf(error) }, "a refused model is not on record"));
  };
}

async function listenForJoins(
  { options, ids }: Parts,
  identity: Identity,
  membership: Membership,
): Promise<JoinListener | undefined> {
  const { log, settings } = options;
  const { listen } = settings.hosts;
  if (listen === undefined) return undefined;
  const strangers = new Seldom(options.clock, strangersEveryMs);
  return listenForHosts({
    identity,
    listen,
    join: async (request, key, from) => {
      const answer = await membership.join(request, key, from);
      if ("outcome" in answer) {
        const { code, message: reason } = answer;
        const refused = { from, fingerprint: key, code, reason };
        strangers.tell(code, (untold) => log.warn({ ...refused, untold }, "a machine was not let in"));
      } else log.info({ ...answer, from }, answer.isNew ? "a machine has joined" : "a host has come back");
      return answer;
    },
    onFailure: (error) => {
      log.error({ reason: messageOf(error) }, "a machine could not join");
      return refusalFor(error, ids.mint("req"));
    },
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.syscall === undefined) throw error;
    throw new Failed(
      `Machines cannot join at ${listen.host}, port ${listen.port} (${error.code}).`,
      "Choose another address in the settings' hosts.listen, or leave it out.",
    );
  });
}

/**
 * Whether the machine that asks answers where it says. What does not answer takes the same time whatever is there, and why
 * is told to the operator only.
 */
function reaching(
  identity: Identity,
  { clock, log }: Pick<BootOptions, "clock" | "log">,
): (address: NetworkAddress, key: string) => Promise<boolean> {
  const seldom = new Seldom(clock, strangersEveryMs);
  return async (address, fingerprint) => {
    const untilMs = clock.monotonicMs() + reachTimeoutMs;
    try {
      (await connectPinned({ identity, address, fingerprint, timeoutMs: reachTimeoutMs, clock })).destroy();
      return true;
    } catch (error) {
      const why = { address: addressText(address), fingerprint, reason: messageOf(error) };
      seldom.tell("unreached", (untold) => log.warn({ ...why, untold }, "a machine does not answer where it says"));
      await sleep(clock, Math.max(0, untilMs - clock.monotonicMs()));
      return false;
    }
  };
}
