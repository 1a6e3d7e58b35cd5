import { Counter, Gauge, Registry } from "prom-client";
import { type PoolOfHost, poolMeters, type ReservedShare } from "./pool-meters.ts";
import { type Series, Tally } from "./tally.ts";

/** One request's end, as the stages report it. */
export interface EndedRequest {
  readonly endpoint: string;
  readonly model: string;
  readonly ending: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly firstPartMs: number | undefined;
  readonly totalMs: number;
  readonly unrated: boolean;
}

/** Values that are read when somebody asks: each function is called at the scrape. */
export interface Gauges {
  readonly journal: () => {
    readonly records: number;
    readonly batches: number;
    readonly bytes: number;
    readonly lastSyncMs: number;
    readonly unshippedRecords: number;
  };
  readonly destinations: () => readonly { readonly name: string; readonly ready: boolean; readonly running: number }[];
  readonly directoryConfirmedAgoMs: () => number;
  readonly pools: () => readonly PoolOfHost[];
  readonly reservedShares: () => readonly ReservedShare[];
}

export interface RequestMeters {
  began(): void;
  refused(code: string): void;
  /** An operator was told something of money. */
  alerted(kind: string): void;
  ended(request: EndedRequest): void;
  readonly inFlight: number;
  /** Totals since the start, for the page. */
  readonly totals: { readonly requests: number; readonly inputTokens: number; readonly outputTokens: number };
  /** Prometheus' text format. */
  scrape(): Promise<string>;
  readonly contentType: string;
}

// Bucket bounds as OpenTelemetry's GenAI semantic conventions advise (gen-ai-metrics, v1.37).
const durationBounds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const firstTokenBounds = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const perTokenBounds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
const tokenBounds = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576];

