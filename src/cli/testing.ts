import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { Readable } from "node:stream";
import { createIds, systemClock } from "../base/index.ts";
import { runCommandLine } from "./index.ts";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the command line in this process. */
export async function run(
  argv: readonly string[],
  folder = tmpdir(),
  environment: Readonly<Record<string, string>> = {},
  stdin = "",
): Promise<Ran> {
  let [stdout, stderr] = ["", ""];
  const code = await runCommandLine({
    argv,
    environment,
    stdin: () => Readable.from([stdin]),
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    currentFolder: folder,
    temporaryFolder: tmpdir(),
    clock: systemClock,
    ids: createIds(systemClock),
    randomBytes: (count) => randomBytes(count),
    onStopSignal: () => undefined,
  });
  return { code, stdout, stderr };
}
