import type { CompiledPolicies } from "./cedar/policies.ts";
import { diff, type Changed, type Placement } from "./diff.ts";
import type { PolicyDocument } from "./document.ts";
import type { Facts } from "./facts/schema.ts";
import { type Loss, lose, unknownLoss } from "./losses.ts";
import { createPolicy, type Policy } from "./policy.ts";
import type { Candidate } from "./question.ts";
import { type Remedy, remedyFinder } from "./remedies.ts";

/** A placement that would have been refused, and the least that would have kept it. */
export interface Lost<P extends Placement> extends Changed<P> {
  /** Undefined where no single thing among those known would. */
  readonly keptBy: Remedy | undefined;
}

export type Drilled<P extends Placement> =
  | {
      readonly outcome: "drilled";
      /** The facts after the loss. */
      readonly facts: Facts;
      readonly lost: readonly Lost<P>[];
      readonly moved: readonly Changed<P>[];
      /** Placements that the loss does not touch. */
      readonly kept: number;
      /** Placements that today's facts would already decide otherwise than they were. */
      readonly drifted: readonly P[];
    }
  /** There is no such thing to lose; `message` says what there is. */
  | { readonly outcome: "unknown"; readonly loss: Loss; readonly message: string };

/** What a drill is made with: today's facts and policies, the time, and what ran. */
export interface DrillOptions<P extends Placement> {
  readonly facts: Facts;
  readonly losses: readonly Loss[];
  readonly placements: readonly P[];
  readonly policies?: CompiledPolicies;
  readonly document?: PolicyDocument;
  readonly nowMs: number;
  /** Hears how many were replayed, of each of them. */
  readonly onReplayed?: (count: number) => void;
}

/** The replay of what ran, with something lost: what would have been refused, and what would have kept it. */
export function drill<P extends Placement>(options: DrillOptions<P>): Drilled<P> {
  const { facts, losses, placements, nowMs, onReplayed } = options;
  for (const loss of losses) {
    const message = unknownLoss(loss, facts, placements);
    if (message !== undefined) return { outcome: "unknown", loss, message };
  }
  const policyOf = (changed: Facts): Policy => createPolicy({ ...shared(options), facts: changed });
  const without = (some: readonly Loss[]) => some.reduce((left, loss) => lose(left, loss, nowMs), facts);
  const changed = without(losses);
  const [today, after] = [policyOf(facts), policyOf(changed)];
  const whyRefused = (candidate: Candidate): string | undefined => whyTaken(candidate, losses, today, after);
  const { refused, moved, unchanged, drifted } = diff(placements, today, after, { onReplayed, whyRefused });
  const others =
    losses.length < 2 ? [] : losses.map((loss) => ({ loss, facts: without(losses.filter((each) => each !== loss)) }));
  const remedyFor = remedyFinder({ facts: changed, others, policyOf, nowMs });
  const lost = refused.map((each) => ({ ...each, keptBy: remedyFor(each.placement) }));
  return { outcome: "drilled", facts: changed, lost, moved, kept: unchanged, drifted };
}

/** Which loss takes a place away as a whole, which no operator has withdrawn; undefined where none does. */
function whyTaken({ name, site }: Candidate, losses: readonly Loss[], today: Policy, after: Policy) {
  const was = today.standing();
  const lostSite = losses.find((loss) => loss.kind === "site" && loss.name === site.name);
  if (lostSite !== undefined && !was.withdrawnSites.has(site.name)) return `the drill takes site ${site.name} away`;
  const before = was.hosts.get(name)?.withdrawnMakers ?? [];
  const [maker] = (after.standing().hosts.get(name)?.withdrawnMakers ?? []).filter((each) => !before.includes(each));
  const isWithdrawn = was.withdrawnSites.has(site.name) || before.length > 0;
  if (maker === undefined || isWithdrawn) return undefined;
  return `the drill takes the accelerators of ${maker} away`;
}

function shared<P extends Placement>({ policies, document, nowMs }: DrillOptions<P>) {
  return { ...(policies && { policies }), ...(document && { document }), nowMs: () => nowMs };
}
