import type { Clock, Refusal, RequestId } from "../base/index.ts";
import {
  Address,
  type AddressOptions,
  type Counted,
  type Destination,
  type DestinationSite,
  type Dispatch,
  type Exchange,
  type Forgotten,
  type ModelFault,
  type PoolFigures,
  type Reader,
  RunningExchanges,
  type ToldPool,
} from "../engine/index.ts";
import type { Offer } from "../engine/index.ts";
import { promiseHeaders } from "./promise-headers.ts";
import { countsToldOf } from "./told-counts.ts";

/** How a host is reached: a Unix socket of this machine, or connections that somebody else makes. */
export type HostReach = Pick<AddressOptions, "socketPath" | "connector">;

/** A host that runs: what it said of itself, and how it is reached. */
export interface HostAt {
  readonly reach: HostReach;
  /** Another one each time that its process starts. */
  readonly boot: string;
  readonly engine: { readonly name: string; readonly build: string };
  readonly models: readonly {
    readonly name: string;
    readonly sha256: string;
    readonly contextTokens: number;
    readonly endpoints: readonly string[];
  }[];
  readonly faults?: readonly ModelFault[];
}

export interface HostDestinationOptions {
  readonly name: string;
  /** Where it stands, by what is declared now. */
  readonly site: () => DestinationSite;
  readonly clock: Clock;
  readonly connections: number;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly onFailure: (what: string, error: unknown) => void;
}

/** After so long one request is sent there again, to see whether it has room. */
const declineMs = 1_000;
const acknowledgeEveryMs = 100;
const retryEveryMs = 100;
/** So long a question for counts takes at least before it is given up: a host lets it wait for the end of what runs. */
const answerMs = 15_000;
const unacknowledgedMax = 100_000;

/** A renewal whose answer was lost came at most so long after the last that was heard. */
const renewalMs = 6_000;
/** So long one question may take, of a host whose lease is over anyway. */
const leastWaitMs = 1_000;

const startingWhy = "its process is starting, or starting again";

/**
 * One host process of ours, on this machine or another. The process may die and come back under the same name; what the
 * dead one had counted is asked of the new one.
 */
export class HostDestination implements Destination {
  readonly kind = "host";
  readonly name: string;
  readonly cacheSalt = false;
  readonly #options: HostDestinationOptions;
  #engine = { name: "", build: "" };
  #address: Address | undefined;
  #boot: string | undefined;
  #reach: HostReach | undefined;
  #ready = false;
  #why = startingWhy;
  #incarnation = 0;
  /** When its process was first heard. */
  #upAtMs = 0;
  /** When it last renewed its lease, as far as it was heard. */
  #heardMs: number;
  #pool: PoolFigures | undefined;
  #declined: Refusal | undefined;
  #declinesUntilMs = -Infinity;
  #offers = new Map<string, Offer>();
  #faults: readonly ModelFault[] = [];
  readonly #exchanges = new RunningExchanges();
  #running = 0;
  #settled: RequestId[] = [];
  #acknowledging = false;

  constructor(options: HostDestinationOptions) {
    this.#options = options;
    this.#heardMs = options.clock.monotonicMs();
    this.name = options.name;
  }

  get site(): DestinationSite {
    return this.#options.site();
  }
  get engine(): { readonly name: string; readonly build: string } {
    return this.#engine;
  }
  get ready(): boolean {
    return this.#ready;
  }
  get incarnation(): number {
    return this.#incarnation;
  }
  get why(): string | undefined {
    return this.#ready ? undefined : this.#why;
  }
  get declines(): Refusal | undefined {
    return this.#options.clock.monotonicMs() < this.#declinesUntilMs ? this.#declined : undefined;
  }
  decline(refusal: Refusal): void {
    this.#declined = refusal;
    this.#declinesUntilMs = this.#options.clock.monotonicMs() + declineMs;
  }
  get running(): number {
    return this.#running;
  }
  get pool(): PoolFigures | undefined {
    return this.#pool;
  }
  offer(model: string): Offer | undefined {
    return this.#offers.get(model);
  }
  offers(): Iterable<Offer> {
    return this.#offers.values();
  }
  get faults(): readonly ModelFault[] {
    return this.#faults;
  }

