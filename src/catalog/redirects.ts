import { isIP } from "node:net";
import { outsideLookup as lookupOutside } from "../base/index.ts";

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

/** Looks a name up, and refuses addresses within networks of one's own. */
export const outsideLookup = lookupOutside((name, why) => new RedirectRefused(name, why));
