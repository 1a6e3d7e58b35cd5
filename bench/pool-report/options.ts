import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Extent } from "./workloads.ts";

export interface ReportOptions {
  /** The folder of the public traces; without it their rows are left out. */
  readonly traces: string | undefined;
  /** Only rows whose name has this are run; those that are known are told of all the same. */
  readonly only: string | undefined;
  readonly isQuick: boolean;
  /** The page takes the place of the published one, whatever is missing in it. */
  readonly isPublished: boolean;
  readonly cache: string;
  readonly extent: Extent;
}

export type Asked =
  | { readonly kind: "report"; readonly options: ReportOptions }
  | { readonly kind: "help" }
  /** It cannot be meant; the problem is a sentence. */
  | { readonly kind: "refused"; readonly problem: string };

export const usage =
  "usage: npm run report -- pool [--traces DIR] [--only PATTERN] [--publish] [--quick] [--cache DIR]\n" +
  "  --traces   the folder with the public traces; without it their rows are left out\n" +
  "  --only     run only rows whose name has this part, such as overload/ or /ours; as long as rows are missing, the\n" +
  "             page is then written beside the cache, and the published one stays\n" +
  "  --publish  write docs/reports/pool.md in spite of what is missing\n" +
  "  --quick    one seed and five minutes, written beside the cache: to see that it works\n" +
  "  --cache    where results are kept, before those of the published page (.cache/pool-report)\n";

const fullExtent: Extent = { seeds: 10, minutes: 30 };
const quickExtent: Extent = { seeds: 1, minutes: 5 };

export function parseOptions(args: readonly string[], root: string): Asked {
  try {
    return askedOf(args, root);
  } catch (error) {
    // What `parseArgs` says of an option that it does not know.
    if (error instanceof TypeError) return { kind: "refused", problem: error.message };
    throw error;
  }
}

function askedOf(args: readonly string[], root: string): Asked {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      traces: { type: "string" },
      only: { type: "string" },
      publish: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      cache: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return { kind: "help" };
  if (positionals.length !== 1 || positionals[0] !== "pool") {
    return { kind: "refused", problem: "Say which report: there is one, `pool`." };
  }
  if (values.quick && values.publish) {
    return {
      kind: "refused",
      problem: "A quick run's figures mean little, and are not published: leave --publish out.",
    };
  }
  return {
    kind: "report",
    options: {
      traces: values.traces === undefined ? undefined : resolve(values.traces),
      only: values.only,
      isQuick: values.quick,
      isPublished: values.publish,
      cache: resolve(root, values.cache ?? ".cache/pool-report"),
      extent: values.quick ? quickExtent : fullExtent,
    },
  };
}
