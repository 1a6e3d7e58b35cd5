import type { IncomingMessage } from "node:http";
import { refuse, type Refusal } from "../base/index.ts";

/**
 * Reads a request's body whole, within `maxBytes`; its time is the server's to bound (server.ts). A client that leaves
 * before the end is no answer to anybody: `undefined`.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | Refusal | undefined> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > maxBytes) return Promise.resolve(tooLarge(maxBytes));
  return new Promise((resolve) => {
    let first: Buffer | undefined;
    let others: Buffer[] | undefined;
    let bytes = 0;
    request.on("data", (part: Buffer) => {
      bytes += part.length;
      if (bytes > maxBytes) {
        // What is left of a refused body is not read; the connection closes behind the answer.
        request.pause();
        resolve(tooLarge(maxBytes));
      } else if (first === undefined) first = part;
      else (others ??= []).push(part);
    });
    request.on("end", () => {
      if (others !== undefined) resolve(Buffer.concat([first!, ...others], bytes));
      else resolve(first ?? Buffer.alloc(0));
    });
    request.on("error", () => resolve(undefined));
    request.on("close", () => resolve(undefined));
  });
}

function tooLarge(maxBytes: number): Refusal {
  return refuse("body_too_large", `The body is larger than ${maxBytes} bytes.`);
}
