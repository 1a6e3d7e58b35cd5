/**
 * The least that a proxy in Node can do, as the measure for the gateway: node:http in front, undici's dispatcher behind,
 * bytes passed on as they come, no checks and no records. Started with the upstream's origin; prints {"port"} as its
 * first line and ends when its standard input closes.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Pool } from "undici";
import { endWithParent } from "./children.ts";

const [origin] = process.argv.slice(2);
if (origin === undefined) throw new Error("usage: bare-proxy.ts ORIGIN");
const upstream = new Pool(origin, { connections: 256, pipelining: 1 });

function pass(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  upstream.dispatch(
    {
      path: request.url ?? "/",
      method: request.method ?? "GET",
      headers: { "content-type": request.headers["content-type"] ?? "application/json" },
      body: body.length === 0 ? null : body,
    },
    {
      onRequestStart(controller) {
        response.on("close", () => {
          if (!response.writableFinished) controller.abort(new Error("the client has left"));
        });
      },
      onResponseStart(_controller, status, headers) {
        const kept: Record<string, string | string[]> = {};
        for (const name of ["content-type", "content-length", "cache-control"]) {
          const value = headers[name];
          if (value !== undefined) kept[name] = value;
        }
        response.writeHead(status, kept);
      },
      onResponseData(controller, chunk) {
        if (response.write(chunk)) return;
        controller.pause();
        response.once("drain", () => controller.resume());
      },
      onResponseEnd() {
        response.end();
      },
      onResponseError(_controller, error) {
        if (!response.headersSent) response.writeHead(502);
        response.end(error.message);
      },
    },
  );
}

const server = createServer({ noDelay: true, keepAliveTimeout: 60_000 }, (request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => pass(request, response, parts.length === 1 ? parts[0]! : Buffer.concat(parts)));
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy listens on a port");
  process.stdout.write(`${JSON.stringify({ port: address.port })}\n`);
});
endWithParent();
