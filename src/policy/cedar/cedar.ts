import { createRequire } from "node:module";
import type * as Cedar from "@cedar-policy/cedar-wasm/nodejs";

let loaded: typeof Cedar | undefined;

/**
 * Cedar's engine. It takes a tenth of a second to load, so it is loaded when a policy is first looked at: a command that
 * decides nothing does not wait for it.
 */
export function cedar(): typeof Cedar {
  loaded ??= createRequire(import.meta.url)("@cedar-policy/cedar-wasm/nodejs") as typeof Cedar;
  return loaded;
}
