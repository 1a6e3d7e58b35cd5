import type { Cancel, Clock } from "../../base/index.ts";
import type { Counted, Destination, DestinationSite, Dispatch, Forgotten, Offer } from "../destination.ts";
import { Address } from "./address.ts";
import type { Exchange, Reader } from "./exchange.ts";
import { RunningExchanges } from "./running-exchanges.ts";
import { WholeAnswer } from "./whole-answer.ts";

export interface UpstreamOptions {
  readonly name: string;
  readonly url: string;
  /** Its own key, sent as a bearer token; it never reaches a log, an error or a receipt. */
  readonly key: string | undefined;
  readonly site: DestinationSite;
  /** Names here for names there; empty: every model that it lists, by the name it has there. */
  readonly models: readonly { readonly name: string; readonly upstreamName: string; readonly contextTokens?: number }[];
  /** Rows of the endpoint table that it has; undefined: found out by asking. */
  readonly endpoints: readonly string[] | undefined;
  /** Every endpoint's name and path, to ask for. */
  readonly knownEndpoints: readonly { readonly name: string; readonly path: string }[];
  readonly cacheSalt: boolean;
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly clock: Clock;
  /** Hears when the upstream comes and goes, and when the reason of its absence changes; the first look counts. */
  readonly onChange: (state: { readonly ready: boolean; readonly why: string | undefined }) => void;
}

const watchIntervalMs = 5_000;
const listBytesMax = 4 << 20;
/** What every OpenAI-compatible server has, taken for granted until it has answered. */
const assumedEndpoints: ReadonlySet<string> = new Set(["chat.completions", "completions"]);

/**
 * Any OpenAI-compatible server that the operator already runs (vLLM, SGLang, llama-server, Ollama). Bytes pass
 * through as they are; what it offers is asked of it every few seconds, which is also how its absence is noticed.
 */
export class Upstream implements Destination {
  readonly faults = [];
  readonly kind = "upstream";
  readonly name: string;
  readonly site: DestinationSite;
  readonly engine = { name: "upstream", build: "" };
  readonly cacheSalt: boolean;
  readonly #options: UpstreamOptions;
  readonly #address: Address;
  readonly #watching: Address;
  readonly #headers: readonly string[];
  #offers = new Map<string, Offer>();
  #endpoints: ReadonlySet<string> | undefined;
  #ready = false;
  #why: string | undefined = "it has not answered yet";
  readonly #exchanges = new RunningExchanges();
  #running = 0;
  #cancelWatch: Cancel | undefined;
  #looking: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.name = options.name;
    this.site = options.site;
    this.cacheSalt = options.cacheSalt;
    this.#address = new Address(options);
    this.#watching = new Address({ ...options, connections: 8, firstByteTimeoutMs: 10_000, idleTimeoutMs: 10_000 });
    this.#headers = options.key === undefined ? [] : ["authorization", `Bearer ${options.key}`];
    if (options.endpoints !== undefined) this.#endpoints = new Set(options.endpoints);
  }

  /** Asks once what it offers, then keeps watching. An absent upstream is no error: it may come later. */
  async start(): Promise<void> {
    await this.look();
    this.#cancelWatch = this.#options.clock.every(watchIntervalMs, () => void this.look());
  }

  /** It keeps nothing of ours: what it ran is gone with its connection. */
  readonly incarnation = 0;
  get ready(): boolean {
    return this.#ready;
  }
  /** Why it is not ready, in words for the operator. */
  get why(): string | undefined {
    return this.#why;
  }
  /** What an upstream says of one request says nothing of the next. */
  readonly declines = undefined;
  decline(): void {
    // As above.
  }
  get running(): number {
    return this.#running;
  }
  /** What goes on inside another server is its own affair. */
  readonly pool = undefined;
  offer(model: string): Offer | undefined {
    return this.#offers.get(model);
  }
  offers(): Iterable<Offer> {
    return this.#offers.values();
  }

  send(dispatch: Dispatch, reader: Reader): Exchange {
    this.#running++;
    const headers = [...this.#headers, ...dispatch.headers, "content-type", "application/json"];
    return this.#exchanges.add(this.#address.send("POST", dispatch.path, headers, dispatch.body, reader));
  }
  ended(): void {
    this.#exchanges.ended(--this.#running);
  }
  cut(reason: Error): void {
    this.#exchanges.cut(reason);
  }

  /** An upstream keeps no counts: an answer that broke off before its usage stays unrated. */
  counts(): Promise<Counted | undefined> {
    return Promise.resolve(undefined);
  }
  acknowledge(): void {
    // Nothing is kept there that could be forgotten.
  }

  /** No request of OpenAI's API reaches a server's caches. */
  forget(): Promise<Forgotten> {
    return Promise.resolve({ outcome: "unable" });
  }

  /** Asks what it offers now; one question at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelWatch?.();
    await Promise.allSettled([this.#address.destroy(), this.#watching.destroy()]);
  }

  async #look(): Promise<void> {
    const seen = await this.#listModels();
    // Cut off by our own end: that says nothing about the upstream.
    if (this.#isClosed) return;
    const [was, whyBefore] = [this.#ready, this.#why];
    this.#ready = typeof seen !== "string";
    this.#why = typeof seen === "string" ? seen : undefined;
    if (typeof seen !== "string") {
      this.#endpoints ??= await this.#findEndpoints();
      this.#offers = this.#offersFrom(seen, this.#endpoints ?? assumedEndpoints);
    }
    if (was !== this.#ready || whyBefore !== this.#why) this.#options.onChange({ ready: this.#ready, why: this.#why });
  }

  /** The names that it lists, or why it does not. */
  async #listModels(): Promise<readonly ListedModel[] | string> {
    try {
      const { status, text } = await this.#askModels();
      if (status !== 200) return `GET /v1/models answered ${status}${hintOf(status, this.#options.key !== undefined)}`;
      return listedModels(text) ?? "GET /v1/models answered with something that is no list of models";
    } catch (error) {
      return absenceOf(error);
    }
  }

  async #askModels(): Promise<{ readonly status: number; readonly text: string }> {
    const answer = new WholeAnswer(listBytesMax);
    const headers = [...this.#headers, "accept", "application/json"];
    const exchange = this.#watching.send("GET", "/v1/models", headers, undefined, answer);
    try {
      const { status } = await answer.headed;
      // Only a list is read: what else is said beside a status is for people.
      return { status, text: status === 200 ? (await answer.body).toString("utf8") : "" };
    } finally {
      exchange.abort(new Error("nothing more is read"));
    }
  }

  /**
   * An endpoint that it lacks answers an empty request with 404 or 405; one that it has finds fault with it. Undefined
   * where a question stayed without an answer: they are all asked again at the next look.
   */
  async #findEndpoints(): Promise<ReadonlySet<string> | undefined> {
    const found = await Promise.all(this.#options.knownEndpoints.map(({ path }) => this.#hasEndpoint(path)));
    if (found.includes(undefined)) return undefined;
    return new Set(this.#options.knownEndpoints.filter((_, index) => found[index]).map(({ name }) => name));
  }

  async #hasEndpoint(path: string): Promise<boolean | undefined> {
    const headers = [...this.#headers, "content-type", "application/json"];
    try {
      const status = await this.#watching.status("POST", path, headers, Buffer.from("{}"));
      return status !== 404 && status !== 405 && status !== 501;
    } catch {
      // No answer to this question, which is what the caller is told.
      return undefined;
    }
  }

  #offersFrom(listed: readonly ListedModel[], endpoints: ReadonlySet<string>): Map<string, Offer> {
    const named = this.#options.models.map((model) => ({
      model: model.name,
      upstreamName: model.upstreamName,
      contextTokens: model.contextTokens ?? listed.find(({ id }) => id === model.upstreamName)?.contextTokens,
    }));
    const all = listed.map(({ id, contextTokens }) => ({ model: id, upstreamName: id, contextTokens }));
    return new Map(
      (named.length > 0 ? named : all).map((offer) => [offer.model, { ...offer, sha256: undefined, endpoints }]),
    );
  }
}

