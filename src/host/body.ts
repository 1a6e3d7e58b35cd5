import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { type Clock, refuse, type Refusal } from "../base/index.ts";

export interface BodyBounds {
  readonly clock: Clock;
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

export interface Read<Value> {
  readonly outcome: "read";
  readonly value: Value;
}

/** A request's JSON, read within its bounds; undefined where the client left before its end. */
export async function readJson(
  request: IncomingMessage,
  bounds: BodyBounds,
): Promise<Read<unknown> | Refusal | undefined> {
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    return refuse("unsupported_media_type", `A body encoded as ${encoding.slice(0, 40)} is not taken.`);
  }
  const body = await readBody(request, bounds);
  if (body === undefined || "outcome" in body) return body;
  if (!isUtf8(body)) return refuse("malformed_json", "The body is not UTF-8.");
  try {
    return { outcome: "read", value: JSON.parse(body.toString("utf8")) as unknown };
  } catch {
    // The parser's own message repeats a part of the body, which may be a prompt.
    return refuse("malformed_json", "The body is not valid JSON.");
  }
}

function readBody(request: IncomingMessage, bounds: BodyBounds): Promise<Buffer | Refusal | undefined> {
  const tooLarge = refuse("body_too_large", `The body is larger than ${bounds.maxBytes} bytes.`);
  if (Number(request.headers["content-length"] ?? 0) > bounds.maxBytes) return Promise.resolve(tooLarge);
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const done = (outcome: Buffer | Refusal | undefined): void => {
      cancel();
      request.off("data", onData).off("end", onEnd).off("close", onGone).off("error", onGone);
      // A connection that breaks later on is heard of by the answer.
      request.on("error", () => request.destroy());
      if (!(outcome instanceof Buffer)) request.pause();
      resolve(outcome);
    };
    const onData = (part: Buffer): void => {
      bytes += part.length;
      if (bytes > bounds.maxBytes) done(tooLarge);
      else parts.push(part);
    };
    const onEnd = (): void => done(parts.length === 1 ? parts[0]! : Buffer.concat(parts, bytes));
    const onGone = (): void => done(undefined);
    const cancel = bounds.clock.after(bounds.timeoutMs, () => {
      done(refuse("request_timeout", `The body did not arrive within ${bounds.timeoutMs} ms.`));
    });
    request.on("data", onData).on("end", onEnd).on("close", onGone).on("error", onGone);
  });
}
