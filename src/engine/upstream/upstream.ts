import type { Cancel, Clock } from "../../base/index.ts";
import type { Counted, Destination, DestinationSite, Dispatch, Offer } from "../destination.ts";
import { Address } from "./address.ts";
import type { Exchange, Reader } from "./exchange.ts";

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
  /** Hears when the upstream comes and goes. */
  readonly onChange: (state: { readonly ready: boolean; readonly why: string | undefined }) => void;
}

const watchIntervalMs = 5_000;
/** What every OpenAI-compatible server has, taken for granted until it has answered. */
const assumedEndpoints: ReadonlySet<string> = new Set(["chat.completions", "completions"]);

/**
 * Any OpenAI-compatible server that the operator already runs (vLLM, SGLang, llama-server, Ollama). Bytes pass
 * through as they are; what it offers is asked of it every few seconds, which is also how its absence is noticed.
 */
export class Upstream implements Destination {
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
  #why: string | undefined = "not asked yet";
  #running = 0;
  #cancelWatch: Cancel | undefined;
  #looking: Promise<void> | undefined;

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

  get ready(): boolean {
    return this.#ready;
  }
  /** Why it is not ready, in words for the operator. */
  get why(): string | undefined {
    return this.#why;
  }
  get running(): number {
    return this.#running;
  }
  offer(model: string): Offer | undefined {
    return this.#offers.get(model);
  }
  offers(): Iterable<Offer> {
    return this.#offers.values();
  }

  send(dispatch: Dispatch, reader: Reader): Exchange {
    this.#running++;
    const headers = [...this.#headers, ...dispatch.headers, "content-type", "application/json"];
    return this.#address.send("POST", dispatch.path, headers, dispatch.body, reader);
  }
  ended(): void {
    this.#running--;
  }

  /** An upstream keeps no counts: an answer that broke off before its usage stays unrated. */
  counts(): Promise<Counted | undefined> {
    return Promise.resolve(undefined);
  }
  acknowledge(): void {
    // Nothing is kept there that could be forgotten.
  }

  /** Asks what it offers now; one question at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async close(): Promise<void> {
    this.#cancelWatch?.();
    await Promise.allSettled([this.#address.destroy(), this.#watching.destroy()]);
  }

  async #look(): Promise<void> {
    const seen = await this.#listModels();
    const was = this.#ready;
    this.#ready = typeof seen !== "string";
    this.#why = typeof seen === "string" ? seen : undefined;
    if (typeof seen !== "string") {
      this.#endpoints ??= await this.#findEndpoints();
      this.#offers = this.#offersFrom(seen, this.#endpoints ?? assumedEndpoints);
    }
    if (was !== this.#ready) this.#options.onChange({ ready: this.#ready, why: this.#why });
  }

  /** The names that it lists, or why it does not. */
  async #listModels(): Promise<readonly ListedModel[] | string> {
    try {
      const { status, value } = await this.#watching.json("GET", "/v1/models", { headers: [...this.#headers] });
      if (status !== 200) return `GET /v1/models answered ${status}`;
      return listedModels(value) ?? "GET /v1/models answered with no list of models";
    } catch (error) {
      return `GET /v1/models failed: ${error instanceof Error ? error.message : String(error)}`;
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

function listedModels(value: unknown): readonly ListedModel[] | undefined {
  const data = (value as { data?: unknown } | null)?.data;
  if (!Array.isArray(data)) return undefined;
  return data.slice(0, maxListedModels).flatMap((entry: { id?: unknown; max_model_len?: unknown } | null) => {
    if (typeof entry?.id !== "string" || entry.id === "" || entry.id.length > 256) return [];
    const length = entry.max_model_len;
    return [{ id: entry.id, contextTokens: typeof length === "number" && length > 0 ? length : undefined }];
  });
}
