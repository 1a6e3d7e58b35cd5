import { type Clock, refuse } from "../../base/index.ts";
import { paged } from "./fake-pages.ts";
import { instantOf } from "./fields.ts";
import type { ResidencyOperations } from "./operations.ts";
import type { Facts, Policies, Version } from "./wire.ts";

/** Documents in memory that nobody checks: for tests of what asks for them. */
export function createFakeResidency(clock: Clock): ResidencyOperations {
  const none = { version: 0, sha256: "0".repeat(64), by: null, at: null, note: null, warnings: [] };
  const facts: Facts[] = [{ ...none, document: {} }];
  const policies: Policies[] = [{ ...none, files: [], document: {}, shipped: [] }];
  const next = (kept: readonly Version[], basedOn: number, note: string | undefined) => {
    if (basedOn !== kept.length - 1)
      return refuse("version_conflict", "Another one was applied.", { param: "basedOn" });
    return { ...none, version: kept.length, by: "operator", at: instantOf(clock.nowMs()), note: note ?? null };
  };
  return {
    showFacts: (version) => Promise.resolve(facts.at(version ?? -1) ?? refuse("not_found", "There is none.")),
    putFacts: ({ basedOn, note, document }) => {
      const made = next(facts, basedOn, note);
      if (!("outcome" in made)) facts.push({ ...made, document });
      return Promise.resolve("outcome" in made ? made : facts.at(-1)!);
    },
    showPolicies: (version) => Promise.resolve(policies.at(version ?? -1) ?? refuse("not_found", "There is none.")),
    putPolicies: ({ basedOn, note, document, files }) => {
      const made = next(policies, basedOn, note);
      if (!("outcome" in made)) policies.push({ ...made, document, files: [...files], shipped: [] });
      return Promise.resolve("outcome" in made ? made : policies.at(-1)!);
    },
    placements: ({ since }) => Promise.resolve({ since: since ?? instantOf(0), items: [], leftOut: 0 }),
    history: (kind, page) =>
      Promise.resolve(paged<Version>((kind === "facts" ? facts : policies).slice(1).toReversed(), page)),
  };
}
