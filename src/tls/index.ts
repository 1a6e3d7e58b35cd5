/**
 * tls: how the machines of one cloud know one another. Owns a machine's own key pair and certificate, fingerprints of
 * public keys, connections and listeners that speak to one key alone, and the front that hands such connections on to a
 * Unix socket. Does not own: whose key is whose (membership), what is said over a connection.
 * Invariants: TLS 1.3; both sides show a certificate; a peer is known by the fingerprint of its public key, never by a
 * name, an authority or a date, and no byte is taken from or given to another; private keys are readable by their owner only.
 */
export { connectPinned, type Peer, PeerNotTrusted, pinnedConnector } from "./connect.ts";
export { fingerprintOf, peerFingerprint } from "./fingerprint.ts";
export { type Front, type FrontOptions, openFront } from "./front.ts";
export { Guests } from "./guests.ts";
export { type Identity, openIdentity } from "./identity.ts";
export { serverOptions } from "./server-options.ts";
