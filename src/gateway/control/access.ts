import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type KeyPermission, refuse, type Refusal } from "../../base/index.ts";

/**
 * Who may use a route. `public`: anybody who reaches the port. `operator`: who shows an operator's token.
 * `operator-or-loopback`: besides, a program on this machine that asks directly. `tenant:…`: an operator, and a key that
 * has this permission, which sees what is its own tenant's and nothing else.
 */
export type Permission = "public" | "operator" | "operator-or-loopback" | `tenant:${KeyPermission}`;

/** Who asks, as far as a route needs to know. */
export type Asker =
  | { readonly kind: "operator"; readonly name: string; readonly country: string | null }
  | {
      readonly kind: "key";
      /** The key's id. */
      readonly name: string;
      readonly organisation: string;
      readonly project: string;
      readonly permissions: ReadonlySet<KeyPermission>;
      /** Whether it reaches all projects of its organisation. */
      readonly isForOrganisation: boolean;
    }
  | { readonly kind: "anybody"; readonly name: "" };

/** Who asks, where that is somebody who may use a route of this permission; else why not. */
export type Access = (permission: Permission, request: IncomingMessage) => Promise<Asker | Refusal>;

/** Whom secrets belong to. */
export interface Identities {
  readonly operatorToken: string;
  /** What the operator is called whose token that is. */
  readonly operatorName: string;
  /** A named operator by a token; undefined: it is nobody's. */
  readonly findOperator: (
    token: string,
  ) => Promise<{ readonly name: string; readonly country: string | null } | undefined>;
  /** A tenant by a key, or why it is nobody's. */
  readonly identify: (secret: string) => Tenant | Refusal;
}

export interface Tenant {
  readonly key: { readonly id: string; readonly permissions: ReadonlySet<KeyPermission>; readonly reach: string };
  readonly project: { readonly id: string };
  readonly organisation: { readonly id: string };
}

const bearer = /^bearer +(\S{1,512})$/i;
const forwardingHeaders = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];
const anybody: Asker = { kind: "anybody", name: "" };

export function createAccess(identities: Identities): Access {
  const expected = digest(identities.operatorToken);
  // Digests have one length and hide how much of a guess was right.
  const isFirst = (secret: string): boolean => timingSafeEqual(digest(secret), expected);
  const operatorOf = async (secret: string): Promise<Asker | undefined> => {
    if (isFirst(secret)) return { kind: "operator", name: identities.operatorName, country: null };
    if (!secret.startsWith("bwo_")) return undefined;
    const found = await identities.findOperator(secret);
    return found && { kind: "operator", name: found.name, country: found.country };
  };
  return async (permission, request) => {
    if (permission === "public") return anybody;
    const { authorization } = request.headers;
    const secret = authorization === undefined ? undefined : bearer.exec(authorization)?.[1];
    const operator = secret === undefined ? undefined : await operatorOf(secret);
    if (operator !== undefined) return operator;
    if (permission === "operator-or-loopback" && isDirectFromLoopback(request)) return anybody;
    if (permission.startsWith("tenant:") && secret?.startsWith("bwk_") === true) {
      return tenantOf(identities.identify(secret), permission.slice("tenant:".length) as KeyPermission);
    }
    return authorization === undefined
      ? refuse("missing_key", "This needs an operator's token.")
      : refuse("operator_only", "The token shown is not an operator's.");
  };
}

function tenantOf(tenant: Tenant | Refusal, permission: KeyPermission): Asker | Refusal {
  if ("outcome" in tenant) return tenant;
  const { key, project, organisation } = tenant;
  if (!key.permissions.has(permission)) {
    return refuse("key_not_permitted", `This key has no permission "${permission}".`);
  }
  const isForOrganisation = key.reach === "organisation";
  const { permissions } = key;
  const whose = { project: project.id, organisation: organisation.id };
  return { kind: "key", name: key.id, ...whose, permissions, isForOrganisation };
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
