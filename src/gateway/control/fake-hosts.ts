import { type Clock, createIds, refuse } from "../../base/index.ts";
import { paged } from "./fake-pages.ts";
import { instantOf } from "./fields.ts";
import type { HostOperations } from "./operations.ts";
import type { Host, HostToken } from "./wire.ts";

/** Hosts in memory, of the one site "fr": for tests of what asks for them. */
export function createFakeHosts(clock: Clock): HostOperations {
  const ids = createIds(clock);
  const tokens: HostToken[] = [];
  const joinedAt = instantOf(clock.nowMs());
  const joined: Host[] = [
    {
      id: ids.mint("host"),
      site: { name: "fr", jurisdiction: "FR" },
      state: "ready",
      reason: null,
      key: "k".repeat(43),
      address: "192.0.2.7:7443",
      joinedAt,
      revokedAt: null,
      clockSkewMs: 3,
      heardAgoMs: 400,
      device: "CPU",
      models: ["smollm2-135m-instruct"],
      otherModels: [],
    },
  ];
  const revoked = <Row extends { readonly id: string }>(
    rows: Row[],
    id: string,
    param: string,
    change: Partial<Row>,
  ) => {
    const at = rows.findIndex((row) => row.id === id);
    if (at < 0) return Promise.resolve(refuse("not_found", "There is none.", { param }));
    rows[at] = { ...rows[at]!, ...change };
    return Promise.resolve(rows[at]);
  };
  return {
    createToken: (site, lastsSeconds) => {
      if (site !== "fr") {
        return Promise.resolve(refuse("site_not_declared", `No site "${site}" is declared.`, { param: "site" }));
      }
      const row = {
        id: ids.mint("htk"),
        site,
        state: "open" as const,
        createdAt: joinedAt,
        expiresAt: instantOf(clock.nowMs() + lastsSeconds * 1_000),
        host: null,
      };
      tokens.push(row);
      return Promise.resolve({
        ...row,
        token: `bwj_${"s".repeat(43)}.${"g".repeat(43)}`,
        url: "https://192.0.2.1:8443",
      });
    },
    listTokens: (page) => Promise.resolve(paged(tokens, page)),
    revokeToken: (token) => revoked(tokens, token, "token", { state: "revoked" }),
    listHosts: (page) => Promise.resolve(paged(joined, page)),
    revokeHost: (host) => revoked(joined, host, "host", { state: "revoked", revokedAt: joinedAt }),
  };
}
