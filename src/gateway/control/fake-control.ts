import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createIds, ManualClock, refuse, RefusalError, systemClock } from "../../base/index.ts";
import { createCommandRunner, openCatalog } from "../../catalog/index.ts";
import type { Identities } from "./access.ts";
import { createControl } from "./control.ts";
import { createFakeOperations, type FakeOperations } from "./fake-operations.ts";

export const fakeToken = "bwo_test-token-of-the-operator-0123456789";

export interface FakeControl {
  readonly url: string;
  readonly operations: FakeOperations;
  readonly clock: ManualClock;
  /** What the control API reported as defects. */
  readonly failures: unknown[];
  readonly openapi: () => object;
  readonly close: () => Promise<void>;
}

/** The real control API over operations in memory, on a port of its own. Its clock stands at noon of 1 March 2026. */
export async function startFakeControl(
  identify: Identities["identify"] = () => refuse("invalid_key", "This key is not known."),
): Promise<FakeControl> {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-control-"));
  const clock = new ManualClock(Date.parse("2026-03-01T12:00:00Z"));
  const opened = await openCatalog({
    folder: join(folder, "models"),
    hub: { url: undefined, accessToken: undefined, dispatcher: undefined },
    clock: systemClock,
    environment: {},
    runCommand: createCommandRunner(systemClock),
    entries: [],
  });
  if (opened.outcome === "refused") throw new RefusalError(opened);
  const operations = createFakeOperations(clock, opened.catalog);
  const failures: unknown[] = [];
  const control = await createControl({
    version: "0.0.0",
    identities: {
      operatorToken: fakeToken,
      operatorName: "operator",
      findOperator: (token) => operations.operators.find(token),
      identify,
    },
    ids: createIds(clock),
    clock,
    operations,
    metrics: () => Promise.resolve({ contentType: "text/plain; version=0.0.4", body: "bailiwick_up 1\n" }),
    pageStatus: () => fakePageStatus(clock),
    jurisdictionPage: () => "<!doctype html><title>Jurisdiction</title>",
    onFailure(error, request) {
      failures.push(error);
      return refuse("internal_error", `Something failed here; the request is ${request}.`);
    },
  });
  const server = createServer((request, response) => control.handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    clock,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    operations,
    failures,
    openapi: () => control.openapi(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await control.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function fakePageStatus(clock: ManualClock) {
  return {
    version: "0.0.0",
    state: "ready" as const,
    // Names come from settings, which may hold anything.
    site: { name: "here<script>", jurisdiction: "DE" },
    models: [
      {
        name: "fake",
        ready: true,
        contextTokens: 4096,
        places: [{ site: "here", jurisdiction: "DE", engine: "fake" }],
        price: { currency: "EUR", inputPerMillion: "0.1", cachedInputPerMillion: "0.02", outputPerMillion: "0.4" },
      },
    ],
    live: { atMs: clock.nowMs(), requests: 3, inFlight: 1, outputTokens: 96 },
  };
}
