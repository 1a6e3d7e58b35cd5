import type { SealLevel } from "../criteria.ts";
import type { Fact } from "../evidence.ts";
import type { Scene } from "../scene.ts";

/** What a rule has decided of a criterion, and by what. */
export interface Finding {
  /** A sentence. */
  readonly answer: string;
  readonly facts: readonly Fact[];
  /**
   * The level of assurance above which its objective cannot be for this reason, as the Commission's calculator has the
   * answers' levels; left out: it holds nothing down.
   */
  readonly ceiling?: Ceiling;
}

export interface Ceiling {
  readonly level: SealLevel;
  /** A clause that goes on from "no higher than ... because". */
  readonly because: string;
}

/** What live state says to a criterion: a decision, or only what bears on it. */
export type Outcome =
  | ({ readonly outcome: "decided" } & Finding)
  | { readonly outcome: "open"; readonly bearing: readonly Fact[] };

export type Rule = (scene: Scene) => Outcome;

export function decided(answer: string, facts: readonly Fact[], ceiling?: Ceiling): Outcome {
  return { outcome: "decided", answer, facts, ...(ceiling !== undefined && { ceiling }) };
}

export function open(bearing: readonly Fact[] = []): Outcome {
  return { outcome: "open", bearing };
}

/** The lowest of several; of those as low, the first. */
export function lowest(ceilings: readonly (Ceiling | undefined)[]): Ceiling | undefined {
  let found: Ceiling | undefined;
  for (const each of ceilings)
    if (each !== undefined && (found === undefined || each.level < found.level)) found = each;
  return found;
}

/** Facts in one order whatever they were found by; each once. */
export function distinct(facts: readonly Fact[]): readonly Fact[] {
  const byText = new Map(facts.map((fact) => [fact.text, fact]));
  return [...byText.values()].sort((a, b) => (a.text < b.text ? -1 : 1));
}

/** "a", "a and b", "a, b and c"; of many the first five. */
export function listed(names: readonly string[]): string {
  const unique = [...new Set(names)];
  if (unique.length > 6) return `${unique.slice(0, 5).join(", ")} and ${unique.length - 5} more`;
  return unique.length < 2 ? unique.join("") : `${unique.slice(0, -1).join(", ")} and ${unique.at(-1)}`;
}
