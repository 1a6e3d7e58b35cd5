import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createIds, systemClock, type Tier } from "../base/index.ts";
import { openStore, placementReport, type SettlementFacts, ship, type Store } from "./index.ts";
import { settlementFacts, type TemporaryPostgres, temporaryPostgres } from "./testing.ts";

const ids = createIds(systemClock);
const noon = Date.UTC(2026, 10, 24, 12);
let temporary: TemporaryPostgres;
let store: Store;

before(async () => {
  temporary = await temporaryPostgres();
  const connection = await temporary.emptyDatabase();
  const opened = await openStore({
    connection,
    installation: ids.mint("inst"),
    clock: systemClock,
    log: () => undefined,
  });
  assert.ok(opened.outcome === "opened");
  store = opened;
});

after(async () => {
  await store.close();
  await temporary.remove();
});

const factsOf = (more: Partial<SettlementFacts>): SettlementFacts => settlementFacts(ids.mint("rcpt"), more);

test("placements say by which tier and objective their requests were due, and stay one each", async () => {
  const due = (tier: Tier, ttftMs: number, tpotMs: number) => ({ tier, objective: { ttftMs, tpotMs } });
  const { tier: _, objective: __, ...earlier } = factsOf({});
  const bodies: readonly object[] = [
    factsOf(due("standard", 60_000, 250)),
    factsOf(due("standard", 60_000, 250)),
    // The settings were changed.
    factsOf(due("standard", 30_000, 250)),
    factsOf(due("batch", 300_000, 2_000)),
    factsOf({ ...due("batch", 300_000, 2_000), usage: null, unrated: "the host is gone", listAmount: null }),
    factsOf({ tier: "batch" }),
    earlier,
    factsOf({ ...due("batch", 300_000, 2_000), decision: "d2" }),
  ];
  const settlements = bodies.map((body, offset) => ({
    request: ids.mint("req"),
    position: { segment: 1, offset },
    body: JSON.stringify(body),
  }));
  await ship(store.db, {
    gateway: "gw_A",
    from: undefined,
    to: { segment: 1, offset: 99 },
    isDurable: true,
    settlements,
    receiptBatches: [],
    refusals: [
      {
        position: { segment: 1, offset: 98 },
        atMs: noon,
        project: "prj_A",
        code: "no_permitted_site",
        body: '{"decision":"d3","placement":{}}',
      },
    ],
  });
  const { sums, leftOut } = await placementReport(store.db, { since: new Date(noon - 1), newest: 100, groups: 100 });
  assert.equal(leftOut, 0);
  assert.deepEqual(
    sums.map(({ destination, requests, unrated, amount }) => [destination, requests, unrated, amount]),
    [
      ["host_A", 7, 1, "0.75"],
      ["host_A", 1, 0, "0.125"],
      [null, 1, 0, "0"],
    ],
  );
  const told = sums.map(({ deadlines }) =>
    deadlines.map(({ tier, ttftMs, tpotMs, ...sum }) => [tier, ttftMs, tpotMs, ...Object.values(sum)]),
  );
  assert.deepEqual(told, [
    [
      ["batch", 300_000, 2_000, 2, 5, 1],
      ["batch", null, null, 1, 5, 0],
      ["standard", 30_000, 250, 1, 5, 0],
      ["standard", 60_000, 250, 2, 10, 0],
      [null, null, null, 1, 5, 0],
    ],
    [["batch", 300_000, 2_000, 1, 5, 0]],
    [],
  ]);
});
