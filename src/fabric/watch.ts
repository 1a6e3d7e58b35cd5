import type { Cancel, Clock } from "../base/index.ts";
import { Address } from "../engine/index.ts";
import {
  type HostHello,
  type HostLease,
  type HostLeaseAnswer,
  type HostPool,
  hostProtocol,
  type HostReservation,
} from "../host/index.ts";

export interface WatchOptions {
  readonly clock: Clock;
  readonly socketPath: string;
  readonly leaseSeconds: number;
  /** The host has loaded its models and holds a lease. */
  readonly onReady: (hello: HostHello) => void;
  /** What is reserved now and concerns it. */
  readonly reservations: () => readonly HostReservation[];
  /** What its device does, as it says with each renewal. */
  readonly onPool: (pool: HostPool) => void;
  /** It will not become of use: it speaks another protocol, or has not answered for too long. */
  readonly onLost: (reason: string) => void;
}

const helloEveryMs = 50;
const leaseEveryMs = 1_000;
/** A host answers these even while it loads or computes: one that does not is stuck. */
const unansweredMs = 30_000;

/** Asks a host for its hello until it has one, then renews its lease each second. */
export function watch(options: WatchOptions): Cancel {
  const { clock, socketPath } = options;
  const address = new Address({
    url: "http://host",
    socketPath,
    connections: 1,
    connectTimeoutMs: 5_000,
    firstByteTimeoutMs: 5_000,
    idleTimeoutMs: 5_000,
  });
  let isOver = false;
  let isReady = false;
  let cancelNext: Cancel = () => undefined;
  let answeredMs = clock.monotonicMs();

  const end = (): void => {
    isOver = true;
    cancelNext();
    void address.destroy();
  };
  const step = async (): Promise<void> => {
    const hello = isReady ? undefined : await askHello(address);
    if (hello !== undefined && hello.protocol !== hostProtocol) {
      options.onLost(`it speaks version ${hello.protocol} of the host protocol`);
    } else if (isReady || hello !== undefined) {
      const pool = await renewLease(address, { seconds: options.leaseSeconds, reservations: options.reservations() });
      if (isOver) return;
      if (hello !== undefined) {
        isReady = true;
        options.onReady(hello);
      }
      if (pool !== undefined) options.onPool(pool);
    }
    answeredMs = clock.monotonicMs();
  };
  const loop = (): void => {
    void step()
      // Not listening yet, or busy: it is asked again. A host that is gone says so by its exit.
      .catch(() => {
        if (!isOver && clock.monotonicMs() - answeredMs > unansweredMs) options.onLost("it does not answer");
      })
      .finally(() => {
        if (!isOver) cancelNext = clock.after(isReady ? leaseEveryMs : helloEveryMs, loop);
      });
  };
  loop();
  return end;
}

/** Undefined while the host is still loading. */
async function askHello(address: Address): Promise<HostHello | undefined> {
  const { status, value } = await address.json("GET", "/host/v1/hello");
  return status === 200 ? (value as HostHello) : undefined;
}

async function renewLease(address: Address, lease: HostLease): Promise<HostPool | undefined> {
  const { status, value } = await address.json("POST", "/host/v1/lease", { body: lease });
  if (status !== 200) throw new Error(`the lease was answered with ${status}`);
  return (value as HostLeaseAnswer).pool;
}
