import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { TrustedLog, VerifierKey, WitnessPolicy } from "../log/index.ts";
import { CommandFailure } from "./failure.ts";
import { readBounded } from "./read-file.ts";
import type { Surroundings } from "./surroundings.ts";

const keyFileBytesMax = 1 << 16;

/** Verifier keys of one type as the command line has them: each is a key, or a file with one a line. */
export async function readVerifierKeys(
  given: readonly string[],
  type: VerifierKey["type"],
  option: string,
  { currentFolder }: Pick<Surroundings, "currentFolder">,
): Promise<readonly VerifierKey[]> {
  const { parseVerifierKey } = await import("../log/index.ts");
  const texts = given.flatMap((each) => {
    const path = resolve(currentFolder, each);
    return existsSync(path) ? linesOf(readBounded(path, keyFileBytesMax).toString("utf8")) : [each.trim()];
  });
  return texts.map((text) => {
    const parsed = parseVerifierKey(text);
    if (parsed.outcome === "read" && parsed.key.type === type) return parsed.key;
    const why =
      parsed.outcome === "read" ? `it is a ${parsed.key.type === "ed25519" ? "log" : "witness"}'s` : parsed.reason;
    throw new CommandFailure("invalid_option", `${option} has no verifier key: ${why}.`, {
      next: "Give it as it is printed, name+id+key, or a file that holds it.",
    });
  });
}

function linesOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** The logs that such keys belong to. */
export async function readLogs(
  given: readonly string[],
  option: string,
  surroundings: Pick<Surroundings, "currentFolder">,
): Promise<readonly TrustedLog[]> {
  const { trustedLogs } = await import("../log/index.ts");
  return trustedLogs(await readVerifierKeys(given, "ed25519", option, surroundings));
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
