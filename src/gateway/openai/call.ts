import { isUtf8 } from "node:buffer";
import { isTooNested, nestingMax, refuse, type Refusal } from "../../base/index.ts";
import type { Endpoint } from "./endpoints.ts";
import { isServiceTier, type ServiceTier, serviceTiers } from "./service-tier.ts";

/** The fields of a request that the gateway itself needs; all others are the engine's business. */
export interface CallFields {
  readonly model: string;
  readonly stream: boolean;
  /** Whether the client asked for the usage in the stream. */
  readonly includeUsage: boolean;
  /** The answer's token limit as the client set it; undefined where it set none. */
  readonly maxTokens: number | undefined;
  /** How many answers at most: `n` for every prompt, or the `best_of` that they are chosen from. */
  readonly answers: number;
  /** The tier that was asked for; undefined where none was. */
  readonly serviceTier: ServiceTier | undefined;
}

/** What a destination needs changed in a body. */
export interface BodyEdits {
  readonly upstreamName: string;
  readonly cacheSalt: string | undefined;
  readonly maxTokens: number | undefined;
}

/** A request's body, parsed once; its bytes go on as they came, except for the edits listed at `bytesFor`. */
export class CallBody {
  readonly fields: CallFields;
  readonly bytes: Buffer;
  /** What the bytes say. */
  readonly value: Readonly<Record<string, unknown>>;
  readonly #endpoint: Endpoint;

  private constructor(bytes: Buffer, value: Readonly<Record<string, unknown>>, fields: CallFields, endpoint: Endpoint) {
    this.bytes = bytes;
    this.value = value;
    this.fields = fields;
    this.#endpoint = endpoint;
  }

  static parse(bytes: Buffer, endpoint: Endpoint): CallBody | Refusal {
    const value = parseObject(bytes);
    if (value === undefined) return refuse("malformed_json", "The body is not a JSON object in UTF-8.");
    if (isTooNested(value)) return refuse("invalid_request", `The body has more than ${nestingMax} levels.`);
    const fields = fieldsOf(value, endpoint);
    return "outcome" in fields ? fields : new CallBody(bytes, value, fields, endpoint);
  }

  /**
   * The bytes that a destination gets, which are the client's own but for these edits: the model's name where the
   * destination knows it by another, `stream_options.include_usage` where the usage would not be in the stream, the
   * project's `cache_salt` where the engine keeps its caches apart by one, and the operator's token limit where the
   * client set none. What can be spliced in is; only where a member must change its value is the body written anew.
   */
  bytesFor(destination: BodyEdits): Buffer {
    const { upstreamName, cacheSalt, maxTokens } = destination;
    const asksUsage = this.#endpoint.usageOnRequest && this.fields.stream && !this.fields.includeUsage;
    const limitField = this.fields.maxTokens === undefined ? this.#endpoint.maxTokensFields.at(-1) : undefined;
    const limits = maxTokens !== undefined && limitField !== undefined;
    const renamed = upstreamName !== this.fields.model;
    if (!asksUsage && !renamed && !limits && cacheSalt === undefined) return this.bytes;
    const options = this.value["stream_options"] as object | null | undefined;
    const edits = {
      ...(renamed ? { model: upstreamName } : {}),
      ...(asksUsage ? { stream_options: { ...options, include_usage: true } } : {}),
      ...(cacheSalt === undefined ? {} : { cache_salt: cacheSalt }),
      ...(limits ? { [limitField]: maxTokens } : {}),
    };
    if (Object.keys(edits).some((name) => name in this.value)) {
      return Buffer.from(JSON.stringify({ ...this.value, ...edits }));
    }
    // The body has a `model`, so a comma before another member is always right.
    const brace = this.bytes.lastIndexOf("}");
    return Buffer.concat([this.bytes.subarray(0, brace), Buffer.from(`,${JSON.stringify(edits).slice(1)}`)]);
  }
}

const maxAnswers = 128;

function parseObject(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  if (!isUtf8(bytes)) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // The one thing wrong is that it is no JSON, and the caller says so.
    return undefined;
  }
}

function fieldsOf(value: Readonly<Record<string, unknown>>, endpoint: Endpoint): CallFields | Refusal {
  const { model, stream, stream_options: options, n, best_of: bestOf } = value;
  if (typeof model !== "string" || model === "" || model.length > 256) {
    return invalid("model", "a model's name, as GET /v1/models lists them");
  }
  if (stream !== undefined && stream !== null && typeof stream !== "boolean") return invalid("stream", "true or false");
  if (options !== undefined && options !== null && (typeof options !== "object" || Array.isArray(options))) {
    return invalid("stream_options", "an object");
  }
  const includeUsage = options && "include_usage" in options ? options.include_usage : undefined;
  if (includeUsage !== undefined && includeUsage !== null && typeof includeUsage !== "boolean") {
    return invalid("stream_options.include_usage", "true or false");
  }
  if (n !== undefined && n !== null && !isCount(n, maxAnswers))
    return invalid("n", `a whole number up to ${maxAnswers}`);
  if (bestOf !== undefined && bestOf !== null && !isCount(bestOf, maxAnswers)) {
    return invalid("best_of", `a whole number up to ${maxAnswers}`);
  }
  for (const field of endpoint.maxTokensFields) {
    const limit = value[field];
    if (limit !== undefined && limit !== null && !isCount(limit, 2 ** 31))
      return invalid(field, "a whole number from 1");
  }
  const serviceTier = endpoint.hasServiceTier ? (value["service_tier"] ?? undefined) : undefined;
  if (serviceTier !== undefined && !isServiceTier(serviceTier)) {
    return invalid("service_tier", `one of ${serviceTiers.join(", ")}`);
  }
  const limit = endpoint.maxTokensFields.map((field) => value[field]).find((found) => typeof found === "number");
  return {
    model,
    stream: stream === true,
    includeUsage: includeUsage === true,
    maxTokens: limit,
    answers: Math.max(numberOr(n, 1), numberOr(bestOf, 1)) * promptsIn(value["prompt"]),
    serviceTier,
  };
}

/** Completions take a list of prompts; a list of numbers is one prompt in tokens. */
function promptsIn(prompt: unknown): number {
  return Array.isArray(prompt) && typeof prompt[0] !== "number" ? Math.max(1, prompt.length) : 1;
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

function isCount(value: unknown, most: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= most;
}

function invalid(param: string, wanted: string): Refusal {
  return refuse("invalid_request", `\`${param}\` must be ${wanted}.`, { param });
}
