import { z } from "zod";
import { refuse } from "../../base/index.ts";
import { day, page, pageOf, reference } from "./fields.ts";
import type { CloudOperations, UsageOperations } from "./operations.ts";
import { route, type Route } from "./route.ts";
import { backup, cloudStatus, destinations, explanation, refusals, usageRows } from "./wire.ts";

const permission = "operator" as const;

/** How long a usage report waits for what was settled before it was asked. */
const shippingTimeoutMs = 10_000;

export function usageRoutes(usage: UsageOperations): readonly Route[] {
  const references = {
    organisation: reference.optional(),
    project: reference.optional(),
    key: reference.optional(),
    model: reference.optional(),
  };
  return [
    route(
      {
        permission,
        group: "Usage",
        method: "GET",
        path: "/usage",
        name: "listUsage",
        summary:
          "Usage by organisation, project, key, model and day, with everything that was settled before the call.",
        query: z.strictObject({ ...page, ...references, from: day.optional(), to: day.optional() }),
        answer: usageRows,
      },
      async ({ query }) => {
        // Later pages belong to a report that has already waited.
        if (query.after === undefined && !(await usage.shippedUpTo(shippingTimeoutMs))) {
          const message = `PostgreSQL did not take all settled usage within ${shippingTimeoutMs / 1000} s; a report now would lack some.`;
          return refuse("books_behind", message, { retryAfterSeconds: 10 });
        }
        const { organisation, project, key, model, from, to } = query;
        return usage.report({ organisation, project, key, model, from, to }, pageOf(query));
      },
    ),
    route(
      {
        permission,
        group: "Usage",
        method: "GET",
        path: "/refusals",
        name: "listRefusals",
        summary: "Refusals on record, the newest first. They hold no content.",
        query: z.strictObject(page),
        answer: refusals,
      },
      ({ query }) => usage.refusals(pageOf(query)),
    ),
  ];
}

export function cloudRoutes(cloud: CloudOperations): readonly Route[] {
  const shared = { permission, group: "Cloud" };
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/status",
        name: "showStatus",
        summary: "Shows whether everything runs.",
        answer: cloudStatus,
      },
      () => cloud.status(),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/destinations",
        name: "listDestinations",
        summary: "Lists where requests can run: this machine's hosts and the upstreams, with their sites.",
        answer: destinations,
      },
      // The settings bound how many there are.
      () => Promise.resolve({ items: [...cloud.destinations()], next: null }),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/policy/explain",
        name: "explainPolicy",
        summary: "Says for a project and a model which destinations are permitted, and why.",
        query: z.strictObject({ project: reference, model: reference }),
        answer: explanation,
      },
      ({ query }) => cloud.explain(query),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/backups",
        name: "createBackup",
        summary: "Writes a backup of database, journal and keys while serving.",
        body: z.strictObject({
          path: z
            .string()
            .min(1)
            .max(4096)
            .refine((text) => text.startsWith("/") && !text.includes("\0"), "an absolute path")
            .optional()
            .meta({ description: "Where, on the server's machine; left out: in the data folder." }),
        }),
        answer: backup,
        status: 201,
      },
      ({ body, signal }) => cloud.backup(body.path, signal),
    ),
  ];
}
