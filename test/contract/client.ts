import assert from "node:assert/strict";
import { type Dispatcher, Pool } from "undici";

/** A server that speaks the OpenAI API, and what may be asked of it. */
export interface ContractTarget {
  /** "http://host"; with a socket the name does not matter. */
  readonly origin: string;
  readonly socketPath?: string;
  readonly model: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Asks for an answer of hundreds of tokens that takes a second or more. */
  readonly longPrompt: string;
  /** The model's context, where a prompt beyond it is to be tried. */
  readonly contextTokens: number | undefined;
  readonly can: Capabilities;
}

/** What an address has beyond plain chat. A host of ours has all of it. */
export interface Capabilities {
  readonly completions: boolean;
  readonly logprobs: boolean;
  readonly jsonSchema: boolean;
  /** `tool_choice` required and named force a call. */
  readonly forcedTools: boolean;
  /** Unknown and unsupported parameters are refused by name, or named in a header under warn. */
  readonly namesParameters: boolean;
  /** A stream's usage has a chunk of its own, without choices, right before `[DONE]`. */
  readonly usageInOwnChunk: boolean;
  /** Its usage counts the tokens of all `n` answers (llama.cpp's own server counts one answer's). */
  readonly countsEveryAnswer: boolean;
  /** The host protocol: counts by request, caches by tenant, warnings. */
  readonly hostProtocol: boolean;
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number } | null;
}

export interface Logprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
  readonly top_logprobs: readonly { readonly token: string; readonly logprob: number }[];
}

export interface Call {
  readonly name: string;
  readonly arguments: string;
}

/** One choice of an answer, streamed or whole, in one shape. */
export interface Choice {
  readonly text: string;
  readonly calls: readonly Call[];
  readonly logprobs: readonly Logprob[] | undefined;
  readonly finishReason: string | null;
}

export interface Answered {
  readonly choices: readonly Choice[];
  readonly usage: Usage;
}

interface WireChoice {
  readonly index: number;
  readonly text?: string;
  readonly message?: WireMessage;
  readonly delta?: WireMessage;
  readonly logprobs?: { readonly content?: readonly Logprob[] } | null;
  readonly finish_reason: string | null;
}
interface WireMessage {
  readonly content?: string | null;
  readonly tool_calls?: readonly { readonly index?: number; readonly function: Partial<Call> }[];
}
interface WireAnswer {
  readonly choices: readonly WireChoice[];
  readonly usage?: Usage;
}

/** What the suite uses of a server. Tenants are fresh, so that no prefix cache makes two runs differ. */
export class ContractClient {
  readonly target: ContractTarget;
  readonly #pool: Pool;
  #asked = 0;

  constructor(target: ContractTarget) {
    this.target = target;
    const { socketPath } = target;
    this.#pool = new Pool(target.origin, {
      connections: 32,
      ...(socketPath === undefined ? {} : { connect: { socketPath } }),
    });
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  nextRequest(): string {
    return `req_01HF7YAT${String(++this.#asked).padStart(18, "0")}`;
  }

  get(path: string): Promise<Dispatcher.ResponseData> {
    return this.#pool.request({ method: "GET", path, headers: { ...this.target.headers } });
  }

  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Dispatcher.ResponseData> {
    const own: Record<string, string> = this.target.can.hostProtocol
      ? { "bailiwick-tenant": `prj_${this.#asked++}` }
      : {};
    return this.#pool.request({
      method: "POST",
      path,
      headers: { "content-type": "application/json", ...own, ...this.target.headers, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  /** A chat request with the usual brakes: greedy, short. */
  chatBody(content: string, more: object = {}): object {
    const messages = [{ role: "user", content }];
    return { model: this.target.model, messages, temperature: 0, max_tokens: 24, ...more };
  }

  completionBody(prompt: string, more: object = {}): object {
    return { model: this.target.model, prompt, temperature: 0, max_tokens: 24, ...more };
  }

  async chat(content: string, more: object = {}): Promise<Answered> {
    return this.whole("/v1/chat/completions", this.chatBody(content, more));
  }

  async whole(path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Answered> {
    const response = await this.post(path, body, headers);
    const text = await response.body.text();
    assert.equal(response.statusCode, 200, text);
    const answer = JSON.parse(text) as Required<WireAnswer>;
    return addUp([answer], answer.usage);
  }

  /** Reads a stream to its end and holds it to the rules: the usage right before `[DONE]`, in a frame of its own. */
  async streamed(path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Answered> {
    const asked = { ...body, stream: true, stream_options: { include_usage: true } };
    const response = await this.post(path, asked, headers);
    const text = await response.body.text();
    assert.equal(response.statusCode, 200, text);
    const frames = text.split("\n\n").filter((frame) => frame.startsWith("data: "));
    assert.equal(frames.pop(), "data: [DONE]");
    const chunks = frames.map((frame) => JSON.parse(frame.slice(6)) as WireAnswer);
    const last = chunks.at(-1);
    assert.ok(last?.usage !== undefined, "the usage stands right before [DONE]");
    if (this.target.can.usageInOwnChunk) assert.deepEqual(last.choices, []);
    return addUp(chunks, last.usage);
  }

  async refusal(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const response = await this.post(path, body, headers);
    const { error } = (await response.body.json()) as { error: { code: string; param: string | null } };
    return [response.statusCode, error.code, error.param ?? ""].join(" ").trim();
  }
}

function addUp(chunks: readonly WireAnswer[], usage: Usage): Answered {
  const choices: { text: string; calls: Call[]; logprobs: Logprob[] | undefined; finishReason: string | null }[] = [];
  for (const { index, text, message, delta, logprobs, finish_reason } of chunks.flatMap((chunk) => chunk.choices)) {
    const choice = (choices[index] ??= { text: "", calls: [], logprobs: undefined, finishReason: null });
    const said = message ?? delta;
    choice.text += text ?? said?.content ?? "";
    for (const [at, call] of (said?.tool_calls ?? []).entries()) {
      const known = choice.calls[call.index ?? at] ?? { name: "", arguments: "" };
      choice.calls[call.index ?? at] = {
        name: known.name + (call.function.name ?? ""),
        arguments: known.arguments + (call.function.arguments ?? ""),
      };
    }
    if (logprobs?.content) (choice.logprobs ??= []).push(...logprobs.content);
    choice.finishReason = finish_reason ?? choice.finishReason;
  }
  return { choices, usage: { ...usage } };
}
