/**
 * Loaded before a gateway, takes residency and receipts out of the way of its requests: three modules are replaced by ones
 * that do nothing. Without a statement there is no leaf, no seal, no entry in the log and no receipt in the database.
 * The rest of the program is the one that ships.
 */
import { registerHooks } from "node:module";

const here = new URL("./", import.meta.url).href;
const source = new URL("../../src/", import.meta.url).href;
const replaced: ReadonlyMap<string, string> = new Map([
  [`${source}policy/policy.ts`, `${here}policy.ts`],
  [`${source}receipt/digest.ts`, `${here}digest.ts`],
  [`${source}receipt/statement.ts`, `${here}statement.ts`],
]);

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    // The modules in their place may use what they replace.
    const url = context.parentURL?.startsWith(here) === true ? undefined : replaced.get(resolved.url);
    return url === undefined ? resolved : { ...resolved, url };
  },
});
