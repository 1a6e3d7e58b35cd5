/** The end of a demo, however it comes: nothing that it has started goes on, and nothing that it no longer needs stays. */
import { rmSync } from "node:fs";
import { alive, children, descendants, eventually, signal } from "../test/end-to-end/cloud.ts";

const folders = new Set<string>();
/** PostgreSQL and hosts tidy up behind them where they are given the time. */
const graceMs = 10_000;

/** What a socket's path may have before its name, of the hundred or so characters that a system takes. */
const socketFolderMax = 50;

/** A folder that goes with the demo; from now on what is started puts its sockets there, too, if their paths may be so long. */
export function goesWithDemo(folder: string): string {
  folders.add(folder);
  if (folder.length <= socketFolderMax) process.env["TMPDIR"] = folder;
  return folder;
}

/** Ends every process below this one, and removes the folders; a second call finds nothing to do. */
export async function leave(): Promise<void> {
  const below = await descendants(process.pid);
  for (const pid of await children(process.pid)) signal(pid, "SIGTERM");
  const areGone = (): boolean => !below.some(alive);
  await eventually("a tidy end", areGone, graceMs).catch(() => {
    for (const pid of below) signal(pid, "SIGKILL");
  });
  await eventually("the end of all processes", areGone);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  folders.clear();
}

/** From now on a signal that ends a program, or a mistake in it, ends the demo with all that it has started. */
export function endWithDemo(): void {
  const end = (why: string): void => {
    process.stderr.write(`${why}: ending everything that was started\n`);
    void leave().finally(() => process.exit(1));
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => end(name));
  process.once("uncaughtException", (error) => end(String(error)));
}
