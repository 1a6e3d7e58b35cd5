import { join } from "node:path";
import { formatAmount } from "../base/index.ts";
import type { Settings } from "../config/index.ts";
import type { ControlPageStatus, DestinationStatus, ModelPrice, Operations } from "../gateway/index.ts";
import type { Cloud } from "../stages/index.ts";
import { ping, usageReport } from "../store/index.ts";
import type { RequestMeters } from "../telemetry/index.ts";
import { writeBackup } from "./backup.ts";
import { booksOperations } from "./books-operations.ts";
import { createReports } from "./disclosing.ts";
import { hostOperations } from "./host-operations.ts";
import type { OperationParts } from "./parts.ts";
import { exportOrganisation } from "./exporting.ts";
import { explainPlaces } from "./explaining.ts";
import { networkConnections } from "./network.ts";
import { placementsSince } from "./placements.ts";
import { poolStatus } from "./pool.ts";
import { prepaidOrganisations } from "./prepaid.ts";
import { walletOperations } from "./wallet-operations.ts";
import { logOperations } from "./transparency.ts";

const maxRows = 100_000;

/** What the control API acts on, joined from the rooms that do it. */
export function createOperations(parts: OperationParts): Operations {
  return {
    tenancy: { ...parts.tenancy, ...prepaidOrganisations(parts) },
    usage: usageOperations(parts),
    books: booksOperations(parts),
    wallets: walletOperations(parts),
    alerts: {
      async list(page) {
        const { items, next } = await parts.alerts.list(page);
        const told = items.map(({ atMs, deliveries, ...alert }) => ({
          ...alert,
          at: new Date(atMs).toISOString(),
          deliveries: [...deliveries],
        }));
        return { items: told, next };
      },
    },
    reservations: parts.reservations,
    residency: {
      ...parts.residency,
      placements: (question) => placementsSince(parts.store, parts.cloud.clock, question),
    },
    hosts: hostOperations(parts.joined, parts.cloud.clock),
    catalog: parts.catalog,
    cloud: cloudOperations(parts),
    log: logOperations(parts),
    reports: createReports(parts),
    ...parts.rights,
    exports: { organisation: exportOrganisation(parts) },
  };
}

function usageOperations({ store, shipper }: OperationParts): Operations["usage"] {
  return {
    shippedUpTo: (waitMs) => shipper.caughtUp(waitMs),
    async report(filter, page) {
      const { rows } = await usageReport(store.db, {
        ...(filter.organisation === undefined ? {} : { organisation: filter.organisation }),
        ...(filter.project === undefined ? {} : { project: filter.project.split("/").at(-1)! }),
        ...(filter.key === undefined ? {} : { key: filter.key }),
        ...(filter.model === undefined ? {} : { model: filter.model }),
        ...(filter.from === undefined ? {} : { fromDay: filter.from }),
        ...(filter.to === undefined ? {} : { toDay: filter.to }),
        limit: maxRows,
      });
      const from = Number(page.after ?? 0);
      const items = rows.slice(from, from + page.limit).map((row) => ({
        organisation: row.organisationName ?? row.organisation ?? "",
        project: row.projectName ?? row.project ?? "",
        key: row.keyName ?? row.key ?? "",
        model: row.model ?? "",
        day: row.day ?? "",
        requests: row.requests,
        inputTokens: row.inputTokens,
        cachedInputTokens: row.cachedInputTokens,
        outputTokens: row.outputTokens,
        unrated: row.unrated,
        amount: row.amount,
        currency: row.currency ?? "",
      }));
      return { items, next: rows.length > from + page.limit ? String(from + page.limit) : null };
    },
    async refusals(page) {
      const rows = await store.db
        .selectFrom("refusals")
        .selectAll()
        .orderBy("number", "desc")
        .$if(page.after !== undefined, (query) => query.where("number", "<", page.after!))
        .limit(page.limit + 1)
        .execute();
      const items = rows
        .slice(0, page.limit)
        .map(({ at, code, body }) => ({ at: at.toISOString(), code, ...refusalOf(body) }));
      return { items, next: rows.length > page.limit ? rows[page.limit - 1]!.number : null };
    },
  };
}

