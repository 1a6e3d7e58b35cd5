import { z } from "zod";
import { refuse } from "../../base/index.ts";
import { page, pageOf, reference, words } from "./fields.ts";
import type { SupportOperations, TenancyOperations } from "./operations.ts";
import { grant, grants } from "./rights-wire.ts";
import { route, type Route } from "./route.ts";
import { scopeOf } from "./scope.ts";

const mostSeconds = 7 * 86_400;

/** Grants by which staff look at a tenant's data: asked for by an operator, approved by the tenant. */
export function grantRoutes(support: SupportOperations, tenancy: TenancyOperations): readonly Route[] {
  const shared = { group: "Support access", permission: "tenant:grants" } as const;
  const params = z.object({ grant: reference });
  return [
    route(
      {
        ...shared,
        permission: "operator",
        method: "POST",
        path: "/grants",
        name: "askGrant",
        summary: "Asks for a grant. It opens nothing before the tenant approves it, from when its time runs.",
        body: z.strictObject({
          project: reference,
          operator: reference,
          seconds: z.int().min(60).max(mostSeconds),
          reason: words,
        }),
        answer: grant,
        status: 201,
      },
      async ({ body, asker }) => {
        const project = await tenancy.showProject(body.project);
        if ("outcome" in project) return project;
        const { operator, seconds, reason } = body;
        const whose = { organisation: project.organisation.id, project: project.id };
        return support.ask({ ...whose, operator, seconds, reason, by: asker.name });
      },
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/grants",
        name: "listGrants",
        summary: "Lists grants, also those that are over: with a key, those of its project or organisation.",
        query: z.strictObject({ ...page, organisation: reference.optional(), project: reference.optional() }),
        answer: grants,
      },
      async ({ query, asker }) => {
        const scope = await scopeOf(asker, query, tenancy);
        return "outcome" in scope ? scope : support.list(scope, pageOf(query));
      },
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/grants/:grant/approve",
        name: "approveGrant",
        summary: "Approves a grant, with a key of the tenant's; its time runs from now on.",
        params,
        answer: grant,
      },
      async ({ params: { grant: id }, asker }) => {
        if (asker.kind !== "key") return refuse("tenant_only", "A grant is approved with a key of the tenant's.");
        const scope = await scopeOf(asker, {}, tenancy);
        return "outcome" in scope ? scope : support.approve(id, scope, asker.name);
      },
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/grants/:grant/end",
        name: "endGrant",
        summary: "Ends a grant at once and for ever, from either side.",
        params,
        answer: grant,
      },
      async ({ params: { grant: id }, asker }) => {
        const scope = await scopeOf(asker, {}, tenancy);
        return "outcome" in scope ? scope : support.end(id, scope, asker.name);
      },
    ),
  ];
}
