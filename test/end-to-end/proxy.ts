import { once } from "node:events";
import { createServer, type IncomingMessage, request as send, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What somebody between a client and its cloud changes of calls of a model; everything else passes as it is. */
export interface Tampering {
  readonly request?: (bytes: Buffer) => Buffer;
  readonly answer?: (bytes: Buffer) => Buffer;
  /** The receipt that the answer names. */
  readonly receipt?: (id: string) => string | undefined;
  /** A header that the cloud does not get. */
  readonly without?: string;
  /** What is served at a path instead; undefined: what the cloud serves. */
  readonly instead?: (path: string) => Promise<Buffer | undefined>;
}

export interface Proxy {
  readonly url: string;
  close(): Promise<void>;
}

/** A proxy that is not to be trusted. Answers are gathered whole before they go on. */
export async function proxyTo(url: string, tampering: Tampering): Promise<Proxy> {
  const server = createServer((request, response) => {
    pass(url, tampering, request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function pass(url: string, tampering: Tampering, request: IncomingMessage, response: ServerResponse) {
  const path = request.url ?? "/";
  const isCall = request.method === "POST";
  const instead = await tampering.instead?.(path);
  if (instead !== undefined) {
    response.writeHead(200, { "content-length": instead.length });
    return response.end(instead);
  }
  const sent = await gathered(request);
  const body = isCall ? (tampering.request?.(sent) ?? sent) : sent;
  const headers: NodeJS.Dict<string | string[]> = { ...request.headers, "content-length": String(body.length) };
  if (tampering.without !== undefined) delete headers[tampering.without];
  const asked = send(`${url}${path}`, { method: request.method, headers, agent: false });
  asked.end(body);
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  const said = await gathered(answer);
  const bytes = isCall ? (tampering.answer?.(said) ?? said) : said;
  const passed: NodeJS.Dict<string | string[]> = { ...answer.headers, "content-length": String(bytes.length) };
  delete passed["transfer-encoding"];
  const id = answer.headers["bailiwick-receipt"];
  if (tampering.receipt !== undefined && typeof id === "string") {
    const named = tampering.receipt(id);
    delete passed["bailiwick-receipt"];
    if (named !== undefined) passed["bailiwick-receipt"] = named;
  }
  response.writeHead(answer.statusCode ?? 502, passed);
  return response.end(bytes);
}

async function gathered(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
