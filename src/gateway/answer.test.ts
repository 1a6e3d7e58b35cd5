import assert from "node:assert/strict";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import OpenAI, { APIError } from "openai";
import { refuse, type Refusal, systemClock } from "../base/index.ts";
import { Answer } from "./answer.ts";

/** A server that answers every request with the one refusal. */
async function refusing(context: TestContext, refusal: Refusal): Promise<{ url: string; asked: () => number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    new Answer(request, response, { clock: systemClock, timeoutMs: 1_000 }).refuse(refusal);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => asked };
}

test("the unmodified client does not try again what trying again cannot help, and does where it can", async (context) => {
  const cases: [Refusal, number][] = [
    [refuse("budget_exceeded", "Nothing is left."), 1],
    [refuse("rate_limited", "Wait."), 2],
  ];
  for (const [refusal, times] of cases) {
    const { url, asked } = await refusing(context, refusal);
    const client = new OpenAI({ baseURL: url, apiKey: "bwk_any", maxRetries: 1 });
    const error: unknown = await client.models.list().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof APIError && error.status === 429 && error.code === refusal.code, String(error));
    assert.equal(asked(), times, refusal.code);
  }
});

test("a large whole answer goes to a client that reads slowly, as long as it reads; one that does not read is let go", async (context) => {
  const bytes = randomBytes(12 << 20);
  let letGo = Promise.withResolvers<boolean>();
  const server = createServer((request, response) => {
    const answer = new Answer(request, response, { clock: systemClock, timeoutMs: 2_500 });
    response.on("close", () => letGo.resolve(!response.writableFinished));
    answer.begin(200, "application/octet-stream", bytes.length);
    answer.end(bytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const asked = get({ port, agent: false });
  const [slow] = (await once(asked, "response")) as [IncomingMessage];
  const startMs = performance.now();
  const parts: Buffer[] = [];
  for await (const part of slow as AsyncIterable<Buffer>) {
    parts.push(part);
    if (parts.length % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 250));
  }
  assert.ok(Buffer.concat(parts).equals(bytes));
  assert.ok(performance.now() - startMs > 2_500, "it took longer than a stall may");
  assert.equal(await letGo.promise, false);

  letGo = Promise.withResolvers<boolean>();
  const silent = get({ port, agent: false });
  silent.on("error", () => silent.destroy());
  const [unread] = (await once(silent, "response")) as [IncomingMessage];
  unread.on("error", () => unread.destroy());
  assert.equal(await letGo.promise, true);
  silent.destroy();
});
