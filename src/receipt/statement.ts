import { canonicalJson, type Ending, type Usage } from "../base/index.ts";

export const statementType = "application/vnd.bailiwick.receipt+json;version=1";

/** What a receipt states (docs/reference/receipt.md). Times are milliseconds since 1970 UTC here, RFC 3339 in the file. */
export interface StatementFacts {
  readonly receipt: string;
  readonly request: string;
  readonly organisation: string;
  /** The project. */
  readonly tenant: string;
  readonly gateway: string;
  readonly endpoint: string;
  readonly model: { readonly name: string; readonly sha256: string | null };
  readonly engine: { readonly name: string; readonly build: string };
  readonly host: string;
  readonly site: { readonly name: string; readonly jurisdiction: string | null };
  readonly policy: { readonly decision: "permitted"; readonly digest: string; readonly dataClass: string };
  /** null: it cannot be known, and `unrated` says why. */
  readonly usage: Usage | null;
  readonly unrated: string | null;
  readonly price: { readonly version: string; readonly currency: string; readonly listAmount: string | null } | null;
  readonly ending: Ending;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly requestDigest: { readonly keyId: string; readonly value: string; readonly bytes: number };
  /** null: a crash left nobody who knows what was sent. */
  readonly responseDigest: {
    readonly keyId: string;
    readonly value: string;
    readonly bytes: number;
    /** False where the client left early: it got a part. */
    readonly complete: boolean;
  } | null;
}

/** The statement's one encoding (RFC 8785): the bytes that are a leaf of their batch. */
export function buildStatement(facts: StatementFacts): string {
  const { startedAtMs, endedAtMs, requestDigest, responseDigest, usage, price, ...same } = facts;
  return canonicalJson({
    ...same,
    v: 1,
    startedAt: new Date(startedAtMs).toISOString(),
    endedAt: new Date(endedAtMs).toISOString(),
    usage: usage === null ? null : { ...usage },
    price: price === null ? null : { ...price },
    model: { ...same.model },
    engine: { ...same.engine },
    site: { ...same.site },
    policy: { ...same.policy },
    requestDigest: { algorithm: "hmac-sha-256", ...requestDigest },
    responseDigest: responseDigest === null ? null : { algorithm: "hmac-sha-256", ...responseDigest },
  });
}
