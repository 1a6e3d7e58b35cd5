/**
 * browser: verification where there is no Node and no server. Owns the bundles (the wrapper for `fetch`, the verifier, the
 * page that has it in it), and what stands in for Node's `crypto` and `Buffer` in them. Does not own: what is verified, or
 * how: it is the same code (verification, fetch).
 * Invariants: a bundle asks for no module, and for nothing of Node; the page works from a file, without a network.
 */
export { bundles, type Bundles } from "./bundle.ts";
