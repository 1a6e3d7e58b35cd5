import type { Selectable } from "kysely";
import type { HostTable, HostTokenTable } from "../store/index.ts";

/** A host as the table has it. */
export interface HostTold {
  readonly id: string;
  readonly site: string;
  /** Of its public key. */
  readonly key: string;
  readonly address: string;
  readonly joinedAt: string;
  readonly revokedAt: string | null;
}

export interface HostTokenTold {
  readonly id: string;
  readonly site: string;
  readonly state: "open" | "used" | "expired" | "revoked";
  readonly createdAt: string;
  readonly expiresAt: string;
  /** The host that joined with it. */
  readonly host: string | null;
}

/** One that was just made: its secret is told once. */
export interface HostTokenMade extends HostTokenTold {
  readonly token: string;
}

export function hostTold(row: Selectable<HostTable>): HostTold {
  const { id, site, fingerprint, address, joinedAt, revokedAt } = row;
  return {
    id,
    site,
    key: fingerprint,
    address,
    joinedAt: joinedAt.toISOString(),
    revokedAt: revokedAt?.toISOString() ?? null,
  };
}

export function tokenTold(row: Selectable<HostTokenTable>, nowMs: number): HostTokenTold {
  const { id, site, createdAt, expiresAt, host } = row;
  return {
    id,
    site,
    state: stateOf(row, nowMs),
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    host,
  };
}

export function stateOf(row: Selectable<HostTokenTable>, nowMs: number): HostTokenTold["state"] {
  if (row.host !== null) return "used";
  if (row.revokedAt !== null) return "revoked";
  return row.expiresAt.getTime() <= nowMs ? "expired" : "open";
}
