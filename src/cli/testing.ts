import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Readable } from "node:stream";
import { createIds, systemClock } from "../base/index.ts";
import { type FakeControl, fakeToken, startFakeControl } from "../gateway/control/fake-control.ts";
import { runCommandLine, type Surroundings } from "./index.ts";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Run = (
  line: string,
  environment?: Readonly<Record<string, string>>,
  surroundings?: Partial<Surroundings>,
) => Promise<Ran>;

/** Runs a command of the command line in this process; what it writes elsewhere than here is not in the result. */
export async function run(
  argv: readonly string[],
  folder = tmpdir(),
  environment: Readonly<Record<string, string>> = {},
  surroundings: Partial<Surroundings> = {},
): Promise<Ran> {
  let [stdout, stderr] = ["", ""];
  const code = await runCommandLine({
    argv,
    environment,
    stdin: () => Readable.from([]),
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    currentFolder: folder,
    temporaryFolder: tmpdir(),
    clock: systemClock,
    ids: createIds(systemClock),
    randomBytes: (count) => randomBytes(count),
    onStopSignal: () => undefined,
    ...surroundings,
  });
  return { code, stdout, stderr };
}

export function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-cli-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A data folder as `up` leaves it while it runs, in front of the control API over operations in memory. */
export async function withCloud(context: TestContext): Promise<{ run: Run; control: FakeControl; folder: string }> {
  const folder = temporaryFolder(context);
  const control = await startIn(folder, context);
  return {
    control,
    folder,
    run: (line, environment, surroundings) =>
      run(`${line} --data ${folder}`.split(" "), folder, environment, surroundings),
  };
}

/** A cloud as it starts, again, on a data folder: on another port than the one before. */
export async function startIn(folder: string, context: TestContext): Promise<FakeControl> {
  const control = await startFakeControl();
  context.after(control.close);
  writeFileSync(join(folder, "server.json"), JSON.stringify({ url: control.url, pid: process.pid }));
  writeFileSync(join(folder, "operator-token"), `${fakeToken}\n`, { mode: 0o600 });
  return control;
}
