import type { IncomingMessage } from "node:http";
import { type Clock, refuse, type Refusal } from "../base/index.ts";

/**
 * Reads a request's body whole, within its bounds of size and time. A client that leaves before the end is no answer
 * to anybody: `undefined`.
 */
export function readBody(
  request: IncomingMessage,
  bounds: { readonly maxBytes: number; readonly timeoutMs: number; readonly clock: Clock },
): Promise<Buffer | Refusal | undefined> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > bounds.maxBytes) return Promise.resolve(tooLarge(bounds.maxBytes));
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const cancelTimeout = bounds.clock.after(bounds.timeoutMs, () =>
      done(refuse("request_timeout", `The body did not arrive within ${bounds.timeoutMs} ms.`)),
    );
    const onData = (part: Buffer): void => {
      bytes += part.length;
      if (bytes > bounds.maxBytes) done(tooLarge(bounds.maxBytes));
      else parts.push(part);
    };
    const onEnd = (): void => done(parts.length === 1 ? parts[0]! : Buffer.concat(parts, bytes));
    const onGone = (): void => done(undefined);
    const done = (outcome: Buffer | Refusal | undefined): void => {
      cancelTimeout();
      request.off("data", onData).off("end", onEnd).off("close", onGone).off("error", onGone);
      // What is left of a refused body is not read; the connection closes behind the answer.
      if (!(outcome instanceof Buffer)) {
        request.on("error", () => request.destroy());
        request.pause();
      }
      resolve(outcome);
    };
    request.on("data", onData).on("end", onEnd).on("close", onGone).on("error", onGone);
  });
}

function tooLarge(maxBytes: number): Refusal {
  return refuse("body_too_large", `The body is larger than ${maxBytes} bytes.`);
}
