import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type Clock,
  type Ids,
  isId,
  nearest,
  refuse,
  type Refusal,
  type ReceiptId,
  withPrefix,
} from "../../base/index.ts";
import type { NarrowingHeaders } from "../../policy/index.ts";
import type { Holder } from "../../tenancy/index.ts";
import { Answer } from "../answer.ts";
import { readBody } from "../body.ts";
import { CallBody } from "./call.ts";
import { narrowingOf, subjectOf } from "./narrowing-headers.ts";
import { type Endpoint, endpoints } from "./endpoints.ts";

export type StageName = "admit" | "place" | "run" | "count" | "record";

/** A request for a model as the router hands it on: its key is known, its body is parsed. */
export interface RoutedCall {
  readonly id: ReturnType<typeof mintRequest>;
  readonly receipt: ReceiptId;
  readonly holder: Holder;
  readonly endpoint: Endpoint;
  readonly body: CallBody;
  readonly protocolHeaders: readonly string[];
  /** What its headers say of where it may run; undefined: nothing. */
  readonly narrowing: NarrowingHeaders | undefined;
  /** The pseudonym of the person that it is about; null: none is named. */
  readonly subject: string | null;
  readonly receivedAtMs: number;
  readonly startedAtMs: number;
  /** When each stage was over, in milliseconds since the call's start. */
  readonly stages: Map<StageName, number>;
}

export interface RouterOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: { readonly bodyBytes: number; readonly stallTimeoutMs: number };
  /** Whose key this is, or why it is nobody's. */
  readonly identify: (secret: string | undefined) => Holder | Refusal;
  /** The story of a request for a model. */
  readonly serve: (call: RoutedCall, answer: Answer) => Promise<void>;
  /** Models that this holder may use, in OpenAI's list shape. */
  readonly listModels: (holder: Holder) => readonly { readonly id: string }[];
  /** A receipt's file, where it is this holder's. */
  readonly findReceipt: (id: ReceiptId, holder: Holder) => Promise<string | undefined>;
  /** The proof that a receipt is in the transparency log, where it is this holder's. */
  readonly findProof: (id: ReceiptId, holder: Holder) => Promise<Buffer | Refusal>;
  /** The key that the holder's digests are salted with, as a JWK. */
  readonly digestKey: (holder: Holder) => string;
  /** A defect or broken I/O that ended a request; never holds what the request said. */
  readonly onFailure: (error: unknown, request: string) => Refusal;
}

const byPath = new Map(endpoints.map((endpoint) => [endpoint.path, endpoint]));
const jsonType = /^application\/(?:[\w.-]+\+)?json *(?:; *charset="?utf-?8"? *)?;?$/i;
const bearer = /^bearer +(\S{1,512})$/i;

/** Answers everything below /v1: a table look-up for what runs a model, three readings beside it, else a refusal. */
export function createRouter(options: RouterOptions): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const id = mintRequest(options.ids);
    const answer = new Answer(request, response, { clock: options.clock, timeoutMs: options.limits.stallTimeoutMs });
    answer.header("x-request-id", id);
    route(options, id, request, answer).catch((error: unknown) => {
      const refusal = options.onFailure(error, id);
      if (answer.begun) response.destroy();
      else answer.refuse(refusal);
    });
  };
}

function mintRequest(ids: Ids) {
  return ids.mint("req");
}

async function route(
  options: RouterOptions,
  id: RoutedCall["id"],
  request: IncomingMessage,
  answer: Answer,
): Promise<void> {
  const path = pathOf(request.url ?? "/");
  const holder = options.identify(secretOf(request));
  if ("outcome" in holder) return answer.refuse(holder);
  const endpoint = byPath.get(path);
  if (!holder.key.permissions.has("use")) {
    return answer.refuse(refuse("key_not_permitted", 'This key has no permission "use": it asks no models.'));
  }
  if (endpoint === undefined) return read(options, path, request, answer, holder);
  if (request.method !== "POST") return wrongMethod(answer, "POST");
  if ((request.headers["content-encoding"] ?? "identity") !== "identity") {
    return answer.refuse(refuse("unsupported_media_type", "A compressed body is not accepted."));
  }
  const type = request.headers["content-type"];
  if (type !== undefined && !isJson(type)) {
    return answer.refuse(refuse("unsupported_media_type", `A body of type ${type.slice(0, 100)} is not accepted.`));
  }
  const narrowing = narrowingOf(request.headers);
  if (narrowing !== undefined && "outcome" in narrowing) return answer.refuse(narrowing);
  const subject = subjectOf(request.headers);
  if (typeof subject === "object" && subject !== null) return answer.refuse(subject);
  const receivedAtMs = options.clock.nowMs();
  const startedAtMs = options.clock.monotonicMs();
  const bytes = await readBody(request, options.limits.bodyBytes);
  if (bytes === undefined) return undefined;
  if (!Buffer.isBuffer(bytes)) return answer.refuse(bytes);
  const body = CallBody.parse(bytes, endpoint);
  if (!(body instanceof CallBody)) return answer.refuse(body);
  const receipt = withPrefix("rcpt", id);
  const protocolHeaders = endpoint.name === "messages" ? anthropicHeaders(request) : [];
  const stages: RoutedCall["stages"] = new Map();
  const asked = { endpoint, body, protocolHeaders, narrowing, subject };
  return options.serve({ id, receipt, holder, ...asked, receivedAtMs, startedAtMs, stages }, answer);
}

