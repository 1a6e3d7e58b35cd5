import type { IncomingMessage, ServerResponse } from "node:http";

/** What pages may read of an answer beside its body. */
const exposed = [
  "x-request-id",
  "retry-after",
  "bailiwick-receipt",
  "bailiwick-content",
  "bailiwick-ignored",
  ...["limit", "remaining", "reset"].flatMap((what) =>
    ["requests", "tokens"].map((kind) => `x-ratelimit-${what}-${kind}`),
  ),
].join(", ");

const methods = "GET, HEAD, POST";
/** Names of headers (RFC 9110, section 5.6.2), as a browser lists them. */
const names = /^[\w!#$%&'*+.^`|~-]+(?: *, *[\w!#$%&'*+.^`|~-]+)*$/;
const namesCharactersMax = 2_000;
/** For how long a browser need not ask again, in seconds. */
const maxAgeSeconds = "600";

/**
 * Lets pages of these origins call (the Fetch standard, section 3.3): exactly these, and never with a browser's own
 * credentials: whoever calls shows a key. Says whether it has answered, as it does a preflight, which shows none.
 */
export function createCors(
  origins: readonly string[],
): (request: IncomingMessage, response: ServerResponse) => "answered" | "goes on" {
  const permitted = new Set(origins);
  return (request, response) => {
    if (permitted.size === 0) return "goes on";
    const { origin } = request.headers;
    // What one origin is answered must not be taken from a cache for another.
    response.setHeader("vary", "origin");
    if (origin === undefined || !permitted.has(origin)) return "goes on";
    response.setHeader("access-control-allow-origin", origin);
    const method = request.headers["access-control-request-method"];
    if (request.method !== "OPTIONS" || method === undefined) {
      response.setHeader("access-control-expose-headers", exposed);
      return "goes on";
    }
    response.setHeader("access-control-allow-methods", methods);
    response.setHeader("access-control-max-age", maxAgeSeconds);
    // SDKs send names of their own, and more with each release; the origin is what is judged.
    const asked = request.headers["access-control-request-headers"];
    if (asked !== undefined && asked.length <= namesCharactersMax && names.test(asked)) {
      response.setHeader("access-control-allow-headers", asked);
    }
    response.writeHead(204, { "content-length": 0 }).end();
    return "answered";
  };
}
