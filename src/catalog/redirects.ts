import { lookup as systemLookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** Where the Hub keeps what it sends on to, each with all below it. */
export const hubStorage: readonly string[] = ["huggingface.co", "hf.co"];

/** Redirects that are followed in a row. */
export const redirectsMax = 5;

/** A redirect that is not followed, and why. */
export class RedirectRefused extends Error {
  constructor(to: string, why: string) {
    super(`it is sent on to ${to.slice(0, 200)}, and ${why}`);
  }
}

/**
 * Where a hub's answer may send a download on to: to the hub itself, or over TLS to one of these domains. Whoever answers in
 * the hub's place, or writes its answers, could have anything else asked from within this network.
 */
export function redirectTarget(
  from: URL,
  location: string,
  rules: { readonly hub: URL; readonly domains: readonly string[] },
): { readonly url: URL; readonly isHub: boolean } {
  const url = URL.parse(location, from.href);
  if (url === null) throw new RedirectRefused(location, "that is no address");
  const { hub, domains } = rules;
  const isHub = url.origin === hub.origin || (url.protocol === "https:" && url.hostname === hub.hostname);
  if (isHub) return { url, isHub };
  const named = `${url.protocol}//${url.host}`;
  if (url.protocol !== "https:") throw new RedirectRefused(named, "that is not https");
  const isKnown = domains.some((domain) => url.hostname === domain || url.hostname.endsWith(`.${domain}`));
  if (!isKnown || isIP(url.hostname.replaceAll(/[[\]]/g, "")) !== 0) {
    throw new RedirectRefused(named, `only ${domains.join(", ")} and what is below them are followed`);
  }
  return { url, isHub };
}

/**
 * Networks that are nobody's on the Internet (RFC 6890): this host, private, shared, link-local, loopback, benchmarks,
 * multicast and reserved ones. IPv4 addresses that stand in IPv6 (RFC 4291, section 2.5.5.2) are looked at as what they are.
 */
const inside = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const) {
  inside.addSubnet(network, prefix, "ipv4");
}
for (const [network, prefix] of [
  ["::", 127],
  ["64:ff9b::", 96],
  ["fc00::", 7],
  ["fe80::", 10],
  ["ff00::", 8],
] as const) {
  inside.addSubnet(network, prefix, "ipv6");
}

export function isInside(address: string): boolean {
  return inside.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** Looks a name up, and refuses addresses within networks of one's own: at the connection itself, so that no answer is another. */
export const outsideLookup: LookupFunction = (name, options, callback) => {
  systemLookup(name, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, "", 0);
    const found = addresses.find(({ address }) => isInside(address));
    if (found !== undefined) {
      return callback(new RedirectRefused(name, `${found.address} is no address of the Internet`), "", 0);
    }
    if (options.all === true) return callback(null, addresses);
    return callback(null, addresses[0]!.address, addresses[0]!.family);
  });
};
