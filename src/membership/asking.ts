import { Pool } from "undici";
import { type Clock, type ErrorCode, errorCodes, type NetworkAddress, refuse, type Refusal } from "../base/index.ts";
import { type Identity, pinnedConnector } from "../tls/index.ts";
import { type JoinAnswer, joinAnswer, joinBytesMax, joinPath, type JoinRequest } from "./wire.ts";

export type Joined = JoinAnswer;
/** What a machine says of itself. */
export type Announcement = JoinRequest;

export interface Asking {
  readonly identity: Identity;
  readonly address: NetworkAddress;
  /** Of the gateway's key. */
  readonly gateway: string;
  readonly announcement: Announcement;
  readonly clock: Clock;
}

const connectTimeoutMs = 10_000;
const answerTimeoutMs = 60_000;

/** Asks a gateway to be its host. Rejects where it cannot be reached, or where what answers is another. */
export async function askToJoin({
  identity,
  address,
  gateway,
  announcement,
  clock,
}: Asking): Promise<Joined | Refusal> {
  const pool = new Pool("http://gateway", {
    connections: 1,
    headersTimeout: answerTimeoutMs,
    bodyTimeout: answerTimeoutMs,
    maxResponseSize: joinBytesMax,
    connect: pinnedConnector({ identity, address, fingerprint: gateway, timeoutMs: connectTimeoutMs, clock }),
  });
  try {
    const { statusCode, body } = await pool.request({
      method: "POST",
      path: joinPath,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(announcement),
    });
    const said: unknown = await body.json();
    return statusCode === 200 ? joinAnswer.parse(said) : refusalIn(said, statusCode);
  } finally {
    await pool.destroy();
  }
}

function refusalIn(said: unknown, status: number): Refusal {
  const { error } = said as { readonly error?: { readonly code?: unknown; readonly message?: unknown } };
  const code = String(error?.code);
  if (!Object.hasOwn(errorCodes, code)) return refuse("internal_error", `The gateway answered ${status}.`);
  return refuse(code as ErrorCode, String(error?.message));
}
