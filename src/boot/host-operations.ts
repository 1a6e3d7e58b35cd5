import type { Clock, Refusal } from "../base/index.ts";
import type { Operations } from "../gateway/index.ts";
import type { HostTold } from "../membership/index.ts";
import type { JoinedHosts } from "./joined.ts";

type Hosts = Operations["hosts"];
type Host = Exclude<Awaited<ReturnType<Hosts["revokeHost"]>>, Refusal>;

/** Hosts on other machines, as the table has them and as they are at the moment. */
export function hostOperations(joined: JoinedHosts, clock: Clock): Hosts {
  const { membership, url = "" } = joined;
  const told = (row: HostTold): Host => hostStatus(row, joined, clock);
  return {
    createToken: async (site, lastsSeconds) => {
      const made = await membership.createToken(site, lastsSeconds);
      return "outcome" in made ? made : { ...made, url };
    },
    listTokens: (page) => membership.listTokens(page),
    revokeToken: (token) => membership.revokeToken(token),
    listHosts: async (page) => {
      const list = await membership.listHosts(page);
      return "outcome" in list ? list : { ...list, items: list.items.map(told) };
    },
    revokeHost: async (host) => {
      const row = await membership.revokeHost(host);
      return "outcome" in row ? row : told(row);
    },
  };
}

function hostStatus(row: HostTold, { hosts, sites }: JoinedHosts, clock: Clock): Host {
  const { name, jurisdiction } = sites.of(row.site);
  const site = { name, jurisdiction: jurisdiction ?? null };
  const host = hosts.get(row.id);
  if (row.revokedAt !== null || host === undefined) {
    const nothing = { clockSkewMs: null, heardAgoMs: null, device: null, models: [], otherModels: [] };
    return { ...row, site, state: row.revokedAt === null ? "away" : "revoked", reason: null, ...nothing };
  }
  const { destination, state } = host;
  const { skewMs, answeredMs, device, otherModels } = state;
  return {
    ...row,
    site,
    state: destination.ready ? "ready" : "away",
    reason: destination.why ?? null,
    clockSkewMs: skewMs === undefined ? null : Math.round(skewMs),
    heardAgoMs: answeredMs === undefined ? null : Math.round(clock.monotonicMs() - answeredMs),
    device: device ?? null,
    models: [...destination.offers()].map(({ model }) => model),
    otherModels: [...otherModels],
  };
}
