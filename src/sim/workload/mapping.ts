import { WorkloadError } from "./workload.ts";

export interface Mapping {
  readonly models: number;
  readonly clientsAreTenants: boolean;
}

const modelsMax = 10_000;

/**
 * How a trace that names no models is dealt to models and tenants, in words with commas between them:
 *
 * - `one`: all to one model, which is what holds without `map` and `models`;
 * - `split N` (or `split:N`, or `split` with `models`): to N models in turn, Azure by request, ServeGen by client;
 * - `tenants`: each of ServeGen's clients is a tenant; without it each model has one tenant of its own.
 *
 * `models` alone means `split` too. Throws a `WorkloadError` that names the bad word.
 */
export function mappingOf(map: string | undefined, models: number | undefined): Mapping {
  let count = models;
  let clientsAreTenants = false;
  for (const word of (map ?? "").split(",").map((part) => part.trim())) {
    const [, splitTo] = /^split[ :](\d+)$/.exec(word) ?? [];
    if (splitTo !== undefined) count = agreed(word, Number(splitTo), count);
    else if (word === "one") count = agreed(word, 1, count);
    else if (word === "tenants") clientsAreTenants = true;
    else if (word === "split") {
      if (count === undefined) throw new WorkloadError('map: "split" needs a number of models, such as "split 8"');
    } else if (map !== undefined) {
      throw new WorkloadError(`map: "${word}" is unknown; there are "one", "split N" and "tenants"`);
    }
  }
  count ??= 1;
  if (isCount(count)) return { models: count, clientsAreTenants };
  throw new WorkloadError(`models: ${count} is not a whole number from 1 to ${modelsMax}`);
}

function isCount(count: number): boolean {
  return Number.isInteger(count) && count >= 1 && count <= modelsMax;
}

/** `models` and `map` may both be given if they say the same. */
function agreed(word: string, count: number, earlier: number | undefined): number {
  if (!isCount(count)) throw new WorkloadError(`map: "${word}" needs a number of models from 1 to ${modelsMax}`);
  if (earlier === undefined || earlier === count) return count;
  throw new WorkloadError(`map: "${word}" and ${earlier} models contradict each other; give one of them`);
}
