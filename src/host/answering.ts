import type { IncomingMessage, ServerResponse } from "node:http";
import { type Clock, type Ending, errorBody, errorCodes, refuse, type Refusal, type Usage } from "../base/index.ts";
import type { GenerateRequest, LoadedModel, Sequence } from "../engine/index.ts";
import {
  answerHead,
  ChatStream,
  CompletionStream,
  keepAlive,
  parseChatRequest,
  parseCompletionRequest,
  type ParsedRequest,
  streamDone,
  systemFingerprint,
  WholeAnswer,
} from "../engine/openai/index.ts";
import type { Leave, Places } from "./places.ts";
import type { Progress } from "./progress.ts";

export interface ServedModel {
  readonly loaded: LoadedModel;
  readonly places: Places;
}

export interface AnsweringOptions {
  readonly clock: Clock;
  readonly progress: Progress;
  readonly models: ReadonlyMap<string, ServedModel>;
  readonly engineBuild: string;
  readonly log: (level: "warn" | "error", message: string) => void;
}

export interface HostRequest {
  readonly endpoint: "chat.completions" | "completions";
  /** The gateway's id of it; counts are kept under it. */
  readonly request: string;
  readonly tenant: string;
  readonly unsupported: "refuse" | "warn";
  readonly json: unknown;
}

const keepAliveEveryMs = 10_000;

/** One request on this host, from its parsed body to its last byte, counted whatever happens. */
export async function answer(
  options: AnsweringOptions,
  asked: HostRequest,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parse = asked.endpoint === "completions" ? parseCompletionRequest : parseChatRequest;
  const parsed = parse(asked.json, { unsupported: asked.unsupported });
  if (parsed.outcome === "refused") return sendRefusal(response, parsed);
  const served = options.models.get(parsed.model);
  if (served === undefined) {
    return sendRefusal(response, refuse("model_not_found", `This host does not serve "${parsed.model}".`));
  }
  const left = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) left.abort(new Error("the client left"));
  });
  if (request.destroyed && !response.writable) return undefined;
  const entered = served.places.enter(parsed.prompts.length * parsed.choicesPerPrompt, left.signal);
  if ("outcome" in entered) return sendRefusal(response, entered);
  const leave = await entered;
  if (leave === undefined) {
    // It left while it waited: nothing was computed, and the gateway shall be able to learn so.
    options.progress.end(asked.request, noUsage, "abort");
    return undefined;
  }
  await computed(options, asked, parsed, { served, leave, signal: left.signal }, response);
}

interface Turn {
  readonly served: ServedModel;
  readonly leave: Leave;
  readonly signal: AbortSignal;
}

const noUsage: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };

async function computed(
  options: AnsweringOptions,
  asked: HostRequest,
  parsed: ParsedRequest,
  turn: Turn,
  response: ServerResponse,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([turn.signal, stop.signal]);
  const sequences: Sequence[] = [];
  try {
    for (const generate of requestsOf(parsed, asked.tenant, signal)) {
      const started = await turn.served.loaded.start(generate);
      if ("outcome" in started) return sendRefusal(response, started);
      sequences.push(started);
    }
    const count = (): Usage => usageOf(sequences, parsed.choicesPerPrompt);
    options.progress.step(asked.request, count());
    await send(options, asked, parsed, { sequences, count, turn, stop }, response);
  } catch (error) {
    if (!response.headersSent && response.writable) sendRefusal(response, failureOf(error));
    options.log("error", `a request failed: ${error instanceof Error ? error.message : "unknown"}`);
  } finally {
    stop.abort(new Error("the request is over"));
    turn.leave();
  }
}

function* requestsOf(parsed: ParsedRequest, tenant: string, signal: AbortSignal): Generator<GenerateRequest> {
  for (const prompt of parsed.prompts) {
    for (let choice = 0; choice < parsed.choicesPerPrompt; choice++) {
      const { seed } = parsed.generate.sampling;
      // Choices of one seed would all be the same answer: each gets the next one.
      const sampling =
        seed === undefined ? parsed.generate.sampling : { ...parsed.generate.sampling, seed: seed + choice };
      yield { ...parsed.generate, sampling, prompt, tenant, signal };
    }
  }
}

