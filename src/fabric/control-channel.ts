import { Address, type AddressOptions } from "../engine/index.ts";
import type { HostHello, HostLease, HostLeaseAnswer, HostPool } from "../host/index.ts";

const answerMs = 5_000;

/** The control channel of a host, on a connection of its own. */
export function controlAddress(reach: Pick<AddressOptions, "socketPath" | "connector">): Address {
  return new Address({
    url: "http://host",
    ...reach,
    connections: 1,
    connectTimeoutMs: answerMs,
    firstByteTimeoutMs: answerMs,
    idleTimeoutMs: answerMs,
  });
}

/** What is being loaded, while the host is still loading. */
export async function askHello(address: Address): Promise<HostHello | { readonly loading: string }> {
  const { status, value } = await address.json("GET", "/host/v1/hello");
  if (status === 200) return value as HostHello;
  return { loading: String((value as { readonly loading?: unknown }).loading) };
}

export async function renewLease(address: Address, lease: HostLease): Promise<HostLeaseAnswer> {
  const { status, value } = await address.json("POST", "/host/v1/lease", { body: lease });
  if (status !== 200) throw new Error(`the lease was answered with ${status}`);
  return value as HostLeaseAnswer;
}

/** What its device does, without a word about its lease; undefined: nothing yet. */
export async function askPool(address: Address): Promise<HostPool | undefined> {
  const { status, value } = await address.json("GET", "/host/v1/pool");
  return status === 200 ? (value as HostPool) : undefined;
}
