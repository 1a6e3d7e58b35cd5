import type { Cancel, Clock } from "../base/index.ts";
import { type HostHello, type HostPool, hostProtocol, type HostReservation } from "../host/index.ts";
import { askHello, askPool, controlAddress, renewLease } from "./control-channel.ts";

export interface WatchOptions {
  readonly clock: Clock;
  readonly socketPath: string;
  readonly leaseSeconds: number;
  /** Another machine's gateway renews the lease: here it is only watched whether the host answers. */
  readonly isLeasedElsewhere: boolean;
  /** The host has loaded its models and holds a lease; also when it is heard again. */
  readonly onReady: (hello: HostHello) => void;
  /** It was not heard for as long as its lease: what runs there is lost. It may be heard again. */
  readonly onSilent: () => void;
  /** What is reserved now and concerns it. */
  readonly reservations: () => readonly HostReservation[];
  /** What its device does, as it says with each renewal. */
  readonly onPool: (pool: HostPool) => void;
  /** It will not become of use: it speaks another protocol, or has not answered for too long. */
  readonly onLost: (reason: string) => void;
}

const helloEveryMs = 50;
const leaseEveryMs = 1_000;
/** A host answers these even while it loads or computes: one that does not is stuck, and makes room for another. */
const unansweredMs = 30_000;

/** Asks a host of this machine for its hello until it has one, then renews its lease each second. */
export function watch(options: WatchOptions): Cancel {
  const { clock, socketPath } = options;
  const address = controlAddress({ socketPath });
  let isOver = false;
  let ready: HostHello | undefined;
  let isSilent = false;
  let cancelNext: Cancel = () => undefined;
  let answeredMs = clock.monotonicMs();

  const end = (): void => {
    isOver = true;
    cancelNext();
    void address.destroy();
  };
  const step = async (): Promise<void> => {
    const said = ready ?? (await askHello(address));
    const hello = "loading" in said ? undefined : said;
    if (hello !== undefined && hello.protocol !== hostProtocol) {
      options.onLost(`it speaks version ${hello.protocol} of the host protocol`);
    } else if (hello !== undefined) {
      const lease = { seconds: options.leaseSeconds, reservations: options.reservations() };
      const pool = options.isLeasedElsewhere ? await askPool(address) : (await renewLease(address, lease)).pool;
      if (isOver) return;
      if (ready === undefined || isSilent) options.onReady(hello);
      ready = hello;
      isSilent = false;
      if (pool !== undefined) options.onPool(pool);
    }
    answeredMs = clock.monotonicMs();
  };
  const loop = (): void => {
    void step()
      // Not listening yet, or busy: it is asked again. A host that is gone says so by its exit.
      .catch(() => {
        if (isOver) return;
        const silentMs = clock.monotonicMs() - answeredMs;
        if (ready !== undefined && !isSilent && silentMs >= options.leaseSeconds * 1_000) {
          isSilent = true;
          options.onSilent();
        }
        if (silentMs > unansweredMs) options.onLost("it does not answer");
      })
      .finally(() => {
        if (!isOver) cancelNext = clock.after(ready !== undefined ? leaseEveryMs : helloEveryMs, loop);
      });
  };
  loop();
  return end;
}