interface Running {
  readonly sequences: readonly Sequence[];
  readonly count: () => Usage;
  readonly turn: Turn;
  readonly stop: AbortController;
}

async function send(
  options: AnsweringOptions,
  asked: HostRequest,
  parsed: ParsedRequest,
  running: Running,
  response: ServerResponse,
): Promise<void> {
  const head = answerHead(parsed.endpoint, asked.request, {
    nowMs: options.clock.nowMs(),
    model: parsed.model,
    fingerprint: systemFingerprint(options.engineBuild, running.turn.served.loaded.model.sha256),
  });
  if (parsed.ignored.length > 0) response.setHeader("bailiwick-ignored", parsed.ignored.join(", "));
  const { progress } = options;
  const outcomes: Ending[] = [];
  const whole = parsed.stream ? undefined : new WholeAnswer(parsed.endpoint, head, running.sequences.length);
  const encoder = parsed.endpoint === "chat.completions" ? new ChatStream(head) : new CompletionStream(head);
  const quiet = parsed.stream ? beginStream(options.clock, response) : () => undefined;
  const one = async (sequence: Sequence, choice: number): Promise<void> => {
    for await (const part of sequence) {
      progress.step(asked.request, running.count());
      if (part.type === "end") outcomes.push(endingOf(part.reason));
      if (whole !== undefined) whole.part(choice, part);
      else {
        quiet();
        await write(response, encoder.part(choice, part));
      }
    }
  };
  try {
    await Promise.all(running.sequences.map(one));
    const usage = running.count();
    progress.end(asked.request, usage, outcomes[0] ?? "stop");
    if (whole === undefined) response.end(encoder.usage(usage) + streamDone);
    else sendJson(response, 200, whole.body(usage));
  } catch (error) {
    running.stop.abort(error);
    const aborted = running.turn.signal.aborted;
    progress.end(asked.request, running.count(), aborted ? "abort" : "error");
    if (aborted) return;
    options.log("error", `an answer failed: ${error instanceof Error ? error.message : "unknown"}`);
    const failure = failureOf(error);
    if (whole === undefined) response.end(`data: ${errorBody(failure)}\n\n`);
    else sendRefusal(response, failure);
  } finally {
    quiet();
  }
}

/** Begins the stream and keeps it from falling silent; the returned function ends the comments. */
function beginStream(clock: Clock, response: ServerResponse): () => void {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  let quiet = false;
  const cancel = clock.every(keepAliveEveryMs, () => response.write(keepAlive));
  return () => {
    if (quiet) return;
    quiet = true;
    cancel();
  };
}

/** Waits for a slow reader, who is the gateway; one that left wakes the wait by its signal elsewhere. */
function write(response: ServerResponse, text: string): Promise<void> | undefined {
  if (text === "" || response.write(text) || response.destroyed) return undefined;
  return new Promise((resolve) => {
    response.once("drain", resolve);
    response.once("close", resolve);
  });
}

function usageOf(sequences: readonly Sequence[], choicesPerPrompt: number): Usage {
  const usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };
  for (const [index, sequence] of sequences.entries()) {
    const counts = sequence.counts();
    // Several answers to one prompt: it is counted once, as its first answer saw it.
    if (index % choicesPerPrompt === 0) {
      usage.inputTokens += counts.inputTokens;
      usage.cachedInputTokens += counts.cachedInputTokens;
    }
    usage.outputTokens += counts.outputTokens;
    usage.reasoningTokens += counts.reasoningTokens;
  }
  return usage;
}

function endingOf(reason: "stop" | "length" | "tool_calls"): Ending {
  return reason === "tool_calls" ? "tool" : reason;
}

function failureOf(error: unknown): Refusal {
  return refuse(
    "engine_failed",
    `The engine failed: ${error instanceof Error ? error.message.slice(0, 200) : "unknown"}.`,
  );
}

export function sendRefusal(response: ServerResponse, refusal: Refusal): void {
  if (refusal.retryAfterSeconds !== undefined) response.setHeader("retry-after", String(refusal.retryAfterSeconds));
  sendJson(response, errorCodes[refusal.code].status, errorBody(refusal));
}

export function sendJson(response: ServerResponse, status: number, body: string): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}
