import type { Fleet, Scheduler } from "../pool/index.ts";
import { Machine, type MachineTotals } from "./machine.ts";
import type { Outcome, SimulatedRequest } from "./outcome.ts";

export interface Simulated {
  readonly outcomes: readonly Outcome[];
  readonly totals: MachineTotals;
}

/** One workload on one fleet under one scheduler, until all of it is done. The same arguments give the same result. */
export function simulate(
  fleet: Fleet,
  scheduler: Scheduler,
  requests: readonly SimulatedRequest[],
  options: { readonly mayForget: boolean } = { mayForget: false },
): Simulated {
  const machine = new Machine(fleet, scheduler, requests);
  const totals = machine.run(options);
  return { outcomes: machine.outcomes, totals };
}

/** The share of requests that were met strictly. */
export function attainment(outcomes: readonly Outcome[]): number {
  return outcomes.length === 0 ? 1 : outcomes.filter(({ isMet }) => isMet).length / outcomes.length;
}
