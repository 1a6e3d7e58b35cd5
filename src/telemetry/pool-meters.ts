import { Counter, Gauge, type Registry } from "prom-client";
import type { ToldModel, ToldPool } from "../engine/index.ts";

/** What one host told of its device and models. */
export interface PoolOfHost {
  readonly host: string;
  /** How old it is. */
  readonly ageMs: number;
  readonly pool: ToldPool;
}

/** What a project has of the pool to itself. */
export interface ReservedShare {
  /** `organisation/project`. */
  readonly project: string;
  /** Above 0; all together at most 0.9. */
  readonly share: number;
}

/** A metric's name behind `bailiwick_pool_`, its help, and its value, undefined where there is none. */
type Row<From> = readonly [name: string, help: string, value: (from: From) => number | undefined];

const states: readonly ToldModel["state"][] = ["resident", "loading", "absent", "failed", "too_large"];

const hostGauges: readonly Row<PoolOfHost>[] = [
  ["figures_age_seconds", "Since the host told the figures of its pool.", ({ ageMs }) => ageMs / 1000],
  ["memory_bytes", "What models may take of the device's memory.", ({ pool }) => pool.device.memoryBytes],
  [
    "used_bytes",
    "Taken by loaded models and by one that is loading, as reckoned.",
    ({ pool }) => pool.device.usedBytes,
  ],
  ["pending_requests", "Requests that have no place yet.", ({ pool }) => pool.pending],
  ["turn_sequences", "Sequences in the turn that runs; 0: none runs.", ({ pool }) => pool.device.turn?.sequences ?? 0],
];

const modelGauges: readonly Row<ToldModel>[] = [
  ["model_bytes", "What the model takes once it is loaded.", ({ loadedBytes }) => loadedBytes],
  ["waiting_requests", "Requests that wait for the model's turn.", ({ waiting }) => waiting],
  ["running_requests", "Requests whose tokens are being computed.", ({ running }) => running],
  [
    "slack_seconds",
    "How long the first of the model's next tokens can wait; negative: late; absent: it has no work.",
    ({ slackMs }) => inSeconds(slackMs),
  ],
  ["idle_seconds", "Since the model's last turn; absent: it had none.", ({ idleMs }) => inSeconds(idleMs)],
];

const counters: readonly Row<ToldPool["totals"]>[] = [
  ["turns_total", "Turns.", ({ turns }) => turns],
  ["busy_seconds_total", "Time in which there was a turn.", ({ busyMs }) => busyMs / 1000],
  ["loads_total", "Models loaded.", ({ loads }) => loads],
  ["loaded_bytes_total", "Bytes of the models loaded.", ({ loadedBytes }) => loadedBytes],
  ["failed_loads_total", "Models that could not be loaded.", ({ failedLoads }) => failedLoads],
  ["evictions_total", "Models evicted for others.", ({ evictions }) => evictions],
  ["refused_total", "Requests that the pool refused.", ({ refused }) => refused],
  ["requests_ended_total", "Requests that ended.", ({ ended }) => ended],
  [
    "requests_first_token_in_time_total",
    "Requests that ended, their first token in time.",
    ({ firstTokensInTime }) => firstTokensInTime,
  ],
  ["requests_in_time_total", "Requests that ended, all their tokens in time.", ({ inTime }) => inTime],
];

/** What hosts tell of their pools, read at the scrape. As many series as there are hosts and models in the settings. */
export function poolMeters(
  registry: Registry,
  read: () => readonly PoolOfHost[],
  readShares: () => readonly ReservedShare[],
): void {
  for (const [name, help, value] of hostGauges) {
    gauge(registry, name, help, ["host"], (set) => {
      for (const each of read()) set({ host: each.host }, value(each));
    });
  }
  for (const [name, help, value] of modelGauges) {
    gauge(registry, name, help, ["host", "model"], (set) => {
      for (const { host, pool } of read()) for (const each of pool.models) set({ host, model: each.name }, value(each));
    });
  }
  modelStates(registry, read);
  gauge(registry, "reserved_share", "Share of the pool that a project has reserved.", ["project"], (set) => {
    for (const { project, share } of readShares()) set({ project }, share);
  });
  for (const [name, help, value] of counters) counter(registry, name, help, read, value);
}

/** A set of states as OpenMetrics 1.0 has it (section "StateSet"): one that does not hold is 0, so that none vanishes. */
function modelStates(registry: Registry, read: () => readonly PoolOfHost[]): void {
  gauge(registry, "models", "Models by state.", ["host", "state"], (set) => {
    for (const { host, pool } of read()) {
      for (const state of states) set({ host, state }, pool.models.filter((model) => model.state === state).length);
    }
  });
  gauge(registry, "model_state", "1 for the state that a model is in.", ["host", "model", "state"], (set) => {
    for (const { host, pool } of read()) {
      for (const model of pool.models) {
        for (const state of states) set({ host, model: model.name, state }, Number(model.state === state));
      }
    }
  });
}

type Labels = Readonly<Record<string, string>>;

function gauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  fill: (set: (labels: Labels, value: number | undefined) => void) => void,
): void {
  new Gauge({
    name: `bailiwick_pool_${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      fill((labels, value) => {
        if (value !== undefined) this.set({ ...labels }, value);
      });
    },
  });
}

function counter(
  registry: Registry,
  name: string,
  help: string,
  read: () => readonly PoolOfHost[],
  value: Row<ToldPool["totals"]>[2],
): void {
  new Counter({
    name: `bailiwick_pool_${name}`,
    help: `${help} Since the host started: it begins at 0 again with the host.`,
    labelNames: ["host"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { host, pool } of read()) this.inc({ host }, value(pool.totals));
    },
  });
}

function inSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
