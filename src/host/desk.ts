import type { IncomingHttpHeaders } from "node:http";
import { refuse, type Refusal } from "../base/index.ts";
import type { GenerateRequest } from "../engine/index.ts";
import type { Objective, Pool, PoolRequest } from "../pool/index.ts";
import type { HostedModel } from "./hosted-model.ts";
import type { Entry, Place } from "./entry.ts";
import { overloaded } from "./refusals.ts";
import type { Schedule } from "./schedule.ts";

/** What whoever asks was promised; what is not said is the host's default. */
export interface Promised {
  readonly objective: Objective | undefined;
  readonly isPreemptible: boolean;
  /** What its tenant has of what is scarce, beside one of weight 1. */
  readonly weight: number;
  /** What an answer calls it whose request asked for a tier. */
  readonly serviceTier: string | undefined;
}

/** A choice that wants to be computed. */
export interface Choice {
  readonly id: string;
  readonly model: HostedModel;
  readonly tenant: string;
  readonly prompt: GenerateRequest["prompt"];
  readonly maxTokens: number | undefined;
  readonly promise: Promised;
  readonly abort: AbortController;
}

export interface DeskOptions {
  readonly pool: Pool;
  readonly schedule: Schedule;
  readonly objective: Objective;
  /** Answers of one model that are computed at once, and how many more may wait. */
  readonly sequences: number;
  readonly queuedPerModel: number;
  /** Why a model cannot be loaded whatever leaves for it; undefined: nothing is known against it. */
  readonly hindrance: (model: string) => Refusal | undefined;
}

/** What a text's bytes make of tokens, as long as its model is not there to count them. */
const bytesPerToken = 4;
/** Times the promised time to the first token after which an answer that has not begun is turned away. */
const patience = 2;
const leastPatienceMs = 120_000;

/** Who wants how many answers of which model. */
export interface Wanted {
  readonly model: string;
  readonly tenant: string;
  readonly choices: number;
  readonly promise: Promised;
}

/** There is room to wait. */
export interface Opening {
  readonly outcome: "open";
  /** Whoever gives his place for it goes now. To be called before they enter, in the same step. */
  take(): void;
}

/** Where answers ask for their turn. */
export interface Desk {
  /** Refuses where so many more answers of a model would find no room to wait, or the model cannot be loaded. */
  look(wanted: Wanted): Opening | Refusal;
  enter(choice: Choice): Place;
  /** Looks after those that wait, every second. */
  sweep(): void;
}

const open: Opening = { outcome: "open", take: () => undefined };

/** At most of an answer that nobody has asked for yet, where only its usual length counts. */
const usualTokens = 256;

/** The pool's: bounded, and with an honest word on when to come again. */
export class PoolDesk implements Desk {
  readonly #options: DeskOptions;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  look({ model, tenant, choices, promise }: Wanted): Opening | Refusal {
    const { schedule, queuedPerModel, sequences } = this.#options;
    const most = sequences + queuedPerModel;
    if (choices > most) {
      const asked = `${choices} answers at once are more than the ${most} that may run and wait here.`;
      return refuse("invalid_request", asked, { param: "n" });
    }
    const hindrance = this.#options.hindrance(model);
    if (hindrance !== undefined) {
      schedule.totals.refused += choices;
      return hindrance;
    }
    const queue = schedule.queue(model);
    const { waiting, begun } = queue;
    const free = Math.max(0, sequences - begun - waiting);
    const missing = waiting + Math.max(0, choices - free) - queuedPerModel;
    if (missing <= 0) return open;
    const { weight, isPreemptible } = promise;
    const giving = queue.whoGivesWay({ tenant, weight, isPreemptible, choices }, missing);
    if (giving !== undefined) return { outcome: "open", take: () => this.#displace(giving, isPreemptible) };
    schedule.totals.refused += choices;
    return overloaded(`${waiting} wait for ${model} already.`, this.#fullForMs(model));
  }

  #displace(giving: readonly Entry[], byPreemptible: boolean): void {
    const { schedule } = this.#options;
    const { model } = giving[0]!.work.request;
    const { waiting } = schedule.queue(model);
    const fullForMs = this.#fullForMs(model);
    schedule.displace(giving, ({ work }) => {
      const isByTier = work.request.isPreemptible === true && !byPreemptible;
      const taker = isByTier ? "work of a tier that comes first" : "somebody of whom fewer wait";
      return overloaded(`${waiting} wait for ${model} already: ${taker} has this one's place.`, fullForMs);
    });
  }

  /** When half of those that wait will have begun, for their turn or for a place: sooner most of those that come again would find it full. */
  #fullForMs(model: string): number {
    const { pool } = this.#options;
    const request = { ...this.#plain(model), inputTokens: 1, maxOutputTokens: usualTokens };
    return Math.max(pool.firstTokenMs(request) ?? 0, pool.retryAfterMs(request)) / 2;
  }

  enter({ id, model, tenant, prompt, maxTokens, promise, abort }: Choice): Place {
    const inputTokens = Math.min(model.size.contextTokens - 1, estimatedTokens(prompt));
    const room = model.size.contextTokens - inputTokens;
    const request: PoolRequest = {
      ...this.#plain(model.name),
      id,
      tenant,
      inputTokens,
      maxOutputTokens: Math.max(1, Math.min(maxTokens ?? room, room)),
      isPreemptible: promise.isPreemptible,
      weight: promise.weight,
      ...(promise.objective === undefined ? {} : { objective: promise.objective }),
    };
    return this.#options.schedule.enter({ request, signal: abort.signal, fail: (error) => abort.abort(error) });
  }

  sweep(): void {
    this.#options.schedule.sweep(({ objective }) => Math.max(leastPatienceMs, patience * objective.ttftMs));
  }

  #plain(model: string): Pick<PoolRequest, "id" | "tenant" | "model" | "objective"> {
    return { id: "", tenant: "", model, objective: this.#options.objective };
  }
}

function estimatedTokens(prompt: GenerateRequest["prompt"]): number {
  switch (prompt.kind) {
    case "tokens":
      return prompt.tokens.length;
    case "text":
      return Math.ceil(prompt.text.length / bytesPerToken);
    default:
      return prompt.messages.reduce((sum, { content }) => sum + Math.ceil(content.length / bytesPerToken) + 4, 4);
  }
}

/**
 * The gateway's words for what it promised: `bailiwick-objective: 10000/100` (milliseconds), `bailiwick-preemptible: yes`,
 * `bailiwick-weight: 3`, `bailiwick-service-tier: flex`.
 */
export function readPromise(headers: IncomingHttpHeaders): Promised | Refusal {
  const isPreemptible = headers["bailiwick-preemptible"] === "yes";
  const serviceTier = headers["bailiwick-service-tier"]?.toString();
  const weight = Number(headers["bailiwick-weight"] ?? 1);
  if (!Number.isInteger(weight) || weight < 1) return wrong("bailiwick-weight", "The weight is a whole number from 1.");
  const said = headers["bailiwick-objective"];
  if (said === undefined) return { objective: undefined, isPreemptible, weight, serviceTier };
  const [, ttft, tpot] = /^(\d{1,9})\/(\d{1,9})$/.exec(String(said)) ?? [];
  const objective = { ttftMs: Number(ttft), tpotMs: Number(tpot) };
  if (!(objective.ttftMs > 0 && objective.tpotMs > 0)) {
    return wrong("bailiwick-objective", "The objective is two numbers of milliseconds.");
  }
  return { objective, isPreemptible, weight, serviceTier };
}

function wrong(header: string, message: string): Refusal {
  return refuse("invalid_request", message, { param: header });
}
