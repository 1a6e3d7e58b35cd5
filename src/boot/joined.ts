import type { Membership } from "../membership/index.ts";
import type { JoinedHost } from "./joined-host.ts";
import type { Sites } from "./sites.ts";

/** Hosts on other machines, as the parts that tell of them see them. */
export interface JoinedHosts {
  readonly membership: Membership;
  /** Those that are hosts now, by their ids. */
  readonly hosts: ReadonlyMap<string, JoinedHost>;
  readonly sites: Sites;
  /** Where machines join; undefined: they cannot. */
  readonly url: string | undefined;
}
