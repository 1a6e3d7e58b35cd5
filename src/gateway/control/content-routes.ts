import { z } from "zod";
import { refuse, type Refusal } from "../../base/index.ts";
import type { Asker } from "./access.ts";
import { instant, page, pageOf, reference } from "./fields.ts";
import type { ContentOperations, SupportOperations, TenancyOperations } from "./operations.ts";
import { storedContent, storedListings } from "./rights-wire.ts";
import { route, type Route } from "./route.ts";
import { type Scope, scopeOf } from "./scope.ts";

/** Whoever may be named in a header, too. */
export const subject = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, "1 to 128 printable ASCII characters without spaces")
  .meta({ description: "A person's pseudonym, as requests name it in `bailiwick-subject`." });

/** What was asked and answered, for the tenant whose it is, and for staff under a grant. */
export function contentRoutes(
  contents: ContentOperations,
  support: SupportOperations,
  tenancy: TenancyOperations,
): readonly Route[] {
  const shared = {
    method: "GET",
    group: "Stored content",
    permission: "tenant:contents",
    audited: "operators",
  } as const;
  const allowed = async (asker: Asker, query: { project?: string | undefined }): Promise<Scope | Refusal> => {
    const scope = await scopeOf(asker, query, tenancy);
    if ("outcome" in scope || asker.kind === "key") return scope;
    if (scope.project === undefined) return refuse("invalid_request", "Name the project.", { param: "project" });
    return (await support.refusalFor(asker, scope.project)) ?? scope;
  };
  return [
    route(
      {
        ...shared,
        path: "/contents",
        name: "listContents",
        summary: "Lists stored requests and answers, the oldest first, without what they say. Staff need a grant.",
        query: z.strictObject({
          ...page,
          project: reference.optional(),
          subject: subject.optional(),
          since: instant.optional(),
          until: instant.optional(),
        }),
        answer: storedListings,
      },
      async ({ query, asker }) => {
        const scope = await allowed(asker, query);
        if ("outcome" in scope) return scope;
        const { since, until } = query;
        if (query.subject !== undefined && scope.project === undefined) {
          return refuse("invalid_request", "A person is one of a project: name it.", { param: "project" });
        }
        return contents.list({ ...scope, subject: query.subject, since, before: until }, pageOf(query));
      },
    ),
    route(
      {
        ...shared,
        path: "/contents/:content",
        name: "showContent",
        summary: "Opens a stored request and its answer, by the request's id. Staff need a grant.",
        params: z.object({ content: reference }),
        query: z.strictObject({ project: reference.optional() }),
        answer: storedContent,
      },
      async ({ params, query, asker }) => {
        const scope = await allowed(asker, query);
        if ("outcome" in scope) return scope;
        const found = await contents.show(params.content, scope);
        if (found === undefined) return refuse("content_not_found", "Nothing is kept of such a request.");
        return { ...found, input: told(found.input), output: told(found.output) };
      },
    ),
  ];
}

/** As text where it is UTF-8, else as base64. */
function told(bytes: Buffer): { text: string | null; base64: string | null } {
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? { text, base64: null } : { text: null, base64: bytes.toString("base64") };
}
