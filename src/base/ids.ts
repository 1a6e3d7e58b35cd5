import { randomFillSync } from "node:crypto";
import type { Clock } from "./clock.ts";

/** The prefixes of every identifier; the part behind it is 26 Crockford base-32 digits that sort by time. */
export type IdPrefix =
  | "req"
  | "rcpt"
  | "org"
  | "prj"
  | "key"
  | "gw"
  | "host"
  | "htk"
  | "inst"
  | "dgk"
  | "rsv"
  | "opr"
  | "cky"
  | "ers"
  | "grt"
  | "ext"
  | "inv"
  | "pay"
  | "rfd"
  | "wgr";

export type Id<Prefix extends IdPrefix> = `${Prefix}_${string}`;
export type RequestId = Id<"req">;
export type ReceiptId = Id<"rcpt">;
export type OrganisationId = Id<"org">;
export type ProjectId = Id<"prj">;
export type KeyId = Id<"key">;
export type GatewayId = Id<"gw">;
export type HostId = Id<"host">;
export type HostTokenId = Id<"htk">;
export type InstallationId = Id<"inst">;
export type ReservationId = Id<"rsv">;
export type OperatorId = Id<"opr">;
export type ContentKeyId = Id<"cky">;
export type ErasureId = Id<"ers">;
export type GrantId = Id<"grt">;
export type ExitId = Id<"ext">;
export type InvoiceId = Id<"inv">;

const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const bodyPattern = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** Mints identifiers: 48 bits of milliseconds, then 80 random bits (the layout of a ULID). */
export interface Ids {
  mint<Prefix extends IdPrefix>(prefix: Prefix): Id<Prefix>;
}

export function createIds(clock: Clock, fill: (bytes: Buffer) => void = (bytes) => void randomFillSync(bytes)): Ids {
  // Random bytes are drawn for 256 identifiers at a time: one draw an identifier costs a microsecond each.
  const pool = Buffer.alloc(2_560);
  let used = pool.length;
  return {
    mint(prefix) {
      if (used === pool.length) {
        fill(pool);
        used = 0;
      }
      const body = encodeTime(clock.nowMs()) + encodeRandom(pool, used);
      used += 10;
      return `${prefix}_${body}`;
    },
  };
}

/** The identifier with the same body and another prefix: a request's receipt is `rcpt_` plus the request's body. */
export function withPrefix<Prefix extends IdPrefix>(prefix: Prefix, id: Id<IdPrefix>): Id<Prefix> {
  return `${prefix}_${id.slice(id.indexOf("_") + 1)}`;
}

export function isId<Prefix extends IdPrefix>(prefix: Prefix, text: string): text is Id<Prefix> {
  return text.startsWith(`${prefix}_`) && bodyPattern.test(text.slice(prefix.length + 1));
}

function encodeTime(timeMs: number): string {
  let text = "";
  let rest = Math.floor(timeMs);
  for (let digit = 0; digit < 10; digit++) {
    text = digits[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function encodeRandom(bytes: Buffer, at: number): string {
  let text = "";
  for (let half = 0; half < 2; half++) {
    // Five bytes are eight digits: 40 bits, in two numbers that stay below 2^32.
    const high = bytes.readUInt8(at + half * 5) * 0x1000 + (bytes.readUInt16BE(at + half * 5 + 1) >> 4);
    const low = ((bytes.readUInt16BE(at + half * 5 + 1) & 0xf) << 16) | bytes.readUInt16BE(at + half * 5 + 3);
    for (const part of [high, low]) {
      text += digits[(part >> 15) & 31]! + digits[(part >> 10) & 31]! + digits[(part >> 5) & 31]! + digits[part & 31]!;
    }
  }
  return text;
}
