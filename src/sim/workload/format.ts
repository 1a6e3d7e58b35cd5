import { nearest } from "../../base/index.ts";
import { readAegaeon } from "./aegaeon.ts";
import { readAzure } from "./azure.ts";
import { mappingOf } from "./mapping.ts";
import { readMooncake } from "./mooncake.ts";
import { readServegen } from "./servegen.ts";
import { recognize, type WorkloadFormat, workloadFormats } from "./signs.ts";
import { generateSynthetic } from "./synthetic.ts";
import { syntheticPrefix } from "./synthetic-grammar.ts";
import { checkRequests, type Workload, WorkloadError } from "./workload.ts";

export interface WorkloadSource {
  /** `synthetic:...` (see `parseSynthetic`), or the path of a trace; ServeGen's is that of its arrivals. */
  readonly workload: string;
  /** Of a trace. Absent: by its first line. */
  readonly format?: string | undefined;
  /** A whole number below 2^32: for what is generated, synthetic and ServeGen's. */
  readonly seed: number;
  /** How long the workload is. Absent: the whole of a recorded trace; what is generated needs it. */
  readonly minutes?: number | undefined;
  /** To how many models Azure's requests or ServeGen's clients are dealt. Absent: one. */
  readonly models?: number | undefined;
  /** How: see `mappingOf`. */
  readonly map?: string | undefined;
  /** Requests/s of all ServeGen's clients together. */
  readonly rate?: number | undefined;
  /** Where in ServeGen's trace to begin, in seconds. */
  readonly startS?: number | undefined;
}

type Option = "format" | "models" | "map" | "rate" | "startS";

interface Format {
  /** Each seed gives another workload, as long as is asked for; else it is a recording, and the same for every seed. */
  readonly isGenerated: boolean;
  /** The options that change something; `minutes` always does. */
  readonly takes: readonly Option[];
  read(source: WorkloadSource): Promise<Workload>;
}

const formats = {
  aegaeon: {
    isGenerated: false,
    takes: ["format"],
    read: ({ workload, minutes }) => readAegaeon(workload, { minutes }),
  },
  servegen: {
    isGenerated: true,
    takes: ["format", "models", "map", "rate", "startS"],
    read: async ({ workload, seed, minutes, models, map, rate: ratePerSecond, startS }) => {
      const options = { seed, minutes: required(minutes, "servegen"), startS, ratePerSecond };
      return readServegen(workload, { ...options, ...mappingOf(map, models) });
    },
  },
  azure: {
    isGenerated: false,
    takes: ["format", "models", "map"],
    read: async ({ workload, minutes, models: count, map }) => {
      const { models, clientsAreTenants } = mappingOf(map, count);
      if (clientsAreTenants) throw new WorkloadError('map: "tenants" needs clients as ServeGen has; azure has none');
      return readAzure(workload, { minutes, models });
    },
  },
  mooncake: {
    isGenerated: false,
    takes: ["format"],
    read: ({ workload, minutes }) => readMooncake(workload, { minutes }),
  },
} as const satisfies Record<WorkloadFormat, Format>;

/** Reads or generates a workload. Throws a `WorkloadError` that says what to do where it cannot be had. */
export async function readWorkload(source: WorkloadSource): Promise<Workload> {
  const read = await readSource(source);
  if (read.requests.length > 0) return read;
  throw new WorkloadError(
    `${read.name}: no request comes in ${source.minutes} minutes by seed ${source.seed}: ` +
      "ask for more minutes or a higher rate",
  );
}

async function readSource(source: WorkloadSource): Promise<Workload> {
  const { workload, seed, minutes } = source;
  if (workload.startsWith(syntheticPrefix)) {
    refuseOthers(source, "synthetic workloads", []);
    const text = workload.slice(syntheticPrefix.length);
    return generateSynthetic(text, { seed, minutes: required(minutes, "synthetic") });
  }
  const name = await formatOf(workload, source.format);
  const format: Format = formats[name];
  refuseOthers(source, name, format.takes);
  return format.read(source);
}

/**
 * A workload for each of the seeds 1 to `seeds`, of so many minutes; a recorded trace is one, and whole.
 * Throws a `WorkloadError` as `readWorkload` does.
 */
export async function readWorkloads({
  seeds,
  minutes,
  ...source
}: Omit<WorkloadSource, "seed" | "minutes"> & {
  readonly seeds: number;
  readonly minutes: number;
}): Promise<readonly Workload[]> {
  if (await isRecorded(source)) return [await readWorkload({ ...source, seed: 1 })];
  const workloads: Workload[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const workload = await readWorkload({ ...source, seed, minutes });
    // All seeds are held at once, and each has about as many.
    checkRequests(workload.requests.length * seeds);
    workloads.push(workload);
  }
  return workloads;
}

/** Whether it is the same for every seed, and has a length of its own. */
export async function isRecorded({ workload, format }: Pick<WorkloadSource, "workload" | "format">): Promise<boolean> {
  return !workload.startsWith(syntheticPrefix) && !formats[await formatOf(workload, format)].isGenerated;
}

/** An option that would change nothing is a mistake of who gives it. */
function refuseOthers(source: WorkloadSource, what: string, takes: readonly Option[]): void {
  const options: readonly Option[] = ["format", "models", "map", "rate", "startS"];
  const given = options.find((option) => source[option] !== undefined && !takes.includes(option));
  if (given !== undefined) throw new WorkloadError(`${given}: does not apply to ${what}; leave it out`);
}

function required(minutes: number | undefined, what: string): number {
  if (minutes === undefined) throw new WorkloadError(`minutes: say for how long the ${what} workload is generated`);
  return minutes;
}

async function formatOf(workload: string, name: string | undefined): Promise<WorkloadFormat> {
  if (workload.trim() === "") throw new WorkloadError('workload: is empty; name a file, or "synthetic:64x0.1"');
  return recognize(workload, name === undefined ? undefined : formatNamed(name));
}

function formatNamed(name: string): WorkloadFormat {
  const format = workloadFormats.find((known) => known === name);
  if (format !== undefined) return format;
  const meant = nearest(name, workloadFormats);
  const hint = meant === undefined ? "" : `. Did you mean ${meant}?`;
  throw new WorkloadError(`format: "${name}" is unknown; there are ${workloadFormats.join(", ")}${hint}`);
}
