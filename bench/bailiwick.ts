/** Starts Bailiwick for a bench as its user would: the command, a settings file, a key from the command line. */
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Child, freePort, start, untilReady } from "./children.ts";

const program = new URL("../bin/bailiwick.js", import.meta.url).pathname;

/** Every kind of limit is set, and none is reached: what is measured includes the checks. */
const limits = {
  "--requests-per-minute": "100000000",
  "--tokens-per-minute": "1000000000000",
  "--monthly-budget": "1000000",
  "--expires": "30d",
};

export interface Bailiwick {
  readonly child: Child;
  readonly port: number;
  readonly key: string;
  /** Runs a command against it, with `--json`; what it prints. */
  command(...args: readonly string[]): Promise<string>;
}

/**
 * `folder` must be empty; the data folder and the settings lie below it. `settings` is the text of bailiwick.yaml.
 * Ready within 5 minutes, which a first model pull may take.
 */
export async function startBailiwick({
  folder,
  settings,
  flags = [],
  environment = {},
}: {
  readonly folder: string;
  readonly settings: string;
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}): Promise<Bailiwick> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "bailiwick.yaml"), settings);
  const data = join(folder, "data");
  const port = await freePort();
  const up = [program, "up", "--data", data, "--port", String(port), ...flags];
  const child = start(process.execPath, up, { folder, environment });
  const command = async (...args: readonly string[]): Promise<string> => {
    const whole = [program, ...args, "--data", data, "--json"];
    return (await promisify(execFile)(process.execPath, whole, { cwd: folder })).stdout;
  };
  try {
    await untilReady(child, `http://127.0.0.1:${port}/readyz`, 300_000);
    const options = Object.entries(limits).flat();
    const created = await command("key", "create", "--project", "default", "--name", "bench", ...options);
    const { key } = JSON.parse(created) as { key: string };
    return { child, port, key, command };
  } catch (error) {
    await child.stop();
    throw error;
  }
}