async function read(
  options: RouterOptions,
  path: string,
  request: IncomingMessage,
  answer: Answer,
  holder: Holder,
): Promise<void> {
  const [, , collection, name, part, ...more] = path.split("/");
  const isReceipt = collection === "receipts" && name !== undefined && (part === undefined || part === "proof");
  if (!(isReceipt || (collection === "models" && part === undefined)) || more.length > 0) {
    return answer.refuse(refuse("not_found", `There is nothing at ${path.slice(0, 200)}.`));
  }
  if (request.method !== "GET" && request.method !== "HEAD") return wrongMethod(answer, "GET");
  if (collection === "models") return readModels(options, name, answer, holder);
  if (part === "proof") return readProof(options, name!, answer, holder);
  if (name === "digest-key") return json(answer, options.digestKey(holder));
  const file = isId("rcpt", name!) ? await options.findReceipt(name, holder) : undefined;
  if (file === undefined) return answer.refuse(refuse("receipt_not_found", "This project has no such receipt."));
  return json(answer, file);
}

async function readProof(options: RouterOptions, name: string, answer: Answer, holder: Holder): Promise<void> {
  const proof = isId("rcpt", name)
    ? await options.findProof(name, holder)
    : refuse("receipt_not_found", "This project has no such receipt.");
  if (!Buffer.isBuffer(proof)) return answer.refuse(proof);
  answer.begin(200, "text/plain; charset=utf-8", proof.length);
  return answer.end(proof);
}

function readModels(options: RouterOptions, name: string | undefined, answer: Answer, holder: Holder): void {
  const data = options.listModels(holder);
  if (name === undefined) return json(answer, JSON.stringify({ object: "list", data }));
  const model = data.find(({ id }) => id === decoded(name));
  if (model === undefined) {
    const meant = nearest(
      decoded(name),
      data.map(({ id }) => id),
    );
    const hint = meant === undefined ? "" : ` Did you mean "${meant}"?`;
    return answer.refuse(refuse("model_not_found", `There is no model "${decoded(name).slice(0, 200)}".${hint}`));
  }
  return json(answer, JSON.stringify(model));
}

function json(answer: Answer, text: string): void {
  const body = Buffer.from(text);
  answer.begin(200, "application/json", body.length);
  answer.end(body);
}

function wrongMethod(answer: Answer, allowed: string): void {
  answer.header("allow", allowed);
  answer.refuse(refuse("method_not_allowed", `Use ${allowed} here.`));
}

/** JSON, in the one encoding that it has (RFC 8259, section 8.1). */
function isJson(contentType: string): boolean {
  return contentType === "application/json" || jsonType.test(contentType);
}

function pathOf(url: string): string {
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A malformed escape names nothing; the raw text finds no model either.
    return segment;
  }
}

/** OpenAI's clients send a bearer token, Anthropic's `x-api-key`. */
function secretOf(request: IncomingMessage): string | undefined {
  const { authorization } = request.headers;
  if (authorization !== undefined) return bearer.exec(authorization)?.[1] ?? "";
  const key = request.headers["x-api-key"];
  return typeof key === "string" ? key : undefined;
}

function anthropicHeaders(request: IncomingMessage): readonly string[] {
  return ["anthropic-version", "anthropic-beta"].flatMap((name) => {
    const value = request.headers[name];
    return typeof value === "string" && value.length <= 256 ? [name, value] : [];
  });
}
