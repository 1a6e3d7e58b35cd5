import type { AsOf, Verdict } from "./verify.ts";

/** A verdict as programs read it. */
export interface VerdictJson {
  readonly valid: boolean;
  readonly reason: string;
  readonly checked: readonly string[];
  /** The checkpoint as of which it is valid, where there was a proof. */
  readonly asOf?: Omit<AsOf, "cosignedAtMs"> & { readonly cosignedAt: string | null };
}

export function verdictJson(verdict: Verdict): VerdictJson {
  const { outcome, reason, checked } = verdict;
  const said = { valid: outcome === "valid", reason, checked };
  if (verdict.outcome !== "valid" || verdict.asOf === undefined) return said;
  const { cosignedAtMs, ...same } = verdict.asOf;
  const cosignedAt = cosignedAtMs === null ? null : new Date(cosignedAtMs).toISOString();
  return { ...said, asOf: { ...same, cosignedAt } };
}

/** "valid as of checkpoint 7 of cloud.example/log, as its entry 3": what may be said of a verdict. */
export function verdictText(verdict: Verdict): string {
  const words = { valid: "valid", invalid: "INVALID", unchecked: "could not be checked" }[verdict.outcome];
  if (verdict.outcome !== "valid") return `${words}: ${verdict.reason}`;
  if (verdict.asOf === undefined) return words;
  const { log, size, index, cosignedAtMs, witnesses } = verdict.asOf;
  const cosigned =
    cosignedAtMs === null ? "" : `, cosigned by ${witnesses.join(", ")} at ${new Date(cosignedAtMs).toISOString()}`;
  return `${words} as of checkpoint ${size} of ${log}, as its entry ${index}${cosigned}`;
}
