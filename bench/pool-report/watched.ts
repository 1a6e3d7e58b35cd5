import type { Scheduler } from "../../src/pool/index.ts";
import type { SimulatedRequest } from "../../src/sim/index.ts";

/**
 * Most policies decide 5 to 70 times a request. Aegaeon's turns become shorter than a step where few of its devices
 * compute prompts: thousands of decisions a request, hours for a run that meets nothing.
 */
const decisionsPerRequestMax = 500;

/** Who decides without end. */
export class Endless extends Error {}

/** So many requests are missed already that the rest need not be seen. */
export class Hopeless extends Error {
  /** No more than this can be met. */
  readonly attainedMost: number;

  constructor(attainedMost: number) {
    super(`at most ${attainedMost} can be met`);
    this.attainedMost = attainedMost;
  }
}

/**
 * The scheduler, ended early where what is missed for certain leaves less than `attainmentLeast`: requests refused, and
 * requests whose prompt has not begun when its first token is due. Late tokens later in an answer are not looked for.
 */
export function watched(
  scheduler: Scheduler,
  requests: readonly SimulatedRequest[],
  attainmentLeast: number,
): Scheduler {
  /** Begun in time, or missed. */
  const settled = new Set<string>();
  const missedMax = (1 - attainmentLeast) * requests.length + 1e-6;
  let [decisions, missed, next] = [0, 0, 0];
  const miss = (id: string): void => {
    if (settled.has(id)) return;
    settled.add(id);
    missed++;
  };
  return {
    decide(event, nowMs) {
      decisions++;
      if (decisions > decisionsPerRequestMax * requests.length) {
        throw new Endless(`more than ${decisionsPerRequestMax} decisions a request`);
      }
      // In order of their deadlines, because a workload has one objective.
      for (; next < requests.length; next++) {
        const { id, atMs, objective } = requests[next]!;
        if (atMs + objective.ttftMs >= nowMs) break;
        miss(id);
      }
      const effects = scheduler.decide(event, nowMs);
      for (const effect of effects) {
        if (effect.kind === "refuse") miss(effect.request);
        else if (effect.kind === "prefill") for (const id of effect.requests) settled.add(id);
      }
      if (missed > missedMax) throw new Hopeless(1 - missed / requests.length);
      return effects;
    },
  };
}
