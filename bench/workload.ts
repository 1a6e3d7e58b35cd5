/** What the gateway bench asks: the models that the backend serves, and the request bodies. */

/** The three questions of a round: what a request costs, what a streamed event costs, how much later an answer comes. */
export type Shape = "request" | "stream" | "latency";

export interface Pace {
  /** Milliseconds before the first byte of the answer, as a prefill takes. */
  readonly firstTokenMs: number;
  /** Milliseconds between two events of a stream; 0 writes all at once. */
  readonly eventIntervalMs: number;
}

export type PacedModel = "bench-instant" | "bench-prefill" | "bench-paced";

/**
 * `bench-instant` shows what a request costs, `bench-prefill` how much later an answer comes where the engine takes as
 * long as a short prefill does, `bench-paced` what an event costs that arrives by itself, as a decoded token does.
 */
export const paces: Readonly<Partial<Record<string, Pace>>> & Readonly<Record<PacedModel, Pace>> = {
  "bench-instant": { firstTokenMs: 0, eventIntervalMs: 0 },
  "bench-prefill": { firstTokenMs: 20, eventIntervalMs: 0 },
  "bench-paced": { firstTokenMs: 0, eventIntervalMs: 10 },
};

/** What the benches of the gateway ask with. */
export const bodyBytes = 728;

/** A chat request of exactly `bytes` bytes; the prompt is words, as a prompt is. */
export function chatBody({
  model,
  tokens,
  stream,
  bytes,
}: {
  readonly model: string;
  readonly tokens: number;
  readonly stream: boolean;
  readonly bytes: number;
}): string {
  const withPrompt = (prompt: string): string =>
    JSON.stringify({
      model,
      messages: [
        { role: "system", content: "You are a helpful assistant." },
        { role: "user", content: prompt },
      ],
      max_tokens: tokens,
      temperature: 0.7,
      stream,
    });
  const missing = bytes - Buffer.byteLength(withPrompt(""));
  if (missing < 0) throw new RangeError(`a chat request does not fit ${bytes} bytes`);
  return withPrompt("Say what this town lives on. ".repeat(Math.ceil(missing / 29)).slice(0, missing));
}
