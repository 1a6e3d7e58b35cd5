import type { z } from "zod";
import { type Cancel, type Clock, type HostId, memberPath } from "../base/index.ts";
import type { AddressOptions } from "../engine/index.ts";
import {
  type HostHello,
  type HostLeaseAnswer,
  type HostPool,
  hostProtocol,
  type HostReservation,
} from "../host/index.ts";
import { askHello, controlAddress, renewLease } from "./control-channel.ts";
import { hello, leaseAnswer, loading, spoken } from "./told.ts";

export interface PollOptions {
  readonly clock: Clock;
  readonly reach: Pick<AddressOptions, "connector" | "socketPath">;
  /** Who is expected to answer. */
  readonly host: HostId;
  readonly leaseSeconds: number;
  /** How far its clock may be from this one's. */
  readonly clockSkewMs: number;
  readonly reservations: () => readonly HostReservation[];
  /** It takes requests; at each hello of another process of it, and when it takes them again. */
  readonly onReady: (hello: HostHello) => void;
  readonly onPool: (pool: HostPool) => void;
  /** It takes nothing new for the moment; why, as a clause. */
  readonly onAway: (why: string) => void;
  /** It was not heard for as long as its lease: what runs there is lost. */
  readonly onSilent: () => void;
}

export interface Poll {
  /** How far its clock is ahead of this one, in milliseconds, as last measured; undefined: it was never asked. */
  readonly skewMs: number | undefined;
  /** When it last answered, by the clock's `monotonicMs`; undefined: never. */
  readonly answeredMs: number | undefined;
  /** Questions that were answered, or were not. */
  readonly steps: number;
  stop: Cancel;
}

const pollEveryMs = 1_000;
/** For all questions of one step, whole. */
const stepMs = 10_000;

/** Keeps up with a host on another machine: asks who it is, then renews its lease each second, for ever. */
export function poll(options: PollOptions): Poll {
  return new Polling(options);
}

class Polling implements Poll {
  skewMs: number | undefined;
  answeredMs: number | undefined;
  steps = 0;
  readonly #options: PollOptions;
  #address: ReturnType<typeof controlAddress>;
  readonly #sinceMs: number;
  #hello: HostHello | undefined;
  #isAway = true;
  #isSilent = false;
  #isOver = false;
  #cancelNext: Cancel = () => undefined;

  constructor(options: PollOptions) {
    this.#options = options;
    this.#address = controlAddress(options.reach);
    this.#sinceMs = options.clock.monotonicMs();
    this.#loop();
  }

  readonly stop = (): void => {
    this.#isOver = true;
    this.#cancelNext();
    void this.#address.destroy();
  };

  #loop(): void {
    void this.#stepInTime()
      .then(
        () => {
          this.answeredMs = this.#options.clock.monotonicMs();
          this.#isSilent = false;
        },
        (error: unknown) => this.#failed(error),
      )
      .finally(() => {
        this.steps++;
        if (!this.#isOver) this.#cancelNext = this.#options.clock.after(pollEveryMs, () => this.#loop());
      });
  }

  /** Whoever answers a byte at a time is never late with the next one, and is cut off all the same. */
  async #stepInTime(): Promise<void> {
    const cancel = this.#options.clock.after(stepMs, () => {
      void this.#address.destroy();
      this.#address = controlAddress(this.#options.reach);
    });
    await this.#step().finally(cancel);
  }

  async #step(): Promise<void> {
    const before = this.#hello;
    const said = before ?? (await this.#askHello());
    if (said === undefined || this.#isOver) return;
    const answer = await this.#renew();
    if (this.#isOver) return;
    if (answer.boot !== said.boot) {
      // Another process has taken its place: the next question is who that is.
      this.#hello = undefined;
      return this.#away("its process has just been started again");
    }
    this.#hello = said;
    const skew = this.#skewText();
    if (skew !== undefined) this.#away(skew);
    else if (answer.isStopping) this.#away("it is stopping");
    else this.#ready(said, before === undefined);
    if (answer.pool !== undefined) this.#options.onPool(answer.pool);
  }

  async #askHello(): Promise<HostHello | undefined> {
    const said = await askHello(this.#address);
    if ("loading" in said) {
      this.#away(`it is loading ${loading.parse(said).loading}`);
      return undefined;
    }
    const { protocol } = spoken.parse(said);
    if (protocol !== hostProtocol) {
      this.#away(`it speaks version ${protocol} of the host protocol`);
      return undefined;
    }
    const known = readable(hello, said);
    if (known.host === this.#options.host) return known;
    this.#away(`it says that it is ${known.host}`);
    return undefined;
  }

  /** Its clock is read against the middle of the time that the answer took. */
  async #renew(): Promise<HostLeaseAnswer> {
    const { clock, leaseSeconds, reservations } = this.#options;
    const askedMs = clock.monotonicMs();
    // How far its clock is off is not known before the first answer, and what stands on it waits for the second.
    const told =
      this.skewMs === undefined ? {} : { reservations: reservations().map((each) => this.#byItsClock(each)) };
    const answer = readable(leaseAnswer, await renewLease(this.#address, { seconds: leaseSeconds, ...told }));
    const middleMs = clock.nowMs() - (clock.monotonicMs() - askedMs) / 2;
    this.skewMs = answer.atMs - middleMs;
    return answer;
  }

  #skewText(): string | undefined {
    const { clockSkewMs } = this.#options;
    const skewMs = this.skewMs ?? 0;
    if (Math.abs(skewMs) <= clockSkewMs) return undefined;
    const seconds = (Math.abs(skewMs) / 1_000).toFixed(1);
    return `its clock is ${seconds} s ${skewMs > 0 ? "ahead" : "behind"}, and ${clockSkewMs / 1_000} s are allowed`;
  }

  /** The moment at which a reservation ends, as the host's own clock will show it. */
  #byItsClock(reservation: HostReservation): HostReservation {
    const { untilMs } = reservation;
    return untilMs === undefined ? reservation : { ...reservation, untilMs: untilMs + (this.skewMs ?? 0) };
  }

  #ready(said: HostHello, isNew: boolean): void {
    if (!isNew && !this.#isAway) return;
    this.#isAway = false;
    this.#options.onReady(said);
  }

  #away(why: string): void {
    this.#isAway = true;
    this.#options.onAway(why);
  }

  #failed(error: unknown): void {
    if (this.#isOver) return;
    const { clock, leaseSeconds } = this.#options;
    this.#away(`it does not answer: ${error instanceof Error ? error.message : String(error)}`);
    const silentMs = clock.monotonicMs() - (this.answeredMs ?? this.#sinceMs);
    if (this.#isSilent || silentMs < leaseSeconds * 1_000) return;
    this.#isSilent = true;
    this.#options.onSilent();
  }
}

function readable<Told>(schema: z.ZodType<Told>, said: unknown): Told {
  const read = schema.safeParse(said);
  if (read.success) return read.data;
  throw new Error(`what it says cannot be read: ${memberPath(read.error.issues[0]?.path ?? [])}`);
}
