import { lookup as systemLookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/**
 * Networks that are nobody's on the Internet (RFC 6890): this host, private, shared, link-local, loopback, benchmarks,
 * multicast, documentation and reserved ones; and those of IPv6 that carry an IPv4 address, which a gateway on the way would take out: compatible
 * and translated ones (RFC 4291, 6052, 8215), Teredo (RFC 4380), 6to4 (RFC 3056), and site-local ones (RFC 3879). IPv4 addresses that stand in IPv6 (RFC 4291, section 2.5.5.2) are looked at as what they are.
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
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const) {
  inside.addSubnet(network, prefix, "ipv4");
}
for (const [network, prefix] of [
  ["::", 96],
  ["::ffff:0:0:0", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 32],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
] as const) {
  inside.addSubnet(network, prefix, "ipv6");
}

export function isInside(address: string): boolean {
  return inside.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** Looks names up, and refuses addresses within networks of one's own: at the connection itself, so that no answer is another. */
export function outsideLookup(refused: (name: string, why: string) => Error): LookupFunction {
  return (name, options, callback) => {
    systemLookup(name, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "", 0);
      const found = addresses.find(({ address }) => isInside(address));
      if (found !== undefined) {
        return callback(refused(name, `${found.address} is no address of the Internet`), "", 0);
      }
      if (options.all === true) return callback(null, addresses);
      return callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
}
