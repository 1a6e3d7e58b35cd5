import { after, before, test } from "node:test";
import { type TemporaryPostgres, temporaryPostgres } from "../../src/store/testing.ts";
import { dieInAll, rehearse, type Rehearsed } from "./crashes.ts";

let temporary: TemporaryPostgres;
let rehearsed: readonly Rehearsed[];

before(async () => {
  temporary = await temporaryPostgres();
  rehearsed = await rehearse(temporary);
});

after(() => temporary.remove());

/** One death of so many is tried here; `npm run test:crashes` tries all of them. Prime, so that each kind of them comes up. */
const stride = 31;

test("whoever is killed at whatever statement, and asked once more: the same books, to the last row", async (context) => {
  await dieInAll(temporary, rehearsed, { stride, told: (line) => context.diagnostic(line) });
});
