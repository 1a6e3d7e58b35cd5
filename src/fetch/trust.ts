import { parseVerifierKey, type TrustedLog, trustedLogs, type VerifierKey, type WitnessPolicy } from "../log/index.ts";

/** What a client believes before it has heard anything. */
export interface Trust {
  readonly logs: readonly TrustedLog[];
  readonly witnesses: WitnessPolicy | undefined;
}

/** Verifier keys as their owners publish them: name+id+key. Throws a `TypeError` for what is none. */
export function trustIn(
  logKeys: readonly string[],
  witnesses: { readonly keys: readonly string[]; readonly quorum?: number } | undefined,
): Trust {
  const logs = keysIn(logKeys, "ed25519", "logKeys");
  return {
    logs: trustedLogs(logs),
    witnesses: witnesses === undefined ? undefined : witnessesIn(witnesses.keys, witnesses.quorum),
  };
}

function witnessesIn(texts: readonly string[], quorum = texts.length): WitnessPolicy {
  const keys = keysIn(texts, "cosignature", "witnesses.keys");
  if (!Number.isInteger(quorum) || quorum < 1 || quorum > keys.length) {
    throw new TypeError(`witnesses.quorum is not between 1 and ${keys.length}`);
  }
  return { keys, quorum };
}

function keysIn(texts: readonly string[], type: VerifierKey["type"], option: string): readonly VerifierKey[] {
  return texts.map((text) => {
    const parsed = parseVerifierKey(text.trim());
    if (parsed.outcome === "read" && parsed.key.type === type) return parsed.key;
    const reason = parsed.outcome === "read" ? "it is of another type" : parsed.reason;
    throw new TypeError(`${option} holds what is no such key: ${reason}`);
  });
}