function refusalOf(text: string) {
  const body = JSON.parse(text) as Record<string, unknown>;
  const textOf = (name: string): string | null => (typeof body[name] === "string" ? body[name] : null);
  const reasons = Array.isArray(body["reasons"]) ? body["reasons"].map(String) : [];
  return {
    request: textOf("request"),
    message: textOf("message") ?? "",
    organisation: textOf("organisation"),
    project: textOf("project"),
    key: textOf("key"),
    model: textOf("model"),
    endpoint: textOf("endpoint"),
    reasons,
  };
}

function cloudOperations(parts: OperationParts): Operations["cloud"] {
  const { cloud, store, settings } = parts;
  return {
    async status() {
      const reachable = await ping(store.db).then(
        () => true,
        () => false,
      );
      const { failed, spareFailure } = cloud.journal.state();
      const all = destinationStatuses(cloud);
      return {
        version: parts.version,
        installation: parts.folder.installation,
        gateway: cloud.gateway,
        url: parts.url(),
        startedAt: new Date(parts.startedAtMs).toISOString(),
        ready: parts.isReady(),
        draining: cloud.draining(),
        site: { name: settings.site.name, jurisdiction: settings.site.jurisdiction ?? null },
        requestsInFlight: cloud.meters.inFlight,
        database: { kind: isExternal(settings) ? "external" : "embedded", reachable },
        journal: {
          state: failed ? "failed" : spareFailure === undefined ? "open" : "full",
          unshippedRecords: parts.shipper.waiting,
        },
        destinations: { ready: all.filter(({ ready }) => ready).length, all: all.length },
        log: parts.sequencing.status(),
      };
    },
    destinations: () => destinationStatuses(cloud),
    pool: () => poolStatus(cloud.destinations.all, parts.reserved.all, cloud.clock),
    priceOf: (model) => priceOf(cloud, model),
    explain: (question) => explainPlaces(parts, question),
    network: () => networkConnections(parts),
    async backup(path, signal) {
      const to =
        path ??
        join(parts.folder.path, "backups", new Date(cloud.clock.nowMs()).toISOString().replaceAll(/[:.]/g, "-"));
      return writeBackup(parts, to, signal);
    },
  };
}

function isExternal({ database }: Settings): boolean {
  return database.url !== undefined || database.urlEnvironment !== undefined;
}

function destinationStatuses(cloud: Cloud): DestinationStatus[] {
  return cloud.destinations.all.map((destination) => ({
    name: destination.name,
    kind: destination.kind,
    site: { name: destination.site.name, jurisdiction: destination.site.jurisdiction ?? null },
    engine: destination.engine,
    ready: destination.ready,
    reason: destination.why ?? null,
    running: destination.running,
    models: [...destination.offers()].map(({ model, sha256, contextTokens, endpoints }) => ({
      name: model,
      sha256: sha256 ?? null,
      contextTokens: contextTokens ?? null,
      endpoints: [...endpoints],
    })),
    faults: [...destination.faults],
  }));
}

function priceOf(cloud: Cloud, model: string): ModelPrice | undefined {
  const price = cloud.prices.at(cloud.clock.nowMs(), model);
  return (
    price && {
      version: price.version,
      currency: price.currency,
      inputPerMillion: formatAmount(price.inputPerMillion),
      cachedInputPerMillion: formatAmount(price.cachedInputPerMillion),
      outputPerMillion: formatAmount(price.outputPerMillion),
      reasoningPerMillion: formatAmount(price.reasoningPerMillion),
    }
  );
}

/** What the page shows: nothing of any tenant. */
export function pageStatus(
  options: { readonly version: string; readonly settings: Settings },
  cloud: Cloud,
  meters: RequestMeters,
  state: ControlPageStatus["state"],
): ControlPageStatus {
  const all = cloud.destinations.all;
  return {
    version: options.version,
    state,
    site: { name: options.settings.site.name, jurisdiction: options.settings.site.jurisdiction ?? null },
    models: [...cloud.destinations.models()].map((name) => {
      const places = all.filter((destination) => destination.offer(name) !== undefined);
      return {
        name,
        ready: places.some((place) => place.ready),
        contextTokens: places[0]?.offer(name)?.contextTokens ?? null,
        places: places.map(({ site, engine }) => ({
          site: site.name,
          jurisdiction: site.jurisdiction ?? null,
          engine: engine.name,
        })),
        price: priceOf(cloud, name) ?? null,
      };
    }),
    live: {
      atMs: cloud.clock.nowMs(),
      requests: meters.totals.requests,
      inFlight: meters.inFlight,
      outputTokens: meters.totals.outputTokens,
    },
  };
}
