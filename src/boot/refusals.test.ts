import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import type { AddressInfo } from "node:net";
import { createIds, refuse, RefusalError, systemClock } from "../base/index.ts";
import { openStore } from "../store/index.ts";
import { refusalFor } from "./refusals.ts";

const request = "req_1";

test("a database that is away has a code of its own, to be tried again; a defect says nothing but the request's id", async () => {
  // A port that nothing listens on any more.
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  const opening = openStore({
    connection: { url: `postgres://nobody@127.0.0.1:${port}/none` },
    installation: createIds(systemClock).mint("inst"),
    clock: systemClock,
    log: () => undefined,
  });
  const error: unknown = await opening.then(
    () => assert.fail("nothing listens there"),
    (reason: unknown) => reason,
  );
  const away = refusalFor(error, request);
  assert.deepEqual([away.code, away.retryAfterSeconds], ["database_unavailable", 2]);
  assert.equal(refusalFor(new RefusalError(refuse("journal_failed", "The disk.")), request).code, "journal_failed");
  // As pg's pool says it; that it does is held by the store's tests.
  const busy = refusalFor(new Error("timeout exceeded when trying to connect"), request);
  assert.deepEqual([busy.code, busy.retryAfterSeconds], ["database_busy", 2]);
  const defect = refusalFor(new Error("secret detail"), request);
  assert.equal(defect.code, "internal_error");
  assert.match(defect.message, /req_1/);
  assert.doesNotMatch(defect.message, /secret/);
});
