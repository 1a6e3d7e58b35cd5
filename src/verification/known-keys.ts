import { parseProof, type TrustedLog, verifyProof, type WitnessPolicy } from "../log/index.ts";
import { type KeyStatement, keyStatementEntry, parseKeyStatement } from "../receipt/index.ts";

/** The keys that receipts may be signed by, and what is known of each. */
export interface KnownKeys {
  readonly outcome: "known";
  /** As a JSON Web Key Set. */
  readonly jwks: Buffer;
  /** What the operator states of them, as an entry of a log; undefined: they are just given. */
  readonly statement: KeyStatement | undefined;
  /** The log that has the statement, and its entry there. */
  readonly log: string;
  readonly index: number;
}

export type ReadKeys = KnownKeys | { readonly outcome: "invalid" | "unchecked"; readonly reason: string };

const proofBegins = "c2sp.org/tlog-proof@";

/**
 * Reads what is given as keys. A key statement comes as the proof that it is in the log, with the statement as the proof's
 * extra data: so it cannot be one that nobody else was shown.
 */
export function readKeys(bytes: Buffer, logs: readonly TrustedLog[], witnesses: WitnessPolicy | undefined): ReadKeys {
  if (!bytes.subarray(0, proofBegins.length).equals(Buffer.from(proofBegins))) {
    return { outcome: "known", jwks: bytes, statement: undefined, log: "", index: 0 };
  }
  const parsed = parseProof(bytes);
  if (parsed.outcome === "malformed") return { outcome: "invalid", reason: `the key statement: ${parsed.reason}` };
  const { extra } = parsed.proof;
  const statement = extra === undefined ? undefined : parseKeyStatement(extra);
  if (statement === undefined) return { outcome: "invalid", reason: "the key statement is none" };
  if (logs.length === 0) {
    return { outcome: "unchecked", reason: "a key statement takes the log's key: give it with --log-key" };
  }
  const entry = keyStatementEntry(extra!);
  const verdict = verifyProof({ proof: bytes, entry, logs, ...(witnesses === undefined ? {} : { witnesses }) });
  if (verdict.outcome !== "valid") return { outcome: "invalid", reason: `the key statement: ${verdict.reason}` };
  const { checkpoint, index } = verdict;
  return { outcome: "known", jwks: jwksOf(statement), statement, log: checkpoint.origin, index };
}

function jwksOf({ receiptKeys }: KeyStatement): Buffer {
  const keys = receiptKeys.map(({ x }) => ({ kty: "OKP", crv: "Ed25519", x }));
  return Buffer.from(JSON.stringify({ keys }));
}
