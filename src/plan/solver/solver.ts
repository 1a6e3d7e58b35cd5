import { Worker } from "node:worker_threads";
import type { LegacyHighsSolution } from "highs";
import { type IntegerProgram, lpText } from "./program.ts";

/** Solves integer programs, one after the other. */
export interface Solver {
  /** The variables' values by name; undefined where no numbers keep every row. */
  solve(program: IntegerProgram): Promise<ReadonlyMap<string, number> | undefined>;
  close(): Promise<void>;
}

/** Programs here have a few hundred variables and are done in milliseconds. */
const secondsMax = 30;

/** HiGHS blocks its thread while it solves, so it has one of its own. */
const threadProgram = `
  const { parentPort, workerData } = require("node:worker_threads");
  const ready = import(workerData.library).then(({ default: load }) => load());
  parentPort.on("message", async ({ text, options }) => {
    try {
      parentPort.postMessage({ solution: (await ready).solve(text, options) });
    } catch (error) {
      parentPort.postMessage({ failure: String(error) });
    }
  });
`;

type Answer = { readonly solution: LegacyHighsSolution } | { readonly failure: string };

/** HiGHS (npm `highs`) in a worker thread. Exact to its tolerance of 1e-6, and the same program gives the same answer. */
export function createSolver(): Solver {
  const worker = new Worker(threadProgram, { eval: true, workerData: { library: import.meta.resolve("highs") } });
  worker.unref();
  return {
    async solve(program) {
      const answer = await asked(worker, {
        text: lpText(program),
        options: { output_flag: false, mip_rel_gap: 0, mip_abs_gap: 1e-9, random_seed: 0, time_limit: secondsMax },
      });
      if ("failure" in answer) throw new Error(`HiGHS failed: ${answer.failure}`);
      return valuesOf(answer.solution);
    },
    async close() {
      await worker.terminate();
    },
  };
}

function asked(worker: Worker, message: unknown): Promise<Answer> {
  return new Promise<Answer>((resolve, reject) => {
    const forget = (): void => {
      worker.off("message", answered).off("error", failed).off("exit", ended).unref();
    };
    const answered = (answer: Answer): void => {
      forget();
      resolve(answer);
    };
    const failed = (error: Error): void => {
      forget();
      reject(error);
    };
    const ended = (): void => failed(new Error("the solver's thread ended"));
    worker.on("message", answered).on("error", failed).on("exit", ended).ref();
    // A thread has no origin.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    worker.postMessage(message);
  });
}

function valuesOf(solution: LegacyHighsSolution): ReadonlyMap<string, number> | undefined {
  // All costs are above 0, so that no program here is unbounded.
  if (solution.Status === "Infeasible" || solution.Status === "Primal infeasible or unbounded") return undefined;
  if (solution.Status !== "Optimal") throw new Error(`HiGHS ended with "${solution.Status}"`);
  // Nothing is added, so that -0 is 0.
  const columns = Object.entries(solution.Columns) as [string, { readonly Primal: number }][];
  return new Map(columns.map(([name, { Primal }]) => [name, Math.round(Primal) + 0]));
}
