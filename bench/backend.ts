/**
 * The engine behind every target of the gateway bench: one cheap process that answers like an OpenAI-compatible server
 * without computing anything, so that what differs between two rounds is the proxy before it. `max_tokens` says how many
 * tokens an answer has; the model's name says how they are paced (bench/workload.ts).
 *
 * Prints {"port"} as its first line and ends when its standard input closes.
 */
import { createServer, type Socket } from "node:net";
import { endWithParent } from "./children.ts";
import { MessageReader } from "./wire.ts";
import { type Pace, paces } from "./workload.ts";

interface Asked {
  readonly model: string | undefined;
  readonly tokens: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

/** As many tokens as a prompt of the bench has, roughly. */
const promptTokens = Array.from({ length: 150 }, (_, index) => index);

let streamsStarted = 0;

/**
 * Calls `step` every `intervalMs` until it says that it is done, never drifting. Each stream has a phase of its own, so
 * that events reach a proxy one by one, as they do from many engines, and not all of a batch in one wake-up.
 */
function everyInterval(intervalMs: number, step: () => "more" | "done"): void {
  streamsStarted += 1;
  // Multiples of the golden ratio fill an interval evenly, however many there are.
  const startMs = performance.now() + ((streamsStarted * 0.618_034) % 1) * intervalMs;
  let steps = 0;
  const next = (): void => {
    const dueMs = startMs + steps * intervalMs;
    steps += 1;
    setTimeout(() => {
      if (step() === "more") next();
    }, dueMs - performance.now());
  };
  next();
}

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  let requestLine = "";
  let parts: Buffer[] = [];
  const reader = new MessageReader({
    head(head) {
      requestLine = head.slice(0, head.indexOf("\r\n"));
    },
    body(part) {
      parts.push(Buffer.from(part));
    },
    end() {
      const body = Buffer.concat(parts);
      parts = [];
      answer(socket, requestLine, body);
    },
  });
  socket.on("data", (bytes) => {
    try {
      reader.read(bytes);
    } catch (error) {
      process.stderr.write(`backend: ${String(error)}\n`);
      socket.destroy();
    }
  });
  // A proxy that drops a connection ends its requests; there is nothing to clean up but the socket.
  socket.on("error", () => socket.destroy());
}

function answer(socket: Socket, requestLine: string, body: Buffer): void {
  const [method, path = ""] = requestLine.split(" ");
  if (method === "POST" && path === "/v1/chat/completions") {
    const asked = parse(body);
    const pace = paces[asked.model ?? ""];
    // A request without a model is at fault itself: that is how a gateway finds out which endpoints there are.
    if (asked.model === undefined)
      socket.write(json(400, { error: { message: "no model named", type: "invalid_request_error" } }));
    else if (pace === undefined)
      socket.write(json(404, { error: { message: `no model ${asked.model}`, type: "invalid_request_error" } }));
    else if (asked.stream) afterFirstToken(pace, () => stream(socket, asked, pace));
    else afterFirstToken(pace, () => socket.write(whole(asked)));
  } else if (method === "POST" && path === "/v1/chat/completions/render") {
    // vLLM's tokenized prompt, which vllm-router's default policy asks for before it passes a request on.
    socket.write(json(200, { request_id: "render-bench", token_ids: promptTokens }));
  } else if (path === "/v1/models") {
    const data = Object.keys(paces).map((id) => ({
      id,
      object: "model",
      created: 1,
      owned_by: "bench",
      max_model_len: 4096,
    }));
    socket.write(json(200, { object: "list", data }));
  } else if (path === "/health") {
    socket.write(json(200, {}));
  } else {
    socket.write(json(404, { error: { message: `no route ${requestLine}`, type: "invalid_request_error" } }));
  }
}

function afterFirstToken(pace: Pace, run: () => void): void {
  if (pace.firstTokenMs === 0) run();
  else setTimeout(run, pace.firstTokenMs);
}

function stream(socket: Socket, asked: Asked, pace: Pace): void {
  const rest = [chunk(asked, choice({}, "length"))];
  if (asked.includeUsage) rest.push(chunk(asked, { choices: [], usage: usageOf(asked) }));
  const ending = Buffer.concat([...rest, frame("data: [DONE]\n\n"), Buffer.from("0\r\n\r\n")]);
  const head = Buffer.from(
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n",
  );
  const first = chunk(asked, choice({ role: "assistant", content: " token" }, null));
  const event = chunk(asked, choice({ content: " token" }, null));
  if (pace.eventIntervalMs === 0) {
    socket.write(Buffer.concat([head, first, ...Array.from({ length: asked.tokens - 1 }, () => event), ending]));
    return;
  }
  let sent = 0;
  everyInterval(pace.eventIntervalMs, () => {
    if (socket.destroyed) return "done";
    if (sent === 0) socket.write(Buffer.concat([head, first]));
    else if (sent < asked.tokens) socket.write(event);
    else socket.write(ending);
    sent += 1;
    return sent > asked.tokens ? "done" : "more";
  });
}

function whole(asked: Asked): Buffer {
  const message = { role: "assistant", content: " token".repeat(asked.tokens) };
  return json(200, {
    id: "chatcmpl-bench",
    object: "chat.completion",
    created: 1,
    model: asked.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: "length" }],
    usage: usageOf(asked),
  });
}

function usageOf(asked: Asked): object {
  return {
    prompt_tokens: promptTokens.length,
    completion_tokens: asked.tokens,
    total_tokens: promptTokens.length + asked.tokens,
    prompt_tokens_details: { cached_tokens: 0 },
  };
}

function choice(delta: object, finishReason: "length" | null): object {
  return { choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }] };
}

function chunk(asked: Asked, content: object): Buffer {
  const fields = { id: "chatcmpl-bench", object: "chat.completion.chunk", created: 1, model: asked.model, ...content };
  return frame(`data: ${JSON.stringify(fields)}\n\n`);
}

/** One chunk of a chunked body (RFC 9112, section 7.1). */
function frame(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}

function json(status: 200 | 400 | 404, value: object): Buffer {
  const body = JSON.stringify(value);
  const reason = { 200: "OK", 400: "Bad Request", 404: "Not Found" }[status];
  return Buffer.from(
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function parse(body: Buffer): Asked {
  const asked = JSON.parse(body.toString()) as {
    readonly model?: string;
    readonly max_tokens?: number;
    readonly stream?: boolean;
    readonly stream_options?: { readonly include_usage?: boolean };
  };
  return {
    model: asked.model,
    tokens: asked.max_tokens ?? 16,
    stream: asked.stream ?? false,
    includeUsage: asked.stream_options?.include_usage ?? false,
  };
}

const server = createServer(serve);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the backend listens on a port");
  process.stdout.write(`${JSON.stringify({ port: address.port })}\n`);
});
endWithParent();
