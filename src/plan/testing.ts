import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { parseAmount } from "../base/index.ts";
import { deviceTypeOf, modelsOf, parseShapes, readWorkload } from "../sim/index.ts";
import type { Offer } from "./price-list.ts";
import type { PlanQuestion } from "./question.ts";
import { createSolver, type Solver } from "./solver/solver.ts";

/** A folder for small files of a test's own, gone when the test is over. */
export async function fileFolder(context: TestContext): Promise<(name: string, text: string) => Promise<string>> {
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-plan-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return async (name, text) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
}

export function solverFor(context: TestContext): Solver {
  const solver = createSolver();
  context.after(() => solver.close());
  return solver;
}

/** `H100 2.50`, or `H100 2.50 x4` where only so many can be had. */
export function offer(text: string): Offer {
  const [id, price, available] = text.split(" ");
  const type = deviceTypeOf(id!);
  return {
    type,
    pricePerHour: parseAmount(price!)!,
    availableMax: available === undefined ? undefined : Number(available.slice(1)),
    origin: type.makerCountry,
    exportClassification: undefined,
    note: undefined,
  };
}

/** Two seeds of three minutes, so that a plan takes a second. */
export async function smallQuestion(
  workload: string,
  models: string,
  offers: readonly Offer[],
  solver: Solver,
): Promise<PlanQuestion> {
  const workloads = [];
  for (const seed of [1, 2]) workloads.push(await readWorkload({ workload, seed, minutes: 3 }));
  const shapes = parseShapes(models);
  const names = modelsOf({ name: "", notes: [], requests: workloads.flatMap(({ requests }) => requests) });
  return {
    workloads,
    plannedMs: 180_000,
    shapes: new Map(names.map((name, index) => [name, shapes[index % shapes.length]!])),
    objective: { ttftMs: 10_000, tpotMs: 100 },
    attainment: 0.99,
    linkGBps: undefined,
    prices: { currency: "EUR", offers },
    reserved: [],
    excludedOrigins: [],
    solver,
  };
}
