import { z } from "zod";
import { refuse, type Refusal } from "../../base/index.ts";
import type { Asker } from "./access.ts";
import { page, pageOf, reference } from "./fields.ts";
import type { ExitOperations, ExportOperations, SupportOperations, TenancyOperations } from "./operations.ts";
import { exit, exits, exportLine } from "./rights-wire.ts";
import { route, type Route, streamingRoute } from "./route.ts";
import { scopeOf } from "./scope.ts";

/** Of a transition that the tenant wants longer than the 30 days: seven months. */
const transitionDaysMax = 214;

/** A tenant's way out: everything that it owns, and the dates of its leaving. */
export function exitRoutes(
  exporting: ExportOperations,
  leaving: ExitOperations,
  support: SupportOperations,
  tenancy: TenancyOperations,
): readonly Route[] {
  const shared = { group: "Exit", permission: "tenant:export" } as const;
  const params = z.object({ exit: reference });
  const organisationOf = async (
    asker: Asker,
    asked: { organisation?: string | undefined },
  ): Promise<string | Refusal> => {
    const scope = await scopeOf(asker, asked, tenancy);
    if ("outcome" in scope) return scope;
    if (asker.kind === "key" && !asker.isForOrganisation) {
      return refuse("key_not_permitted", "This key reaches its project only; an organisation leaves as a whole.");
    }
    return scope.organisation ?? refuse("invalid_request", "Name the organisation.", { param: "organisation" });
  };
  return [
    streamingRoute(
      {
        ...shared,
        method: "POST",
        path: "/exports",
        name: "exportOrganisation",
        summary:
          "Streams everything that an organisation owns, a line each (docs/reference/export.md); the last line is `end`. Stored content is opened for a key of the tenant's that may read it, and for staff under a grant, who get no digest keys without.",
        body: z.strictObject({
          organisation: reference.optional(),
          except: z.array(reference).max(1_000).optional().meta({ description: "Projects that are left out." }),
        }),
        answer: exportLine,
      },
      async ({ body, asker }) => {
        const organisation = await organisationOf(asker, body);
        if (typeof organisation !== "string") return organisation;
        const isGranted = async (project: string): Promise<boolean> =>
          asker.kind === "operator" && (await support.refusalFor(asker, project)) === undefined;
        const isKey = asker.kind === "key";
        const may = {
          read: async (project: string) => (isKey ? asker.permissions.has("contents") : isGranted(project)),
          link: async (project: string) => isKey || isGranted(project),
        };
        const found = await exporting.organisation(organisation, may, body.except);
        return "outcome" in found ? found : { lines: ended(found.lines) };
      },
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/exits",
        name: "beginExit",
        summary:
          "Begins an organisation's exit (Data Act, art. 25): notice, two months at most and none as a rule, 30 days of transition, 30 days to fetch data, then the erasure. No fee. Beginning one that has begun changes nothing.",
        body: z.strictObject({
          organisation: reference.optional(),
          noticeDays: z.int().min(0).max(62).default(0).meta({ description: "Two months at most, whatever is given." }),
          transitionDays: z.int().min(30).max(transitionDaysMax).default(30),
        }),
        answer: exit,
        status: 201,
      },
      async ({ body, asker }) => {
        const organisation = await organisationOf(asker, body);
        if (typeof organisation !== "string") return organisation;
        const { noticeDays, transitionDays } = body;
        return leaving.begin({ organisation, noticeDays, transitionDays, by: asker.name });
      },
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/exits",
        name: "listExits",
        summary: "Lists exits with their dates.",
        query: z.strictObject({ ...page, organisation: reference.optional() }),
        answer: exits,
      },
      async ({ query, asker }) => {
        const scope = await scopeOf(asker, { organisation: query.organisation }, tenancy);
        return "outcome" in scope ? scope : leaving.list({ organisation: scope.organisation }, pageOf(query));
      },
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/exits/:exit/finish",
        name: "finishExit",
        summary:
          "Ends an exit with the organisation's erasure: once its days are over, or before, by a key of the tenant's that may erase.",
        params,
        answer: exit,
      },
      async ({ params: { exit: id }, asker }) => {
        const scope = await scopeOf(asker, {}, tenancy);
        if ("outcome" in scope) return scope;
        const isWaived = asker.kind === "key" && asker.isForOrganisation && asker.permissions.has("erase");
        if (asker.kind === "key" && !isWaived) {
          return refuse("key_not_permitted", 'This needs a key that may "erase" for its organisation.');
        }
        return leaving.finish(id, { organisation: scope.organisation }, { by: asker.name, isWaived });
      },
    ),
  ];
}

type Line = z.input<typeof exportLine>;

/** Whoever sees no `end` has not got everything. */
async function* ended(lines: AsyncIterable<Line>): AsyncGenerator<Line> {
  let count = 0;
  for await (const line of lines) {
    count++;
    yield line;
  }
  yield { part: "end", row: { lines: count } };
}