  /** What it was and had when it was last heard, by somebody who has kept that: it can be named, and is not ready. */
  remember({ engine, models, faults = [] }: Pick<HostAt, "engine" | "models" | "faults">): void {
    this.#engine = engine;
    this.#faults = faults;
    this.#offers = new Map(
      models.map(({ name, sha256, contextTokens, endpoints }) => [
        name,
        { model: name, upstreamName: name, sha256, contextTokens, endpoints: new Set(endpoints) },
      ]),
    );
  }

  /** The host is up and has loaded its models. */
  up(host: HostAt): void {
    const nowMs = this.#options.clock.monotonicMs();
    // Another process counts from nothing; one that was not heard for a while goes on.
    if (this.#boot !== host.boot) this.#upAtMs = nowMs;
    if (this.#boot !== host.boot || this.#reach !== host.reach) {
      void this.#address?.destroy();
      this.#address = this.#connect(host.reach);
      this.#boot = host.boot;
      this.#reach = host.reach;
      this.#incarnation++;
    }
    this.remember(host);
    this.#ready = true;
    this.#heardMs = nowMs;
    // What its predecessor held is gone with it.
    this.#pool = undefined;
  }

  /** What the host has just said of its device. */
  told(pool: ToldPool): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#heardMs = nowMs;
    this.#pool = { toldAtMs: nowMs, upForMs: pool.upForMs ?? nowMs - this.#upAtMs, pool };
  }

  /** The host is gone, or not yet back. What it offered is still known, so that it can be named as unavailable. */
  down(why: string = startingWhy): void {
    this.#ready = false;
    this.#why = why;
  }

  send(dispatch: Dispatch, reader: Reader): Exchange {
    this.#running++;
    const headers = ["content-type", "application/json", "bailiwick-request", dispatch.request];
    headers.push("bailiwick-tenant", dispatch.tenant, ...promiseHeaders(dispatch.promised));
    if (dispatch.weight !== 1) headers.push("bailiwick-weight", String(dispatch.weight));
    if (dispatch.isAgain) headers.push("bailiwick-again", "yes");
    if (dispatch.warnUnsupported) headers.push("bailiwick-unsupported", "warn");
    return this.#exchanges.add(this.#address!.send("POST", dispatch.path, headers, dispatch.body, reader));
  }
  ended(): void {
    this.#exchanges.ended(--this.#running);
  }
  cut(reason: Error): void {
    this.#exchanges.cut(reason);
  }

  /** Asks until the host has the answer, which a host that was killed has once it is back; bounded by `waitMs`. */
  async counts(request: RequestId, waitMs: number): Promise<Counted | "unreadable" | undefined> {
    const { clock } = this.#options;
    const endMs = clock.monotonicMs() + waitMs;
    for (;;) {
      const found = await this.#inTime(this.#askCounts(request), Math.max(endMs - clock.monotonicMs(), answerMs));
      if (found !== "unreachable") return found;
      if (clock.monotonicMs() >= endMs) return undefined;
      await new Promise<void>((resolve) => clock.after(retryEveryMs, resolve));
    }
  }

  acknowledge(request: RequestId): void {
    if (this.#settled.length < unacknowledgedMax) this.#settled.push(request);
    if (this.#acknowledging) return;
    this.#acknowledging = true;
    this.#options.clock.after(acknowledgeEveryMs, () => void this.#acknowledge());
  }

  /** Asks until it is done, or until the host must have lost its lease and with it what it remembers. */
  async forget(tenant: string, leaseMs: number): Promise<Forgotten> {
    const { clock } = this.#options;
    const away = { outcome: "away" } as const;
    const late = Promise.withResolvers<Forgotten>();
    const over = new AbortController();
    const waitMs = Math.max(leastWaitMs, this.#heardMs + leaseMs + renewalMs - clock.monotonicMs());
    const cancel = clock.after(waitMs, () => {
      over.abort();
      late.resolve(away);
    });
    const asking = async (): Promise<Forgotten> => {
      while (!over.signal.aborted) {
        const answer = await this.#askToForget(tenant);
        if (answer !== undefined) return answer;
        await new Promise<void>((resolve) => clock.after(retryEveryMs, resolve));
      }
      return away;
    };
    return Promise.race([asking(), late.promise]).finally(cancel);
  }

  async close(): Promise<void> {
    if (this.#settled.length > 0) await this.#acknowledge();
    await this.#address?.destroy();
  }

  /** Also of a host that takes nothing new for the moment. undefined: it did not answer. */
  async #askToForget(tenant: string): Promise<Forgotten | undefined> {
    try {
      const answer = await this.#address?.json("POST", "/host/v1/forget", { body: { tenant } });
      if (answer === undefined || answer.status >= 500) return undefined;
      // A host of an earlier release has no such path.
      if (answer.status !== 200) return { outcome: "unable" };
      const { running } = answer.value as { readonly running?: unknown };
      return { outcome: "forgotten", running: Number(running ?? 0) };
    } catch {
      // It is away, or went away while it was asked.
      return undefined;
    }
  }

  /** A host that does not answer, or a byte at a time, is given up for now: what it was asked for waits behind it. */
  async #inTime<Answer>(asked: Promise<Answer>, limitMs: number): Promise<Answer | "unreachable"> {
    const late = Promise.withResolvers<"unreachable">();
    const cancel = this.#options.clock.after(limitMs, () => late.resolve("unreachable"));
    return Promise.race([asked, late.promise]).finally(cancel);
  }

  async #askCounts(request: RequestId): Promise<Counted | "unreadable" | undefined | "unreachable"> {
    if (!this.#ready || this.#address === undefined) return "unreachable";
    try {
      const { status, value } = await this.#address.json("GET", `/host/v1/counts/${request}`);
      if (status === 404) return undefined;
      if (status !== 200) return "unreachable";
      return countsToldOf(request, value);
    } catch {
      // It went away while it was asked; it is asked again until the time is over.
      return "unreachable";
    }
  }

  async #acknowledge(): Promise<void> {
    this.#acknowledging = false;
    const requests = this.#settled;
    this.#settled = [];
    if (requests.length === 0) return;
    try {
      if (this.#address === undefined || !this.#ready) throw new Error("the host is not up");
      await this.#address.json("POST", "/host/v1/acknowledge", { body: { requests } });
    } catch (error) {
      // The host keeps what nobody acknowledged: it is told again with the next ones.
      this.#settled = [...requests, ...this.#settled].slice(-unacknowledgedMax);
      this.#options.onFailure("acknowledge", error);
    }
  }

  #connect(reach: HostReach): Address {
    const { connections, firstByteTimeoutMs, idleTimeoutMs } = this.#options;
    return new Address({
      url: "http://host",
      ...reach,
      connections,
      connectTimeoutMs: 2_000,
      firstByteTimeoutMs,
      idleTimeoutMs,
    });
  }
}
