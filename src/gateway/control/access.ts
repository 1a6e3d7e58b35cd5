import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { refuse, type Refusal } from "../../base/index.ts";

/**
 * Who may use a route. `public`: anybody who reaches the port. `operator`: who shows the operator's token.
 * `operator-or-loopback`: besides, a program on this machine that asks directly.
 */
export type Permission = "public" | "operator" | "operator-or-loopback";

/** Says why a request may not use a route of this permission; undefined where it may. */
export type Access = (permission: Permission, request: IncomingMessage) => Refusal | undefined;

const bearer = /^bearer +(\S{1,512})$/i;
const forwardingHeaders = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

export function createAccess(operatorToken: string): Access {
  const expected = digest(operatorToken);
  // Digests have one length and hide how much of a guess was right.
  const isOperator = (secret: string): boolean => timingSafeEqual(digest(secret), expected);
  return (permission, request) => {
    if (permission === "public") return undefined;
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const secret = bearer.exec(authorization)?.[1];
      if (secret !== undefined && isOperator(secret)) return undefined;
    }
    if (permission === "operator-or-loopback" && isDirectFromLoopback(request)) return undefined;
    return authorization === undefined
      ? refuse("missing_key", "This needs the operator's token.")
      : refuse("operator_only", "The token shown is not the operator's.");
  };
}

/**
 * Whether a program on this machine asks, and nobody through it: the socket's other end is loopback, no proxy has
 * left its mark, and the host asked for is loopback too (a web page elsewhere can point its own name at 127.0.0.1 and
 * have a browser here ask).
 */
export function isDirectFromLoopback(request: IncomingMessage): boolean {
  const { remoteAddress } = request.socket;
  if (remoteAddress === undefined || !isLoopback(remoteAddress)) return false;
  if (forwardingHeaders.some((name) => request.headers[name] !== undefined)) return false;
  const host = (request.headers.host ?? "").replace(/:\d{1,5}$/, "");
  return host === "localhost" || isLoopback(host);
}

/** 127.0.0.0/8 (RFC 1122, section 3.2.1.3) and ::1 (RFC 4291, section 2.5.3), also as a mapped or bracketed address. */
function isLoopback(address: string): boolean {
  const bare = address.replace(/^\[(.*)\]$/, "$1").replace(/^::ffff:/i, "");
  return bare === "::1" || /^127(\.\d{1,3}){3}$/.test(bare);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
