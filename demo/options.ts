import { resolve } from "node:path";
import { parseArgs } from "node:util";

export type Engine = "llamacpp" | "fake";

export type Demo = "borders" | "quarter";

export interface DemoOptions {
  readonly demo: Demo;
  readonly engine: Engine;
  /** Where models are kept, and pulled to where the demo's is not there yet. */
  readonly models: string;
  /** Where everything is written; left out: a new folder among the system's temporary ones. */
  readonly out: string | undefined;
  readonly json: boolean;
}

type Asked =
  | { readonly kind: "help" }
  | { readonly kind: "refused"; readonly problem: string }
  | { readonly kind: "run"; readonly options: DemoOptions };

export const usage = `usage: npm run demo -- borders|quarter [--json] [--out DIR] [--engine llamacpp|fake] [--models DIR]

  borders         three sites in three countries, six tenants: where data may go, and proof of where it went
  quarter         fifty customers and what was served: priced, invoiced, exported and disclosed, to the cent
  --json          what was found, as JSON on the last line
  --out DIR       the folder for receipts, keys and reports (default: a new temporary one)
  --engine KIND   of borders: llamacpp with a small model (the default), or fake: answers from a script, without a model
  --models DIR    where models are, and are pulled to (default: .bailiwick/models, as for npm start)
`;

export function parseDemoOptions(argv: readonly string[], currentFolder: string = process.cwd()): Asked {
  let values;
  let names;
  try {
    ({ values, positionals: names } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        out: { type: "string" },
        engine: { type: "string", default: "llamacpp" },
        models: { type: "string", default: ".bailiwick/models" },
        help: { type: "boolean", short: "h", default: false },
      },
    }));
  } catch (error) {
    return { kind: "refused", problem: (error as Error).message };
  }
  if (values.help) return { kind: "help" };
  const [demo] = names;
  if (names.length !== 1 || (demo !== "borders" && demo !== "quarter")) {
    return { kind: "refused", problem: "Name a demo: borders or quarter." };
  }
  const { engine, json } = values;
  if (engine !== "llamacpp" && engine !== "fake") {
    return { kind: "refused", problem: `--engine takes llamacpp or fake, not "${engine}".` };
  }
  const at = (path: string): string => resolve(currentFolder, path);
  return {
    kind: "run",
    options: {
      demo,
      engine,
      json,
      models: at(values.models),
      out: values.out === undefined ? undefined : at(values.out),
    },
  };
}
