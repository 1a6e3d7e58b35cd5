import { z } from "zod";
import { oneLine, page, pageOf, reference } from "./fields.ts";
import type { HostOperations } from "./operations.ts";
import { route, type Route } from "./route.ts";
import { createdHostToken, host, hosts, hostToken, hostTokens } from "./wire.ts";

const shared = { permission: "operator", group: "Hosts" } as const;
const yearSeconds = 31_536_000;

/** Hosts on other machines, and the tokens by which machines become hosts. */
export function hostRoutes(operations: HostOperations): readonly Route[] {
  return [...tokenRoutes(operations), ...memberRoutes(operations)];
}

function tokenRoutes(operations: HostOperations): readonly Route[] {
  return [
    route(
      {
        ...shared,
        method: "POST",
        path: "/hosts/tokens",
        name: "createHostToken",
        summary: "Makes a token by which one machine can become a host, of one site.",
        body: z.strictObject({
          site: oneLine(64).min(1).meta({ description: "Declared in the settings or the facts." }),
          expiresInSeconds: z.int().min(1).max(yearSeconds).default(3_600),
        }),
        answer: createdHostToken,
        status: 201,
      },
      ({ body }) => operations.createToken(body.site, body.expiresInSeconds),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/hosts/tokens",
        name: "listHostTokens",
        summary: "Lists these tokens, without their secrets.",
        query: z.strictObject(page),
        answer: hostTokens,
      },
      ({ query }) => operations.listTokens(pageOf(query)),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/hosts/tokens/:token/revoke",
        name: "revokeHostToken",
        summary: "Revokes a token. One that is used, expired or revoked stays as it is.",
        params: z.object({ token: reference }),
        answer: hostToken,
      },
      ({ params }) => operations.revokeToken(params.token),
    ),
  ];
}

function memberRoutes(operations: HostOperations): readonly Route[] {
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/hosts",
        name: "listHosts",
        summary: "Lists the hosts that have joined from other machines, those that were revoked too.",
        query: z.strictObject(page),
        answer: hosts,
      },
      ({ query }) => operations.listHosts(pageOf(query)),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/hosts/:host/revoke",
        name: "revokeHost",
        summary:
          "Revokes a host for ever. Nothing new goes there within a second; what runs may end. Its key cannot join again.",
        params: z.object({ host: reference }),
        answer: host,
      },
      ({ params }) => operations.revokeHost(params.host),
    ),
  ];
}
