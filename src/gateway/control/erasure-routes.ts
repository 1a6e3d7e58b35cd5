import { z } from "zod";
import { refuse } from "../../base/index.ts";
import { subject } from "./content-routes.ts";
import { page, pageOf, reference, words } from "./fields.ts";
import type { ErasureOperations, TenancyOperations } from "./operations.ts";
import { erasure, erasures } from "./rights-wire.ts";
import { route, type Route } from "./route.ts";
import { scopeOf } from "./scope.ts";

/** How long a client is kept waiting for the end of an erasure, which goes on without it. */
const waitMs = 50_000;

/** What a tenant wants gone: by a key of its own that may, or by an operator on its behalf. */
export function erasureRoutes(operations: ErasureOperations, tenancy: TenancyOperations): readonly Route[] {
  const shared = { group: "Erasure", permission: "tenant:erase" } as const;
  return [
    route(
      {
        ...shared,
        method: "POST",
        path: "/erasures",
        name: "erase",
        summary:
          "Erases a request, a person's records, a project, or an organisation, from every store, and answers when it is over, with a signed statement of what was erased and what is kept. What takes longer is `running`, and goes on by itself.",
        hidesBody: true,
        body: z.strictObject({
          organisation: reference.optional(),
          project: reference.optional(),
          request: reference.optional().meta({ description: "Of the project: this request." }),
          subject: subject.optional(),
          reason: words.nullable().default(null),
        }),
        answer: erasure,
      },
      async ({ body, asker }) => {
        const { request, subject: person, reason } = body;
        if ((body.project === undefined) === (body.organisation === undefined)) {
          return refuse("invalid_request", "Name either a project or an organisation.", { param: "project" });
        }
        const scope = await scopeOf(asker, body, tenancy);
        if ("outcome" in scope) return scope;
        const isWhole = body.organisation !== undefined;
        if (isWhole && asker.kind === "key" && !asker.isForOrganisation) {
          return refuse("key_not_permitted", "This key reaches its project only.");
        }
        const project = isWhole ? null : (scope.project ?? null);
        const whose = { organisation: scope.organisation ?? "", project };
        return operations.erase({ ...whose, request, subject: person, reason, by: asker.name }, waitMs);
      },
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/erasures",
        name: "listErasures",
        summary: "Lists erasures, with their statements.",
        query: z.strictObject({ ...page, organisation: reference.optional(), project: reference.optional() }),
        answer: erasures,
      },
      async ({ query, asker }) => {
        const scope = await scopeOf(asker, query, tenancy);
        return "outcome" in scope ? scope : operations.list(scope, pageOf(query));
      },
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/erasures/:erasure",
        name: "showErasure",
        summary: "Shows how far an erasure is, and its statement once it is over.",
        params: z.object({ erasure: reference }),
        answer: erasure,
      },
      async ({ params, asker }) => {
        const scope = await scopeOf(asker, {}, tenancy);
        return "outcome" in scope ? scope : operations.show(params.erasure, scope);
      },
    ),
  ];
}
