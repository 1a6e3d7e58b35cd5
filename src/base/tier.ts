/** What a request is promised, from the soonest answer to the latest; the settings say how much that is. */
export const tiers = ["interactive", "standard", "batch"] as const;

export type Tier = (typeof tiers)[number];

/** When a tier's tokens are due: token i (from 0) at arrival + `ttftMs` + i x `tpotMs`. */
export interface Objective {
  readonly ttftMs: number;
  readonly tpotMs: number;
}
