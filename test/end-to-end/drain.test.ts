import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, test } from "node:test";
import { ask, eventsOf, isDone, makeKey, type Seen, usageOf } from "./asking.ts";
import {
  alive,
  descendants,
  eventually,
  ownQuestionAnswered,
  pause,
  type RunningCloud,
  startCloud,
  temporaryFolder,
} from "./cloud.ts";
import { startUp } from "./up.ts";

/** A stop is told of, can be hurried, and ends no answer without a word. */
const folder = temporaryFolder();
const clouds: RunningCloud[] = [];
after(async () => {
  for (const cloud of clouds) await cloud.kill();
  folder.remove();
});

async function up(drainMs: number): Promise<RunningCloud> {
  const settings = `engine: {kind: fake}\ndrain: {timeoutMs: ${drainMs}}\n`;
  const cloud = await startCloud({ data: join(folder.path, "data"), settings });
  clouds.push(cloud);
  if (clouds.length === 1) await ownQuestionAnswered(cloud);
  return cloud;
}

/** A stream of a minute; calls back once it runs. */
async function longStream(cloud: RunningCloud, name: string, onRunning: () => void): Promise<Seen> {
  const key = await makeKey(cloud, name);
  let isRunning = false;
  return ask({
    url: cloud.url,
    key,
    stream: true,
    content: "[[fake:tokens=3000]] [[fake:token-ms=20]]",
    onPart: (text) => {
      if (isRunning || eventsOf(text).length < 4) return;
      isRunning = true;
      onRunning();
    },
  });
}

function endedInWords(seen: Seen): void {
  assert.ok(seen.whole && !isDone(seen.text), seen.text.slice(-300));
  const last = eventsOf(seen.text).at(-1) as { error?: { code?: string; message?: string } };
  assert.match(last.error?.code ?? "", /^(draining|engine_failed)$/, seen.text.slice(-300));
}

test("at the bound a running stream ends with an error event, and is counted; meanwhile probes hear of the drain", async () => {
  const cloud = await up(5_000);
  let readiness: unknown;
  let other: unknown;
  const seen = await longStream(cloud, "bound", () => {
    cloud.process.kill("SIGTERM");
    void (async () => {
      const answered = async (path: string) => {
        const response = await fetch(`${cloud.url}${path}`);
        return [response.status, await response.json()];
      };
      await eventually("the drain", async () => (await answered("/readyz"))[0] === 503);
      readiness = await answered("/readyz");
      other = (await answered("/healthz"))[0];
    })();
  });
  endedInWords(seen);
  assert.deepEqual(readiness, [503, { status: "draining" }]);
  assert.equal(other, 200);
  if (cloud.process.exitCode === null) await once(cloud.process, "exit");
  assert.equal(cloud.process.exitCode, 0, cloud.output());
  assert.match(cloud.output(), /Stopping: 1 answer runs, with up to 5 s to finish\. Ctrl-C again ends it now\./);
  // Longer than its streams last: whatever ends sooner was hurried.
  const again = await up(600_000);
  const { requests, unrated, outputTokens } = await usageOf(again, "bound");
  assert.deepEqual([requests, unrated], [1, 0]);
  assert.ok(outputTokens > 3);
});

test("a second Ctrl-C ends it now, and the terminal's double of the first one does not", async () => {
  const cloud = clouds.at(-1)!;
  const below = await descendants(cloud.process.pid!);
  let stillRunningAfterDouble = false;
  const seen = await longStream(cloud, "hurried", () => {
    void (async () => {
      cloud.process.kill("SIGINT");
      cloud.process.kill("SIGINT");
      await pause(1_300);
      stillRunningAfterDouble = (await fetch(`${cloud.url}/healthz`)).status === 200;
      cloud.process.kill("SIGINT");
    })();
  });
  endedInWords(seen);
  assert.ok(stillRunningAfterDouble);
  if (cloud.process.exitCode === null) await once(cloud.process, "exit");
  assert.equal(cloud.process.exitCode, 0, cloud.output());
  await eventually("the end of every process below", () => !below.some(alive));
});

/** A Node that is too old to run Bailiwick and cannot be replaced in place, as many systems have it. */
function oldNode(): string | undefined {
  try {
    const version = execFileSync("node", ["--version"], { encoding: "utf8" });
    return Number(/^v(\d+)/.exec(version)?.[1]) < 22 ? "node" : undefined;
  } catch {
    // None on the PATH.
    return undefined;
  }
}

test("under an older Node: kill -9 of the process that was started ends the cloud as well", async (context) => {
  const node = oldNode();
  if (node === undefined) return context.skip("no older Node on the PATH");
  const started = startUp(["--engine", "fake", "--data", join(folder.path, "wrapped")], { node });
  await started.printed(/Bailiwick is ready/);
  const below = await descendants(started.process.pid!);
  assert.ok(below.length >= 3);
  started.process.kill("SIGKILL");
  return eventually("the end of every process below", () => !below.some(alive));
});
