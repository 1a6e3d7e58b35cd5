import type { LogEntry, LoggedRefusal, LoggedRequest, Period } from "../disclosure/index.ts";
import type { Operations } from "../gateway/index.ts";
import { type RefusalRecord, refusalRecords, type RequestRecord, requestRecords, type Store } from "../store/index.ts";

type Page = Parameters<Operations["reports"]["aiActLog"]>[2];

/** The page behind the last request: refusals from the first on. */
const firstRefusal = "refusals";

/** A part of a project's log: its requests, then its refusals. */
export async function logPage(
  store: Store,
  project: string,
  { from, to }: Period,
  { after, limit }: Page,
): Promise<{ readonly items: Record<string, unknown>[]; readonly next: string | null }> {
  const times = { project, from: new Date(from), to: new Date(to), limit: limit + 1 };
  const number = after === firstRefusal ? undefined : /^refusals:(\d{1,18})$/.exec(after ?? "")?.[1];
  if (after === firstRefusal || number !== undefined) {
    const rows = await refusalRecords(store.db, { ...times, after: number });
    const shown = rows.slice(0, limit);
    const next = rows.length > limit ? `${firstRefusal}:${shown.at(-1)!.number}` : null;
    return { items: shown.map(refusalOf).map(written), next };
  }
  const rows = await requestRecords(store.db, { ...times, after });
  const shown = rows.slice(0, limit);
  return { items: shown.map(requestOf).map(written), next: rows.length > limit ? shown.at(-1)!.request : firstRefusal };
}

function written(entry: LogEntry): Record<string, unknown> {
  return { ...entry };
}

/** What a receipt's statement says, of whichever version it is; of version 1 some is not in it. */
interface Said {
  readonly model?: { readonly sha256?: string | null; readonly adapter?: { readonly sha256: string } | null };
  readonly engine?: { readonly name: string; readonly build: string };
  readonly hops?: readonly { readonly jurisdiction: string | null }[];
  readonly policy?: { readonly digest?: string; readonly version?: string; readonly dataClass?: string };
}

function requestOf(record: RequestRecord): LoggedRequest {
  const parsed = JSON.parse(record.statement ?? "{}") as Said & { readonly predicate?: Said };
  const { model, engine, hops, policy } = parsed.predicate ?? parsed;
  return {
    line: "request",
    request: record.request,
    receipt: record.receipt,
    startedAt: record.startedAt.toISOString(),
    endedAt: record.endedAt.toISOString(),
    endpoint: record.endpoint,
    model: record.model,
    modelSha256: model?.sha256 ?? null,
    adapterSha256: model?.adapter?.sha256 ?? null,
    engine: engine === undefined ? null : { name: engine.name, build: engine.build },
    site: record.site,
    jurisdiction: hops?.at(-1)?.jurisdiction ?? null,
    dataClass: policy?.dataClass ?? null,
    decision: {
      outcome: "permitted",
      digest: record.decision ?? policy?.digest ?? null,
      version: policy?.version ?? null,
    },
    ending: record.ending,
    inputTokens: record.inputTokens === null ? null : Number(record.inputTokens),
    outputTokens: record.outputTokens === null ? null : Number(record.outputTokens),
  };
}

function refusalOf({ at, code, body }: RefusalRecord): LoggedRefusal {
  const said = JSON.parse(body) as Readonly<Record<string, unknown>>;
  const text = (name: string): string | null => (typeof said[name] === "string" ? said[name] : null);
  return {
    line: "refusal",
    request: text("request"),
    at: at.toISOString(),
    endpoint: text("endpoint"),
    model: text("model"),
    code,
    message: text("message") ?? "",
  };
}
