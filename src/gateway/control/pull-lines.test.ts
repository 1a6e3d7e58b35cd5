import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request as sendRequest } from "node:http";
import test from "node:test";
import { refuse } from "../../base/index.ts";
import type { Catalog, PullProgress, PullResult } from "../../catalog/index.ts";
import { fakeToken, startFakeControl } from "./fake-control.ts";
import { pullLines } from "./model-routes.ts";

type Pull = Catalog["pull"];

const step = (receivedBytes: number): PullProgress => ({
  phase: "downloading",
  source: "file:/model.gguf",
  receivedBytes,
  totalBytes: 100,
});

function catalogThatPulls(pull: Pull): Catalog {
  const never = () => Promise.reject(new Error("a pull asks for nothing else here"));
  return { pull, list: never, find: never, add: never, take: never, verify: never, shape: never, remove: never };
}

test("progress that nobody reads is not queued: the newest replaces what waits", async () => {
  const catalog = catalogThatPulls((_, options) => {
    for (let bytes = 1; bytes <= 100; bytes++) options?.onProgress?.(step(bytes));
    return Promise.resolve(refuse("model_invalid", "it is none", { reasons: ["a: it is none"] }));
  });
  const seen: (number | string)[] = [];
  for await (const line of pullLines(catalog, "m", new AbortController().signal)) {
    seen.push(line.event === "progress" ? line.receivedBytes : line.event);
  }
  assert.deepEqual(seen, [100, "failed"]);
});

test("a reader that waits gets each step at once, and the failure of a pull as its own", async () => {
  let report: (progress: PullProgress) => void = () => undefined;
  const { promise, reject } = Promise.withResolvers<PullResult>();
  const catalog = catalogThatPulls((_, options) => {
    report = options?.onProgress ?? report;
    return promise;
  });
  const lines = pullLines(catalog, "m", new AbortController().signal);
  for (const bytes of [1, 2]) {
    const next = lines.next();
    report(step(bytes));
    const { value } = await next;
    assert.ok(value?.event === "progress" && value.receivedBytes === bytes);
  }
  const last = lines.next();
  reject(new Error("the disk broke"));
  await assert.rejects(last, /the disk broke/);
});

test("a client that leaves stops the pull; a pull that breaks ends the connection and is reported", async (context) => {
  const control = await startFakeControl();
  context.after(control.close);
  const stopped = Promise.withResolvers<void>();
  Object.assign(control.operations.catalog, {
    pull: ((_, options) => {
      options?.onProgress?.(step(1));
      const { promise, reject } = Promise.withResolvers<PullResult>();
      options?.signal?.addEventListener("abort", () => {
        reject(options.signal?.reason as Error);
        stopped.resolve();
      });
      return promise;
    }) satisfies Pull,
  });
  const ask = () => {
    const request = sendRequest(`${control.url}/control/v1/models/smollm2-135m-instruct/pull`, {
      method: "POST",
      headers: { authorization: `Bearer ${fakeToken}` },
    });
    request.on("error", () => undefined);
    return request.end();
  };
  const leaving = ask();
  const [answer] = (await once(leaving, "response")) as [IncomingMessage];
  await once(answer, "data");
  leaving.destroy();
  await stopped.promise;
  assert.deepEqual(control.failures, []);

  Object.assign(control.operations.catalog, { pull: () => Promise.reject(new Error("the disk broke at once")) });
  const [refused] = (await once(ask(), "response")) as [IncomingMessage];
  assert.equal(refused.resume().statusCode, 500);
  assert.equal(control.failures.length, 1);

  const { promise, reject } = Promise.withResolvers<PullResult>();
  Object.assign(control.operations.catalog, {
    pull: ((_, options) => {
      options?.onProgress?.(step(1));
      return promise;
    }) satisfies Pull,
  });
  const broken = ask();
  const [cut] = (await once(broken, "response")) as [IncomingMessage];
  await once(cut, "data");
  reject(new Error("the disk broke"));
  await once(cut, "error");
  assert.equal(control.failures.length, 2);
});
