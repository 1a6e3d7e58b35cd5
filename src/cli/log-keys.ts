import type { TrustedLog, VerifierKey, WitnessPolicy } from "../log/index.ts";
import { CommandFailure } from "./failure.ts";

/** Verifier keys as they are given on the command line, of one type. */
export async function readVerifierKeys(
  texts: readonly string[],
  type: VerifierKey["type"],
  option: string,
): Promise<readonly VerifierKey[]> {
  const { parseVerifierKey } = await import("../log/index.ts");
  return texts.map((text) => {
    const parsed = parseVerifierKey(text.trim());
    if (parsed.outcome === "read" && parsed.key.type === type) return parsed.key;
    const why =
      parsed.outcome === "read" ? `it is a ${parsed.key.type === "ed25519" ? "log" : "witness"}'s` : parsed.reason;
    throw new CommandFailure("invalid_option", `${option} has no verifier key: ${why}.`, {
      next: "Give it as it is printed: name+id+key.",
    });
  });
}

/** The logs that such keys belong to: a log may have several. */
export function logsOf(keys: readonly VerifierKey[]): readonly TrustedLog[] {
  const origins = [...new Set(keys.map(({ name }) => name))];
  return origins.map((origin) => ({ origin, keys: keys.filter(({ name }) => name === origin) }));
}

export function policyOf(keys: readonly VerifierKey[], quorum: number | undefined): WitnessPolicy | undefined {
  if (keys.length === 0 && quorum === undefined) return undefined;
  const needed = quorum ?? keys.length;
  if (needed > keys.length) {
    throw new CommandFailure("invalid_option", `--quorum ${needed} is more than the ${keys.length} witnesses.`, {
      next: "Name more witnesses with --witness, or ask for fewer.",
    });
  }
  return { keys, quorum: needed };
}
