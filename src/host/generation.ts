import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type Clock,
  type Ending,
  type Ids,
  isId,
  nearest,
  refuse,
  type Refusal,
  RefusalError,
  type RequestId,
} from "../base/index.ts";
import type { FinishReason } from "../engine/index.ts";
import {
  answerHead,
  type GenerationEndpoint,
  parseChatRequest,
  parseCompletionRequest,
  type ParsedRequest,
} from "../engine/openai/index.ts";
import { type Answer, answerFor } from "./answer.ts";
import { readJson } from "./body.ts";
import type { Log } from "./log.ts";
import type { HostedModel } from "./hosted-model.ts";
import type { Outbox } from "./outbox.ts";
import { type Desk, type Promised, readPromise } from "./desk.ts";
import { Reply } from "./reply.ts";
import type { HostForgotten } from "./protocol.ts";
import type { Tallies, Tally } from "./tally.ts";

/** What every request of a host shares. */
export interface Hosting {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly bounds: { readonly bodyBytes: number; readonly bodyTimeoutMs: number; readonly stallMs: number };
  readonly models: ReadonlyMap<string, HostedModel>;
  readonly tallies: Tallies;
  readonly outbox: Outbox;
  readonly running: Set<Generation>;
  /** Undefined until the engine is open. */
  readonly desk: () => Desk;
  /** Why nothing new is taken; undefined: it is. */
  readonly closedFor: () => Refusal | undefined;
  /** Nothing idle finds again what the tenant has asked; undefined: what anybody has. */
  readonly forget: (tenant: string | undefined) => Promise<HostForgotten>;
}

/** A request that runs or waits here. */
export interface Generation {
  readonly answer: Answer;
  readonly tenant: string;
  /** Its tenant was forgotten while it was here: what it leaves is, too. */
  isToForget: boolean;
  /** Ends it from this side. */
  stop(reason: Error): void;
}

interface Asked {
  readonly parsed: ParsedRequest;
  readonly request: RequestId;
  readonly tenant: string;
  /** A gateway asked, which will want the counts. */
  readonly byGateway: boolean;
  /** The gateway sent it to a process of this host that has ended, and nobody has seen any of its answer. */
  readonly isAgain: boolean;
  readonly promise: Promised;
}

class ClientLeft extends Error {
  constructor() {
    super("the client left");
  }
}

/** Answers `POST /v1/chat/completions` and `/v1/completions`: read, admit, compute; counted whatever happens. */
export async function generate(
  endpoint: GenerationEndpoint,
  request: IncomingMessage,
  response: ServerResponse,
  hosting: Hosting,
): Promise<void> {
  const abort = new AbortController();
  const reply = new Reply(response, () => abort.abort(new ClientLeft()));
  const asked = await readRequest(endpoint, request, hosting);
  if (asked === undefined || reply.gone) return;
  if ("outcome" in asked) return reply.refuse(asked);
  const admitted = admit(asked, hosting);
  if ("outcome" in admitted) return reply.refuse(admitted);
  const { model, tally } = admitted;
  const { parsed } = asked;
  const head = answerHead(endpoint, asked.request, {
    nowMs: hosting.clock.nowMs(),
    model: parsed.model,
    fingerprint: model.fingerprint,
    serviceTier: parsed.asksServiceTier ? asked.promise.serviceTier : undefined,
  });
  const answer = answerFor(parsed, head, {
    clock: hosting.clock,
    outbox: hosting.outbox,
    reply,
    stallMs: hosting.bounds.stallMs,
    headers: parsed.ignored.length === 0 ? [] : ["bailiwick-ignored", parsed.ignored.map(headerText).join(", ")],
    includeUsage: asked.byGateway || parsed.includeUsage,
  });
  const { tenant } = asked;
  const stop = (reason: Error): void => abort.abort(reason);
  const generation: Generation = { answer, tenant, isToForget: false, stop };
  hosting.running.add(generation);
  try {
    const reasons = await runChoices(asked, model, { tally, answer, abort, desk: hosting.desk() });
    tally.end(endingOf(reasons[0]!));
    answer.finish(tally.usage);
  } catch (error) {
    fail(error, { tally, answer, reply }, hosting);
  } finally {
    hosting.running.delete(generation);
    if (generation.isToForget) {
      hosting
        .forget(tenant)
        .catch((error: unknown) => hosting.log("error", "a cache could not be cleared", { error: String(error) }));
    }
  }
}

async function readRequest(
  endpoint: GenerationEndpoint,
  request: IncomingMessage,
  hosting: Hosting,
): Promise<Asked | Refusal | undefined> {
  const { clock, bounds } = hosting;
  const body = await readJson(request, { clock, maxBytes: bounds.bodyBytes, timeoutMs: bounds.bodyTimeoutMs });
  if (body === undefined || body.outcome === "refused") return body;
  const { headers } = request;
  const parse = endpoint === "chat.completions" ? parseChatRequest : parseCompletionRequest;
  const parsed = parse(body.value, { unsupported: headers["bailiwick-unsupported"] === "warn" ? "warn" : "refuse" });
  if (parsed.outcome === "refused") return parsed;
  const id = headers["bailiwick-request"];
  const isNamed = typeof id === "string" && isId("req", id);
  if (id !== undefined && !isNamed) {
    return refuse("invalid_request", "The request's id is not one.", { param: "bailiwick-request" });
  }
  const own = isNamed ? id : hosting.ids.mint("req");
  const tenant = headers["bailiwick-tenant"];
  // Without a tenant nothing is shared with anybody: the request is a tenant of its own.
  const promise = readPromise(headers);
  if ("outcome" in promise) return promise;
  const isAgain = headers["bailiwick-again"] === "yes";
  return {
    parsed,
    request: own,
    tenant: typeof tenant === "string" ? tenant : own,
    byGateway: isNamed,
    isAgain,
    promise,
  };
}

