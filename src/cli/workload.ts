import { CommandFailure } from "./failure.ts";

/** The options that say which workload. */
export interface WorkloadOptions {
  readonly workload: string;
  readonly format?: string;
  readonly map?: string;
  readonly dealTo?: number;
  readonly rate?: number;
  readonly from?: number;
  readonly seeds: number;
  readonly minutes: number;
}

/** What the workload's models are, in turn, where nothing is said. */
export const usualModels = "qwen2.5-7b";

export async function workloadsOf({ workload, format, map, dealTo, rate, from, seeds, minutes }: WorkloadOptions) {
  const { readWorkloads } = await import("../sim/index.ts");
  return readWorkloads({ workload, format, map, models: dealTo, rate, startS: from, seeds, minutes });
}

/** What cannot be simulated or planned is told as any other failure of a command; `next` says where to look. */
export async function told<Result>(run: () => Promise<Result>, next: string): Promise<Result> {
  const { SimulationError, WorkloadError } = await import("../sim/index.ts");
  const { PlanError } = await import("../plan/index.ts");
  try {
    return await run();
  } catch (error) {
    if (error instanceof SimulationError || error instanceof WorkloadError || error instanceof PlanError) {
      throw new CommandFailure("invalid_usage", error.message, { next });
    }
    throw error;
  }
}
