import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { addCheckpointBytesMax, type Witness } from "../log/index.ts";

export interface WitnessServer {
  readonly port: number;
  close(): Promise<void>;
}

const timeoutMs = 10_000;
const connectionsMax = 256;

/** Serves a witness: `POST /add-checkpoint`, and `GET /latest/<origin>` for whoever wants to see what it has seen. */
export async function listenAsWitness(witness: Witness, host: string, port: number): Promise<WitnessServer> {
  const server = createServer({ requestTimeout: timeoutMs, headersTimeout: timeoutMs }, (request, response) => {
    answer(witness, request, response).catch(() => {
      // What could not be written was not cosigned; the log asks again.
      if (response.headersSent) response.destroy();
      else reply(response, 500, "it could not be written\n");
    });
  });
  server.maxConnections = connectionsMax;
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(witness: Witness, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "").split("?", 1)[0]!;
  if (request.method === "GET" && path.startsWith("/latest/")) {
    const latest = witness.latest(decoded(path.slice("/latest/".length)));
    return latest === undefined ? reply(response, 404, "nothing of it was cosigned\n") : reply(response, 200, latest);
  }
  if (path !== "/add-checkpoint") return reply(response, 404, "there is add-checkpoint only\n");
  if (request.method !== "POST") return reply(response, 405, "it takes POST\n");
  const body = await bodyOf(request);
  if (body === undefined) return reply(response, 413, `at most ${addCheckpointBytesMax} bytes are taken\n`);
  const { status, contentType, body: text } = await witness.addCheckpoint(body);
  return reply(response, status, text, contentType);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += (part as Buffer).length;
    if (bytes > addCheckpointBytesMax) return undefined;
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A malformed escape names no log.
    return text;
  }
}

function reply(
  response: ServerResponse,
  status: number,
  body: string,
  contentType = "text/plain; charset=utf-8",
): void {
  response.writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
