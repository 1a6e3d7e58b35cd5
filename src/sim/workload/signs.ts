import { aegaeonColumns } from "./aegaeon.ts";
import { azureColumns } from "./azure.ts";
import { mooncakeFields } from "./mooncake.ts";
import { servegenColumns } from "./servegen-clients.ts";
import { readLines } from "./trace-file.ts";
import { WorkloadError } from "./workload.ts";

/** What each format's first line names. */
const signs = {
  aegaeon: aegaeonColumns,
  servegen: servegenColumns,
  azure: azureColumns,
  mooncake: mooncakeFields,
} as const satisfies Record<string, readonly string[]>;

export type WorkloadFormat = keyof typeof signs;
export const workloadFormats = Object.keys(signs) as readonly WorkloadFormat[];

/** The format that a trace looks like by its first line; undefined: none that is known. */
export async function formatLike(path: string): Promise<WorkloadFormat | undefined> {
  const first = await firstLine(path);
  return workloadFormats.find((format) => hasSigns(first, format));
}

/** The format of a trace: by its first line, and where one is `said`, that one, unless it is of another. */
export async function recognize(path: string, said: WorkloadFormat | undefined): Promise<WorkloadFormat> {
  const first = await firstLine(path);
  if (said !== undefined && hasSigns(first, said)) return said;
  if (first.startsWith("{") && first.includes('"pdf"')) {
    throw new WorkloadError(`${path}: these are ServeGen's lengths; give the arrivals, which are beside it`);
  }
  const like = workloadFormats.find((format) => hasSigns(first, format));
  if (said === undefined) {
    if (like !== undefined) return like;
    const known = workloadFormats.map(described).join("; ");
    throw new WorkloadError(`${path}: its first line is of no known format; there are ${known}`);
  }
  if (like !== undefined) {
    throw new WorkloadError(`${path}: looks like ${described(like)}, and not like ${said}: give ${like} as its format`);
  }
  // What is missing is best told by who reads it, as long as it can be read so at all.
  if (said === "mooncake" || !/^[[{]/.test(first)) return said;
  throw new WorkloadError(`${path}: is JSON, but ${described(said)} is CSV`);
}

function hasSigns(line: string, format: WorkloadFormat): boolean {
  return signs[format].every((sign) => line.includes(sign));
}

function described(format: WorkloadFormat): string {
  return `${format} (${signs[format].join(", ")})`;
}

async function firstLine(path: string): Promise<string> {
  for await (const { text } of readLines(path)) return text;
  throw new WorkloadError(`${path}: the file is empty`);
}