function admit(asked: Asked, hosting: Hosting): { readonly model: HostedModel; readonly tally: Tally } | Refusal {
  const { parsed } = asked;
  const closed = hosting.closedFor();
  if (closed !== undefined) return closed;
  const model = hosting.models.get(parsed.model);
  if (model === undefined) return unknownModel(parsed.model, hosting.models.keys());
  if (!model.size.chats && parsed.prompts.some(({ kind }) => kind === "chat")) {
    return refuse("endpoint_not_supported", `"${parsed.model}" completes text: it has no chat template.`);
  }
  const { tenant, promise } = asked;
  const choices = parsed.prompts.length * parsed.choicesPerPrompt;
  const opening = hosting.desk().look({ model: model.name, tenant, choices, promise });
  if (opening.outcome === "refused") return opening;
  const tally = hosting.tallies.begin(asked.request, asked);
  if ("outcome" in tally) return tally;
  opening.take();
  return { model, tally };
}

interface Run {
  readonly tally: Tally;
  readonly answer: Answer;
  readonly abort: AbortController;
  readonly desk: Desk;
}

/** Computes all choices, each when its turn comes; how the first one ended comes first. One that fails ends all. */
async function runChoices(asked: Asked, model: HostedModel, run: Run): Promise<readonly FinishReason[]> {
  const count = asked.parsed.prompts.length * asked.parsed.choicesPerPrompt;
  if (count === 1) return [await runChoice(0, asked, model, run)];
  let failure: unknown;
  const choices = Array.from({ length: count }, async (_, choice) => {
    try {
      return await runChoice(choice, asked, model, run);
    } catch (error) {
      failure ??= error;
      run.abort.abort(error);
      return undefined;
    }
  });
  const reasons = await Promise.all(choices);
  if (failure !== undefined) throw failure;
  return reasons.map((reason) => reason!);
}

async function runChoice(choice: number, asked: Asked, model: HostedModel, run: Run): Promise<FinishReason> {
  const { parsed, tenant } = asked;
  const { tally, answer, abort, desk } = run;
  const { signal } = abort;
  const nth = choice % parsed.choicesPerPrompt;
  const prompt = parsed.prompts[Math.floor(choice / parsed.choicesPerPrompt)]!;
  const id = `${asked.request}/${choice}`;
  const { maxTokens } = parsed.generate;
  const place = desk.enter({ id, model, tenant, prompt, maxTokens, promise: asked.promise, abort });
  try {
    const loaded = await place.begun;
    const { sampling } = parsed.generate;
    // Choices of one seed would all be the same answer: each gets the next one.
    const own = sampling.seed === undefined || nth === 0 ? sampling : { ...sampling, seed: sampling.seed + nth };
    const sequence = await loaded.start({ ...parsed.generate, sampling: own, prompt, tenant, signal });
    if ("outcome" in sequence) throw new RefusalError(sequence);
    tally.add(sequence, nth === 0);
    place.runs(sequence);
    let reason: FinishReason | undefined;
    for await (const part of sequence) {
      tally.moved();
      place.moved();
      if (part.type === "end") ({ reason } = part);
      const drained = answer.part(choice, part);
      if (drained !== undefined) await drained;
    }
    if (reason === undefined) throw new Error("the engine ended an answer without saying how");
    return reason;
  } finally {
    place.leave();
  }
}

/** Ends an answer that did not come to its own end: nobody reads it any more, it was refused, or the engine failed. */
function fail(
  error: unknown,
  ended: { readonly tally: Tally; readonly answer: Answer; readonly reply: Reply },
  { tallies, log }: Hosting,
): void {
  const { tally, answer, reply } = ended;
  if (reply.gone) return tally.end("abort");
  const { inputTokens, outputTokens } = tally.usage;
  const isRefusal = error instanceof RefusalError;
  if (isRefusal && inputTokens + outputTokens === 0) {
    // The refusal says all there is to know, unless it comes as an event behind a begun stream.
    if (reply.begun) tally.end("error");
    else tallies.forget(tally);
    return answer.fail(error.refusal);
  }
  tally.end("error");
  if (isRefusal && error.refusal.code !== "draining") return answer.fail(error.refusal);
  if (!isRefusal) log("error", "an answer failed", { request: tally.request, error: describe(error) });
  answer.fail(refuse("engine_failed", isRefusal ? "The host stopped during this answer." : "The engine failed."));
}

/** An error's kind and where it came from. Its message may quote a prompt (a JSON parser's does), so it stays out. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const [at = ""] = /^\s+at .*$/m.exec(error.stack ?? "") ?? [];
  return `${error.name}${at === "" ? "" : ` ${at.trim()}`}`;
}

function unknownModel(name: string, known: Iterable<string>): Refusal {
  const close = nearest(name, known);
  const suggestion = close === undefined ? "" : ` Did you mean ${close}?`;
  return refuse("model_not_found", `This host does not serve ${JSON.stringify(name.slice(0, 100))}.${suggestion}`, {
    param: "model",
  });
}

function endingOf(reason: FinishReason): Ending {
  return reason === "tool_calls" ? "tool" : reason;
}

/** A parameter's name as the client wrote it may hold what a header must not. */
function headerText(name: string): string {
  return name.replace(/[^\w.[\]-]/g, "?");
}
