import { deviceTypeOf, parseObjective, parseShapes, prepare } from "../../src/sim/index.ts";
import { device, type Scene } from "./matrix.ts";
import { linkGBps } from "./switch-costs.ts";
import { workloadsOf } from "./trials.ts";
import type { Extent } from "./workloads.ts";

/** By a scene's title, what of its workload is in no row, in words; nothing of a scene that is played whole. */
export type LeftOut = ReadonlyMap<string, string>;

/**
 * Requests longer than their model's context are asked of nobody. Rows do not say how many, so they are counted anew, of
 * recorded traces and of the first seed of what is generated from one; synthetic requests are short.
 */
export async function leftOutOf(
  scenes: readonly Scene[],
  { traces, extent }: { readonly traces: string | undefined; readonly extent: Extent },
): Promise<LeftOut> {
  const said = new Map<string, string>();
  if (traces === undefined) return said;
  for (const scene of scenes.filter(({ setting }) => setting.workload.kind === "trace")) {
    const [left, all] = await countsOf(scene, traces, extent);
    if (left === 0) continue;
    const [some, of] = [left.toLocaleString("en"), all.toLocaleString("en")];
    said.set(scene.title, `${some} of ${of} requests are left out: longer than their model's context`);
  }
  return said;
}

async function countsOf({ setting }: Scene, traces: string, extent: Extent): Promise<readonly [number, number]> {
  const [workload] = await workloadsOf({
    setting: { ...setting, switchCost: "link" },
    extent: { ...extent, seeds: 1 },
    load: 1,
    traces,
  });
  const question = {
    workloads: [workload!],
    fleet: [{ type: deviceTypeOf(device), count: 1 }],
    shapes: parseShapes(setting.shapes),
    objective: parseObjective(setting.objective),
    linkGBps,
  };
  const all = workload!.requests.length;
  return [all - prepare(question, workload!).requests.length, all];
}
