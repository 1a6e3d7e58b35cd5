import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { type Clock, sleep } from "../base/index.ts";

const ownerFile = "owner";
const askEveryMs = 20;

/**
 * Takes over a folder of counts, once the process that wrote there before no longer answers on its socket: one that
 * lost its parent may still be writing the counts of its last moments. Throws where it lives on past `waitMs`.
 */
export async function takeOver(
  folder: string,
  socketPath: string,
  options: { readonly clock: Clock; readonly waitMs: number },
): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, ownerFile);
  const earlier = ownerOf(file);
  if (earlier !== undefined) {
    const untilMs = options.clock.monotonicMs() + options.waitMs;
    while (await answers(earlier)) {
      if (options.clock.monotonicMs() > untilMs) throw new Error(`another host still writes in ${folder}`);
      await sleep(options.clock, askEveryMs);
    }
    // Its process is gone, and what is left of its socket is only a name.
    rmSync(earlier, { force: true });
  }
  writeFileSync(file, socketPath, { mode: 0o600 });
}

function ownerOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const done = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });
}
