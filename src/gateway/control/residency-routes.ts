import { z } from "zod";
import { instant, page, pageOf, words } from "./fields.ts";
import type { ResidencyOperations } from "./operations.ts";
import { route, type Route } from "./route.ts";
import { facts, placements, policies, versions } from "./wire.ts";

const shared = { permission: "operator", group: "Residency" } as const;

const versionNumber = z.int().min(0).max(1_000_000_000);
const query = z.strictObject({
  version: z.coerce
    .number()
    .pipe(versionNumber.min(1))
    .optional()
    .meta({ description: "Left out: the one that holds." }),
});

const document = z.record(z.string().max(200), z.unknown());
const changing = {
  basedOn: versionNumber.meta({ description: "The newest version that this was made from; 0: there was none." }),
  note: words.optional().meta({ description: "What it is for." }),
};

/** Cedar reads UTF-8 only, and a name stands before a line's number. */
const file = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.cedar$/, "a plain name that ends in .cedar"),
  text: z
    .string()
    .max(262_144)
    .refine((text) => text.isWellFormed() && !text.includes("\0"), "UTF-8 text"),
});

/** The documents by which is decided where data may be. */
export function residencyRoutes(operations: ResidencyOperations): readonly Route[] {
  return [...factsRoutes(operations), ...policyRoutes(operations), placementsRoute(operations)];
}

function placementsRoute(operations: ResidencyOperations): Route {
  return route(
    {
      ...shared,
      method: "GET",
      path: "/placements",
      name: "listPlacements",
      summary:
        "Where requests ran, and which policy refused, added up by decision, destination and project: what a replay under other facts or policies needs. `newest`: as many requests, and as many refusals, are looked at.",
      query: z.strictObject({
        since: instant.optional(),
        newest: z.coerce.number().int().min(1).max(10_000_000).default(1_000_000),
      }),
      answer: placements,
    },
    ({ query }) => operations.placements({ since: query.since, newest: query.newest }),
  );
}

function factsRoutes(operations: ResidencyOperations): readonly Route[] {
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/facts",
        name: "showFacts",
        summary: "Shows the facts.",
        query,
        answer: facts,
      },
      ({ query }) => operations.showFacts(query.version),
    ),
    route(
      {
        ...shared,
        method: "PUT",
        path: "/facts",
        name: "applyFacts",
        summary:
          "Applies a document of facts, whole; it holds within a second. Refused where another version was applied since `basedOn`. What is not valid changes nothing, and `reasons` say where it is not.",
        body: z.strictObject({ ...changing, document: document.meta({ description: "The document of facts." }) }),
        answer: facts,
      },
      ({ body, asker }) => operations.putFacts({ ...body, by: asker.name }),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/facts/history",
        name: "listFactsVersions",
        summary: "Lists the versions of the facts, the newest first.",
        query: z.strictObject(page),
        answer: versions,
      },
      ({ query }) => operations.history("facts", pageOf(query)),
    ),
  ];
}

function policyRoutes(operations: ResidencyOperations): readonly Route[] {
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/policies",
        name: "showPolicies",
        summary: "Shows the operator's policies, and those that are shipped.",
        query,
        answer: policies,
      },
      ({ query }) => operations.showPolicies(query.version),
    ),
    route(
      {
        ...shared,
        method: "PUT",
        path: "/policies",
        name: "applyPolicies",
        summary:
          "Applies the operator's files of policies beside the shipped ones, and the policy document; they hold within a second. A file that has a shipped one's name stands in its place. Refused where another version was applied since `basedOn`. What is not valid changes nothing, and `reasons` say file, line and column.",
        body: z.strictObject({
          ...changing,
          files: z.array(file).max(100).default([]),
          document: document.default({}).meta({ description: "Own data classes, and regimes by data class." }),
        }),
        answer: policies,
      },
      ({ body, asker }) => operations.putPolicies({ ...body, by: asker.name }),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/policies/history",
        name: "listPoliciesVersions",
        summary: "Lists the versions of the policies, the newest first.",
        query: z.strictObject(page),
        answer: versions,
      },
      ({ query }) => operations.history("policies", pageOf(query)),
    ),
  ];
}
