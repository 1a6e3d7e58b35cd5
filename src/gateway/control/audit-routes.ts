import { z } from "zod";
import { instant, page, pageOf, reference } from "./fields.ts";
import type { AuditOperations, TenancyOperations } from "./operations.ts";
import { auditEntries } from "./rights-wire.ts";
import { route, type Route } from "./route.ts";
import { scopeOf } from "./scope.ts";

/** Who changed what. */
export function auditRoutes(audit: AuditOperations, tenancy: TenancyOperations): readonly Route[] {
  const shared = { method: "GET", group: "Audit" } as const;
  return [
    route(
      {
        ...shared,
        permission: "tenant:audit",
        path: "/audit",
        name: "listAudit",
        summary:
          "Lists who did what, the newest first: with a key, what concerns its project or organisation. Of what has ended, how; `asked` alone: nobody knows how it ended.",
        query: z.strictObject({
          ...page,
          organisation: reference.optional(),
          project: reference.optional(),
          actor: reference.optional().meta({ description: "An operator's name or a key's id." }),
          action: reference.optional().meta({ description: "An operation's name, such as `updateProject`." }),
          since: instant.optional(),
          until: instant.optional(),
        }),
        answer: auditEntries,
      },
      async ({ query, asker }) => {
        const scope = await scopeOf(asker, query, tenancy);
        if ("outcome" in scope) return scope;
        const { actor, action, since, until } = query;
        return audit.list({ ...scope, actor, action, since, until }, pageOf(query));
      },
    ),
    route(
      {
        ...shared,
        permission: "operator",
        path: "/audit/chain",
        name: "listAuditChain",
        summary: "Lists every entry of the audit log, the oldest first: each names the hash of the one before.",
        query: z.strictObject(page),
        answer: auditEntries,
      },
      ({ query }) => audit.all(pageOf(query)),
    ),
  ];
}