interface ListedModel {
  readonly id: string;
  readonly contextTokens: number | undefined;
}

const maxListedModels = 10_000;

function listedModels(text: string): readonly ListedModel[] | undefined {
  const data = parsedData(text);
  if (!Array.isArray(data)) return undefined;
  return data.slice(0, maxListedModels).flatMap((entry: { id?: unknown; max_model_len?: unknown } | null) => {
    if (typeof entry?.id !== "string" || entry.id === "" || entry.id.length > 256) return [];
    const length = entry.max_model_len;
    return [{ id: entry.id, contextTokens: typeof length === "number" && length > 0 ? length : undefined }];
  });
}

function parsedData(text: string): unknown {
  try {
    return (JSON.parse(text) as { data?: unknown } | null)?.data;
  } catch {
    // Not JSON, so no list: the caller says so.
    return undefined;
  }
}

/** What an operator should look at behind a status that is none of success. */
function hintOf(status: number, hasKey: boolean): string {
  if (status === 401 || status === 403) {
    return hasKey
      ? ": it does not take the key that it is sent (--upstream-key names its variable, or `keyEnvironment`)"
      : ": it wants a key (name the variable that holds it with --upstream-key, or `keyEnvironment`)";
  }
  return status === 404 || status === 405
    ? ": its API is not at this URL; give the one that OpenAI's clients are given, with its path, such as /v1"
    : "";
}

/** Why nothing was heard of it. */
function absenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  switch ((error as NodeJS.ErrnoException | null)?.code) {
    case "ECONNREFUSED":
      return "connection refused: nothing listens there";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "its host has no address: the name is not known here";
    case "UND_ERR_CONNECT_TIMEOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "it cannot be reached: the connection was not made in time, or there is no way there";
    case "UND_ERR_HEADERS_TIMEOUT":
    case "UND_ERR_BODY_TIMEOUT":
      return "it is connected and does not answer GET /v1/models in time";
    default:
      return `GET /v1/models failed: ${message}`;
  }
}
