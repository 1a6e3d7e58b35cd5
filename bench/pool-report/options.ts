import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Extent } from "./workloads.ts";

export interface ReportOptions {
  /** The folder of the public traces; without it their rows are left out. */
  readonly traces: string | undefined;
  /** Only rows whose name has this are run; those that are known are told of all the same. */
  readonly only: string | undefined;
  readonly isQuick: boolean;
  readonly cache: string;
  readonly extent: Extent;
}

export const usage =
  "usage: npm run report -- pool [--traces DIR] [--only PATTERN] [--quick] [--cache DIR]\n" +
  "  --traces  the folder with the public traces; without it their rows are left out\n" +
  "  --only    run only rows whose name has this part, such as overload/ or /ours\n" +
  "  --quick   one seed and five minutes, written beside the cache: to see that it works\n" +
  "  --cache   where results are kept (.cache/pool-report)\n";

const fullExtent: Extent = { seeds: 10, minutes: 30 };
const quickExtent: Extent = { seeds: 1, minutes: 5 };

/** Undefined: it cannot be meant. */
export function parseOptions(args: readonly string[], root: string): ReportOptions | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        traces: { type: "string" },
        only: { type: "string" },
        quick: { type: "boolean" },
        cache: { type: "string" },
      },
    });
    if (positionals.length !== 1 || positionals[0] !== "pool") return undefined;
    const isQuick = values.quick ?? false;
    return {
      traces: values.traces === undefined ? undefined : resolve(values.traces),
      only: values.only,
      isQuick,
      cache: resolve(root, values.cache ?? ".cache/pool-report"),
      extent: isQuick ? quickExtent : fullExtent,
    };
  } catch {
    return undefined;
  }
}
