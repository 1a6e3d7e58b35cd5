import type { Clock } from "../base/index.ts";
import type { Operations } from "../gateway/index.ts";
import { placementReport, type PlacementSum, type Store } from "../store/index.ts";

type Placements = Awaited<ReturnType<Operations["residency"]["placements"]>>;

/** Groups that one answer holds; a cloud that has more of them is told how many requests are in the others. */
const groupsMost = 5_000;
const usualDays = 7;

/** What happened since a time, as a replay takes it. */
export async function placementsSince(
  store: Store,
  clock: Clock,
  { since, newest }: { readonly since: string | undefined; readonly newest: number },
): Promise<Placements> {
  const from = since === undefined ? new Date(clock.nowMs() - usualDays * 86_400_000) : new Date(since);
  const { sums, leftOut } = await placementReport(store.db, { since: from, newest, groups: groupsMost });
  return { since: from.toISOString(), items: sums.map(itemOf), leftOut };
}

function itemOf(sum: PlacementSum): Placements["items"][number] {
  const { question = null, candidates = [] } = JSON.parse(sum.body ?? "null") ?? {};
  const { requests, unrated, amount, currency, deadlines } = sum;
  return {
    project: { id: sum.project, name: sum.projectName ?? sum.project, organisation: sum.organisationName ?? "" },
    question,
    candidates,
    ranAt: sum.destination,
    missing: question !== null ? null : sum.isNamed ? "not_kept" : "earlier_release",
    requests,
    unrated,
    amount,
    currency,
    deadlines: [...deadlines],
  };
}