export function createMeters(gauges: Gauges): RequestMeters {
  const registry = new Registry();
  const requests = new RequestSeries(registry);
  gaugesOf(registry, gauges);
  poolMeters(registry, gauges.pools, gauges.reservedShares);
  let inFlight = 0;
  const totals = { requests: 0, inputTokens: 0, outputTokens: 0 };
  new Gauge({
    name: "bailiwick_requests_in_flight",
    help: "Requests that run or wait.",
    registers: [registry],
    collect() {
      this.set(inFlight);
    },
  });
  const refusals = new Counter({
    name: "bailiwick_refusals_total",
    help: "Requests refused before they ran, by error code.",
    labelNames: ["code"] as const,
    registers: [registry],
  });
  const alerts = new Counter({
    name: "bailiwick_alerts_total",
    help: "Alerts of budgets, wallets and unrated usage.",
    labelNames: ["kind"] as const,
    registers: [registry],
  });
  return {
    began: () => void inFlight++,
    refused: (code) => refusals.inc({ code }),
    alerted: (kind) => alerts.inc({ kind }),
    ended(request) {
      inFlight--;
      totals.requests++;
      totals.inputTokens += request.inputTokens;
      totals.outputTokens += request.outputTokens;
      requests.observe(request);
    },
    get inFlight() {
      return inFlight;
    },
    totals,
    scrape: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** What is kept of the requests of one operation and model. */
interface ModelSeries {
  readonly labels: { readonly gen_ai_operation_name: string; readonly gen_ai_request_model: string };
  readonly endings: Map<string, number>;
  unrated: number;
  readonly duration: Series;
  readonly firstToken: Series;
  readonly perToken: Series;
  readonly inputTokens: Series;
  readonly outputTokens: Series;
}

/** Every request's end goes in here, so it looks its series up once and adds; the rest is done at the scrape. */
class RequestSeries {
  readonly #series = new Map<string, ModelSeries>();
  readonly #duration: Tally;
  readonly #firstToken: Tally;
  readonly #perToken: Tally;
  readonly #tokens: Tally;

  constructor(registry: Registry) {
    const labelNames = ["gen_ai_operation_name", "gen_ai_request_model"] as const;
    this.#countersOf(registry, labelNames);
    this.#duration = new Tally({
      name: "gen_ai_server_request_duration_seconds",
      help: "From the request's arrival to its last byte.",
      labelNames,
      buckets: durationBounds,
      registry,
    });
    this.#firstToken = new Tally({
      name: "gen_ai_server_time_to_first_token_seconds",
      help: "From the request's arrival to the first part of its answer.",
      labelNames,
      buckets: firstTokenBounds,
      registry,
    });
    this.#perToken = new Tally({
      name: "gen_ai_server_time_per_output_token_seconds",
      help: "Time per output token behind the first.",
      labelNames,
      buckets: perTokenBounds,
      registry,
    });
    this.#tokens = new Tally({
      name: "gen_ai_client_token_usage",
      help: "Tokens of a request, by type (input, output).",
      labelNames: [...labelNames, "gen_ai_token_type"],
      buckets: tokenBounds,
      registry,
    });
  }

  observe(request: EndedRequest): void {
    const series = this.#of(request.endpoint, request.model);
    series.endings.set(request.ending, (series.endings.get(request.ending) ?? 0) + 1);
    if (request.unrated) series.unrated++;
    series.duration.observe(request.totalMs / 1000);
    series.inputTokens.observe(request.inputTokens);
    series.outputTokens.observe(request.outputTokens);
    if (request.firstPartMs === undefined) return;
    series.firstToken.observe(request.firstPartMs / 1000);
    if (request.outputTokens < 2) return;
    series.perToken.observe((request.totalMs - request.firstPartMs) / (request.outputTokens - 1) / 1000);
  }

  /** As many as there are models on offer and endpoints: what was not placed never comes here. */
  #of(endpoint: string, model: string): ModelSeries {
    const name = `${endpoint}\n${model}`;
    let series = this.#series.get(name);
    if (series === undefined) {
      const labels = { gen_ai_operation_name: endpoint, gen_ai_request_model: model };
      series = {
        labels,
        endings: new Map(),
        unrated: 0,
        duration: this.#duration.series(labels),
        firstToken: this.#firstToken.series(labels),
        perToken: this.#perToken.series(labels),
        inputTokens: this.#tokens.series({ ...labels, gen_ai_token_type: "input" }),
        outputTokens: this.#tokens.series({ ...labels, gen_ai_token_type: "output" }),
      };
      this.#series.set(name, series);
    }
    return series;
  }

  #countersOf(registry: Registry, labelNames: readonly ["gen_ai_operation_name", "gen_ai_request_model"]): void {
    const all = this.#series;
    new Counter({
      name: "bailiwick_requests_total",
      help: "Requests that ran, by how they ended (stop, length, tool, abort, error).",
      labelNames: [...labelNames, "ending"] as const,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels, endings } of all.values()) {
          for (const [ending, count] of endings) this.inc({ ...labels, ending }, count);
        }
      },
    });
    new Counter({
      name: "bailiwick_unrated_total",
      help: "Requests whose usage or price could not be known.",
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels, unrated } of all.values()) this.inc(labels, unrated);
      },
    });
  }
}

function gaugesOf(registry: Registry, read: Gauges): void {
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  };
  gauge("bailiwick_journal_records", "Records appended since the start.", () => read.journal().records);
  gauge("bailiwick_journal_batches", "Group commits since the start.", () => read.journal().batches);
  gauge("bailiwick_journal_bytes", "Bytes appended since the start.", () => read.journal().bytes);
  gauge("bailiwick_journal_sync_seconds", "The last fdatasync's time.", () => read.journal().lastSyncMs / 1000);
  gauge("bailiwick_unshipped_records", "Journal records not yet in PostgreSQL.", () => read.journal().unshippedRecords);
  gauge(
    "bailiwick_directory_age_seconds",
    "Since keys were last confirmed.",
    () => read.directoryConfirmedAgoMs() / 1000,
  );
  new Gauge({
    name: "bailiwick_destination_running",
    help: "Requests running at a host or upstream.",
    labelNames: ["destination", "ready"] as const,
    registers,
    collect() {
      this.reset();
      for (const { name, ready, running } of read.destinations()) {
        this.set({ destination: name, ready: String(ready) }, running);
      }
    },
  });
}
