import { z } from "zod";
import { refuse, type Refusal } from "../../base/index.ts";
import { day, page, pageOf, reference } from "./fields.ts";
import type { KnownModels } from "./known-models.ts";
import type { CloudOperations, TenancyOperations, UsageFilter, UsageOperations } from "./operations.ts";
import { poolStatus } from "./pool-wire.ts";
import { route, type Route } from "./route.ts";
import { backup, destinations, explanation, networkConnections, refusals, shownStatus, usageRows } from "./wire.ts";

const permission = "operator" as const;

/** How long a usage report waits for what was settled before it was asked. */
const shippingTimeoutMs = 10_000;

export function usageRoutes(
  usage: UsageOperations,
  tenancy: TenancyOperations,
  models: Pick<KnownModels, "unknown">,
): readonly Route[] {
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
        const filter = await found({ organisation, project, key, model, from, to }, tenancy);
        if ("outcome" in filter) return filter;
        const report = await usage.report(filter, pageOf(query));
        if (model === undefined || "outcome" in report || report.items.length > 0) return report;
        return (await neverUsed(model, usage, models)) ?? report;
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

/** The filter with ids for paths of names; refuses what names nothing. A name that several share means all of them. */
async function found(filter: UsageFilter, tenancy: TenancyOperations): Promise<UsageFilter | Refusal> {
  const show = {
    organisation: (reference: string) => tenancy.showOrganisation(reference),
    project: (reference: string) => tenancy.showProject(reference),
    key: (reference: string) => tenancy.showKey(reference),
  };
  const ids: { organisation?: string; project?: string; key?: string } = {};
  for (const level of ["organisation", "project", "key"] as const) {
    const reference = filter[level];
    if (reference === undefined) continue;
    const isPath = reference.includes("/");
    const row = await show[level](reference);
    if (!("outcome" in row)) ids[level] = isPath ? row.id : reference;
    else if (isPath || row.code !== "ambiguous_name") return row;
  }
  return { ...filter, ...ids };
}

/** Why nothing was used of a model: nobody knows it, and nobody ever did; undefined otherwise. */
async function neverUsed(
  model: string,
  usage: UsageOperations,
  models: Pick<KnownModels, "unknown">,
): Promise<Refusal | undefined> {
  const unknown = await models.unknown(model);
  if (unknown === undefined) return undefined;
  const all = { organisation: undefined, project: undefined, key: undefined, model, from: undefined, to: undefined };
  const ever = await usage.report(all, { limit: 1, after: undefined });
  return "outcome" in ever || ever.items.length === 0 ? unknown : undefined;
}

export function cloudRoutes(
  cloud: CloudOperations,
  models: Pick<KnownModels, "notServed" | "currency">,
): readonly Route[] {
  const shared = { permission, group: "Cloud" };
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/status",
        name: "showStatus",
        summary: "Shows whether everything runs.",
        answer: shownStatus,
      },
      async () => ({ ...(await cloud.status()), currency: await models.currency() }),
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
        path: "/pool",
        name: "showPool",
        summary:
          "Shows what each host does: its memory, whose turn it is, what is copied, its models and their work, and what it did since it started.",
        answer: poolStatus,
      },
      () => Promise.resolve(cloud.pool()),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/network",
        name: "showNetwork",
        summary:
          "Lists every address that this cloud may connect to, what reaches it, and of an upstream the projects whose requests policy permits there.",
        answer: networkConnections,
      },
      () => cloud.network(),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/policy/explain",
        name: "explainPolicy",
        summary:
          "Says for a project where it may do something, and why: for each destination that offers the model, and each other site of the facts, the policies that decide, with their articles.",
        query: z.strictObject({
          project: reference,
          model: reference.optional(),
          action: z.enum(["infer", "embed", "train", "store", "log", "cache", "export"]).optional(),
          dataClass: reference.optional().meta({ description: "As if its data were of this class." }),
        }),
        answer: explanation,
      },
      async ({ query }) =>
        (query.model === undefined ? undefined : await models.notServed(query.model)) ?? cloud.explain(query),
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
