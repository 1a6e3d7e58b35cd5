import type { CacheTold, Erasing, Progress } from "./progress.ts";

/** Of several projects, what is worst of each destination is what is stated. */
const ranks = { forgotten: 0, away: 1, unable: 2 } as const;

/**
 * Makes the hosts forget. A sequence of an engine holds a project's latest prompt, and what it has in common with those
 * before; whose request or which person that was, no engine knows: the project's whole cache goes, whatever is erased.
 */
export async function forgetCaches(
  _: Erasing,
  progress: Progress,
  { forget }: { readonly forget: (project: string) => Promise<readonly CacheTold[]> },
): Promise<Progress> {
  const caches = new Map<string, CacheTold>();
  for (const project of progress.projects) {
    for (const told of await forget(project)) {
      const before = caches.get(told.destination) ?? told;
      const { outcome } = ranks[told.outcome] > ranks[before.outcome] ? told : before;
      const running = before === told ? told.running : before.running + told.running;
      caches.set(told.destination, { ...told, outcome, running });
    }
  }
  return { ...progress, caches: [...caches.values()] };
}

/** In words, for a statement. */
export function cacheText({ kind, outcome, running }: CacheTold): string {
  if (outcome === "forgotten") {
    return running === 0
      ? "forgotten: no prompt finds it again"
      : `forgotten: no prompt finds it again; ${running} answers ran, and are forgotten at their end`;
  }
  if (outcome === "away") {
    return "not reached until its lease was over: a host forgets everything when its lease or its process ends, before it takes anything again";
  }
  return kind === "upstream"
    ? "another server's cache, which cannot be reached from here: what it holds is for whoever runs it to say and to clear"
    : "a host of an earlier release, which cannot forget: what it holds goes when other work takes its place, or its process ends";
}
