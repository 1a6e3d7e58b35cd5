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
}

/**
 * `folder` must be empty; the data folder and the settings lie below it. `settings` is the text of bailiwick.yaml.
 * Ready within 5 minutes, which a first model pull may take.
 */
export async function startBailiwick({
  folder,
  settings,
  flags = [],
}: {
  readonly folder: string;
  readonly settings: string;
  readonly flags?: readonly string[];
}): Promise<Bailiwick> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "bailiwick.yaml"), settings);
  const data = join(folder, "data");
  const port = await freePort();
  const child = start(process.execPath, [program, "up", "--data", data, "--port", String(port), ...flags], { folder });
  try {
    await untilReady(child, `http://127.0.0.1:${port}/readyz`, 300_000);
    const create = [
      "key",
      "create",
      "--project",
      "default",
      "--name",
      "bench",
      ...Object.entries(limits).flat(),
      "--data",
      data,
      "--json",
    ];
    const created = await promisify(execFile)(process.execPath, [program, ...create], { cwd: folder });
    const { key } = JSON.parse(created.stdout) as { key: string };
    return { child, port, key };
  } catch (error) {
    await child.stop();
    throw error;
  }
}
