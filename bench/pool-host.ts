/**
 * A host whose engine somebody decides for: `ours` (the pool), `lru` or `fifo`. Its settings come as one line on standard
 * input, which stays open; "ready" on standard output says that it listens.
 */
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { createIds, systemClock } from "../src/base/index.ts";
import { createLlamaCpp } from "../src/engine/llamacpp/index.ts";
import { openFloor } from "../src/host/floor.ts";
import { hostBounds, openHost } from "../src/host/host.ts";
import { type HostSettings, readHostSettings } from "../src/host/settings.ts";
import { openSwapFloor, type SwapPolicy } from "./swap-floor.ts";

const policy = process.argv[2] as SwapPolicy | "ours";

async function run(settings: HostSettings): Promise<void> {
  const host = await openHost({
    settings,
    bounds: hostBounds,
    clock: systemClock,
    ids: createIds(systemClock),
    pid: process.pid,
    log: (level, message, fields) => process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`),
    factory: () =>
      Promise.resolve(
        createLlamaCpp({ threadPoolSize: settings.threadPoolSize, entropy: randomBytes, clock: systemClock }),
      ),
    openFloor: policy === "ours" ? openFloor : (options) => openSwapFloor(policy, options),
    onHung: (why) => {
      process.stderr.write(`${why}\n`);
      process.exit(1);
    },
  });
  process.on("SIGTERM", () => void host.stop(0).then(() => process.exit(0)));
  await host.load();
  process.stdout.write("ready\n");
}

const lines = createInterface({ input: process.stdin });
lines.once("line", (line) => void run(readHostSettings(line)));
