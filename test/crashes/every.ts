import { test } from "node:test";
import { temporaryPostgres } from "../../src/store/testing.ts";
import { dieInAll, rehearse } from "./crashes.ts";

/** `npm run test:crashes`: every death of the scenario, which takes minutes; the tests try one of many. */
test("whoever is killed at whatever statement, and asked once more: the same books, to the last row", async (context) => {
  const temporary = await temporaryPostgres();
  context.after(() => temporary.remove());
  const rehearsed = await rehearse(temporary);
  await dieInAll(temporary, rehearsed, { stride: 1, told: (line) => context.diagnostic(line) });
});
