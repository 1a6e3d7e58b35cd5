import { addressText, sleep } from "../base/index.ts";
import { type HostDestination, HostSilent } from "../destinations/index.ts";
import { parseHello, poll, type Poll } from "../fabric/index.ts";
import type { HostHello } from "../host/index.ts";
import type { Member } from "../membership/index.ts";
import { type Identity, pinnedConnector } from "../tls/index.ts";
import type { KnownDigests } from "./known-digests.ts";
import type { BootOptions } from "./options.ts";
import { hostDestination, leaseSeconds } from "./own-host.ts";
import type { Reserved } from "./reserved.ts";
import type { Sites } from "./sites.ts";

export interface JoinedHostOptions {
  readonly options: BootOptions;
  readonly identity: Identity;
  readonly reserved: Reserved;
  readonly sites: Sites;
  readonly digests: KnownDigests;
  readonly onReady: () => void;
  /** Keeps what it says that it is and has, for the next start. */
  readonly keepTold: (hello: HostHello) => void;
  /** Puts on record that a model of a host's is not taken. */
  readonly onRefused: (refused: RefusedModel) => void;
}

/** A host's model that is not offered, as its name is another's. */
export interface RefusedModel {
  readonly host: string;
  readonly model: string;
  readonly sha256: string | null;
  readonly reason: string;
}

/** A host says what it likes, as often as it likes: of each so many are put on record. */
const recordedRefusalsMax = 100;

const connectTimeoutMs = 3_000;
const lookEveryMs = 100;
const recordedMs = 1_000;

/** What runs there is cut off as if its connections had broken. */
class Revoked extends Error {
  readonly code = "ECONNRESET";
}

/** A host on another machine, as long as it is one: its destination, and who keeps up with it. */
export class JoinedHost {
  readonly destination: HostDestination;
  readonly #options: JoinedHostOptions;
  #member: Member;
  #poll: Poll;
  #away = "it was not heard yet";
  #isClosed = false;
  /** What it last said that it is and has. */
  #hello: HostHello | undefined;
  /** Models that it has under a name that means another one here. */
  #others: readonly string[] = [];
  readonly #recorded = new Set<string>();

  constructor(member: Member, options: JoinedHostOptions) {
    this.#options = options;
    this.#member = member;
    const { id, site } = member;
    this.destination = hostDestination(options.options, id, () => options.sites.of(site));
    this.destination.down(this.#away);
    const before = member.told === null ? undefined : parseHello(member.told);
    if (before !== undefined) this.#remember(before);
    this.#poll = this.#begin();
  }

  /** Where it is reached. */
  get address() {
    return this.#member.address;
  }

  /** What is known of it beyond what its destination tells. */
  get state() {
    const { skewMs, answeredMs } = this.#poll;
    return { device: this.#hello?.device, skewMs, answeredMs, otherModels: this.#others };
  }

  /** It may have come back at another address. */
  follow(member: Member): void {
    if (addressText(member.address) === addressText(this.#member.address)) return;
    this.#member = member;
    this.#poll.stop();
    this.destination.down("its address has changed");
    this.#poll = this.#begin();
  }

  /** Nothing new is sent there by now; what runs may end within a bound. */
  async retire(limitMs: number): Promise<void> {
    await this.#until(limitMs, () => this.destination.running === 0);
    this.destination.cut(new Revoked("the host was revoked"));
    // What has just ended is counted, recorded and acknowledged first.
    await this.#until(recordedMs, () => false);
    await this.close();
  }

  async #until(limitMs: number, holds: () => boolean): Promise<void> {
    const { clock } = this.#options.options;
    const endMs = clock.monotonicMs() + limitMs;
    while (!this.#isClosed && !holds() && clock.monotonicMs() < endMs) await sleep(clock, lookEveryMs);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#poll.stop();
    await this.destination.close();
  }

  #begin(): Poll {
    const { options, identity, reserved } = this.#options;
    const { clock, settings } = options;
    const { id, address, key } = this.#member;
    const peer = { identity, address, fingerprint: key, timeoutMs: connectTimeoutMs, clock };
    const reach = { connector: pinnedConnector(peer) };
    return poll({
      clock,
      reach,
      host: id,
      leaseSeconds,
      clockSkewMs: settings.hosts.clockSkewMs,
      reservations: () => reserved.ofHost(id),
      onReady: (hello) => this.#up(hello, reach),
      onPool: (pool) => {
        this.destination.told(pool);
        this.#lookAgain();
      },
      onAway: (why) => this.#down(why),
      onSilent: () => this.destination.cut(new HostSilent(leaseSeconds)),
    });
  }

  #up(hello: HostHello, reach: Parameters<HostDestination["up"]>[0]["reach"]): void {
    const { options, keepTold, onReady } = this.#options;
    const { id, site } = this.#member;
    const { boot, engine, faults = [] } = hello;
    this.destination.up({ reach, boot, engine, models: this.#usable(hello), faults });
    this.#away = "";
    options.log.info({ host: id, site }, "a host is ready");
    keepTold(hello);
    onReady();
  }

  /** What a name means here may have changed since it said what it has. */
  #lookAgain(): void {
    const hello = this.#hello;
    if (hello === undefined) return;
    const others = hello.models.filter((model) => this.#refusalOf(model) !== undefined).map(({ name }) => name);
    if (others.join() === this.#others.join()) return;
    this.#remember(hello);
    this.#options.onReady();
  }

  #remember(hello: HostHello): void {
    const { engine, faults = [] } = hello;
    this.destination.remember({ engine, models: this.#usable(hello), faults });
  }

  #refusalOf({ name, sha256 }: HostHello["models"][number]): string | undefined {
    return this.#options.digests.refusalOf(name, sha256);
  }

  /** The models that are, by their digests, what their names mean here. */
  #usable(hello: HostHello): HostHello["models"] {
    const looked = hello.models.map((model) => ({ model, reason: this.#refusalOf(model) }));
    this.#hello = hello;
    this.#others = looked.flatMap(({ model, reason }) => (reason === undefined ? [] : [model.name]));
    for (const { model, reason } of looked) if (reason !== undefined) this.#refuse(model, reason);
    return looked.flatMap(({ model, reason }) => (reason === undefined ? [model] : []));
  }

  #refuse({ name: model, sha256 }: HostHello["models"][number], reason: string): void {
    const { options, onRefused } = this.#options;
    const refused = { host: this.#member.id, model, sha256, reason };
    options.log.warn(refused, "a model of a host's is not taken");
    const seen = `${model} ${sha256} ${reason}`;
    if (this.#recorded.has(seen) || this.#recorded.size >= recordedRefusalsMax) return;
    this.#recorded.add(seen);
    onRefused(refused);
  }

  #down(why: string): void {
    // A figure in it that moves is not told of again.
    if (withoutFigures(why) !== withoutFigures(this.#away))
      this.#options.options.log.warn({ host: this.#member.id, reason: why }, "a host is away");
    this.#away = why;
    this.destination.down(why);
  }
}

function withoutFigures(text: string): string {
  return text.replaceAll(/\d+/g, "");
}
