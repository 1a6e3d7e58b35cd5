import { z } from "zod";
import { type ErrorEntry, errorCodes, type Refusal } from "../../base/index.ts";
import { type Catalog, type CatalogModel, modelEntrySchema, type PullProgress } from "../../catalog/index.ts";
import { page, pageOf, reference } from "./fields.ts";
import type { KnownModels } from "./known-models.ts";
import type { CloudOperations, List, Page } from "./operations.ts";
import { type Lines, route, type Route, streamingRoute } from "./route.ts";
import { type CatalogueModel, type Model, model, models, type PullLine, pullLine, removedModel } from "./wire.ts";

const shared = { permission: "operator", group: "Models" } as const;

/** The catalogue's models: what is known, what lies on this machine, what is served, at which price. */
export function modelRoutes(
  catalog: Catalog,
  cloud: Pick<CloudOperations, "priceOf">,
  known: Pick<KnownModels, "served" | "faultsOf">,
): readonly Route[] {
  const params = z.object({ model: reference });
  const complete = (found: CatalogModel): Model => ({
    ...describeModel(found),
    served: known.served().has(found.entry.name),
    faults: known.faultsOf(found.entry.name),
    price: cloud.priceOf(found.entry.name) ?? null,
  });
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/models",
        name: "listModels",
        summary: "Lists the models of the catalogue.",
        query: z.strictObject(page),
        answer: models,
      },
      async ({ query }) => {
        const { items, next } = pageByName(await catalog.list(), pageOf(query));
        return { items: items.map(complete), next };
      },
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/models/:model",
        name: "showModel",
        summary: "Shows a model of the catalogue.",
        params,
        answer: model,
      },
      async (input) => {
        const found = await catalog.find(input.params.model);
        return found.outcome === "refused" ? found : complete(found);
      },
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/models",
        name: "addModel",
        summary: "Adds a model to the catalogue; its form is that of the settings' `models.entries`.",
        body: modelEntrySchema,
        answer: model,
        status: 201,
      },
      async ({ body }) => {
        const added = await catalog.add(body);
        return added.outcome === "refused" ? added : complete(added);
      },
    ),
    streamingRoute(
      {
        ...shared,
        method: "POST",
        path: "/models/:model/pull",
        name: "pullModel",
        summary: "Brings a model's file to this machine and checks it; a line for each step.",
        params,
        answer: pullLine,
      },
      (input) => startPull(catalog, input.params.model, input.signal),
    ),
    route(
      {
        ...shared,
        method: "DELETE",
        path: "/models/:model",
        name: "removeModel",
        summary: "Removes a model's file from this machine, and an entry that was added.",
        params,
        answer: removedModel,
      },
      async (input) => {
        const removed = await catalog.remove(input.params.model, (name) => known.served().has(name));
        return removed.outcome === "refused" ? removed : { model: input.params.model, ...removed };
      },
    ),
  ];
}

/** A model of the catalogue as the control API and the command line show it. */
export function describeModel({ entry, origin, installed }: CatalogModel): CatalogueModel {
  return {
    name: entry.name,
    family: entry.family,
    developer: { name: entry.developer.name, country: entry.developer.country ?? null },
    licence: { spdx: entry.licence.spdx, url: entry.licence.url ?? null, clause: entry.licence.clause ?? null },
    contextTokens: entry.contextTokens,
    sizeBytes: installed?.sizeBytes ?? entry.sizeBytes ?? null,
    sha256: installed?.sha256 ?? entry.sha256 ?? null,
    sources: [...entry.sources],
    origin,
    state: installed === undefined ? "absent" : installed.verified ? "verified" : "unverified",
  };
}

/** The part of the catalogue behind `after`, which is a name. */
function pageByName(rows: readonly CatalogModel[], { limit, after }: Page): List<CatalogModel> {
  const at = after === undefined ? 0 : rows.findIndex((row) => row.entry.name === after) + 1;
  const items = rows.slice(at, at + limit);
  return { items, next: at + limit < rows.length ? (items.at(-1)?.entry.name ?? null) : null };
}

async function startPull(catalog: Catalog, name: string, signal: AbortSignal): Promise<Lines | Refusal> {
  const found = await catalog.find(name);
  return found.outcome === "refused" ? found : { lines: pullLines(catalog, name, signal) };
}

/**
 * A pull as lines. Progress that comes faster than the client reads is not queued: the newest replaces what waits. When
 * the client leaves, the pull stops; what it had downloaded stays for the next one.
 */
export async function* pullLines(catalog: Catalog, name: string, signal: AbortSignal): AsyncGenerator<PullLine> {
  let newest: PullProgress | undefined;
  let wake = (): void => {};
  const onProgress = (progress: PullProgress): void => {
    newest = progress;
    wake();
  };
  let ended = false;
  const pulled = endOfPull(catalog, name, onProgress, signal).finally(() => {
    ended = true;
    wake();
  });
  // A reader that stops early leaves nobody to hear of a failure; one that reads on hears of it below.
  pulled.catch(() => {});
  for (;;) {
    if (newest === undefined && !isEnded()) await new Promise<void>((resolve) => (wake = resolve));
    if (newest === undefined) break;
    const progress: PullProgress = newest;
    newest = undefined;
    yield progressLine(progress);
  }
  yield await pulled;

  function isEnded(): boolean {
    return ended;
  }
}

async function endOfPull(
  catalog: Catalog,
  name: string,
  onProgress: (progress: PullProgress) => void,
  signal: AbortSignal,
): Promise<PullLine> {
  const pulled = await catalog.pull(name, { onProgress, signal });
  if (pulled.outcome === "refused") return failedLine(pulled);
  const found = await catalog.find(name);
  if (found.outcome === "refused") return failedLine(found);
  const { downloaded, failures } = pulled;
  return { event: "done", model: describeModel(found), downloaded, failures: [...failures] };
}

function progressLine({ phase, source, receivedBytes, totalBytes }: PullProgress): PullLine {
  return { event: "progress", phase, source, receivedBytes, totalBytes: totalBytes ?? null };
}

function failedLine(refusal: Refusal): PullLine {
  const { next, retry }: ErrorEntry = errorCodes[refusal.code];
  const { code, message, reasons = [] } = refusal;
  return { event: "failed", error: { code, message, next, retry, reasons: [...reasons] } };
}
