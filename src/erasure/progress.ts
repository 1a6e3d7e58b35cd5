import type { ContentKeyId, ErasureId, RequestId } from "../base/index.ts";

export type ErasureKind = "request" | "subject" | "project" | "organisation";

/** An erasure, by what does not change of it. */
export interface Erasing {
  readonly id: ErasureId;
  readonly kind: ErasureKind;
  readonly organisation: string;
  /** null: all of the organisation's. */
  readonly project: string | null;
  readonly askedAt: string;
  readonly askedBy: string;
  readonly reason: string | null;
  /** 32 bytes, hex. */
  readonly blinding: string;
}

/** What of one store is to go: counted before anything goes. */
export interface Found {
  readonly count: number;
  /** As many as a statement names. */
  readonly ids: readonly string[];
}

/** What a destination did about the prompts that it may remember. */
export interface CacheTold {
  /** A host's id, or an upstream's name. */
  readonly destination: string;
  readonly kind: "host" | "upstream";
  readonly outcome: "forgotten" | "away" | "unable";
  /** Answers that ran meanwhile, and leave nothing when they end. */
  readonly running: number;
}

/** How far it is, kept with it: what a process that died knew, the next one knows. */
export interface Progress {
  /** The request, the pseudonym's tag, or the id of what is erased. */
  readonly of: string;
  /** What the statement says of it: a request and a pseudonym stand there blinded. */
  readonly stated: string;
  readonly projects: readonly string[];
  /** Of a request or a person: the requests, and the keys that their contents lay under. */
  readonly requests: readonly RequestId[];
  readonly keys: readonly ContentKeyId[];
  readonly found: Readonly<Record<string, Found>>;
  /** Rows of usage that stay. */
  readonly usageRows: number;
  /** Invoices and credit notes that stay as they were issued, of an organisation; left out of erasures of before this was counted. */
  readonly documents?: number | undefined;
  /** Where backups of before were written, as far as is known. */
  readonly backups: readonly string[];
  /** What each destination did about what it remembered. */
  readonly caches: readonly CacheTold[];
}

export function begun(of: string, stated: string, projects: readonly string[]): Progress {
  return { of, stated, projects, requests: [], keys: [], found: {}, usageRows: 0, backups: [], caches: [] };
}
