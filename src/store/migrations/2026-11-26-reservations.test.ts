import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { type Kysely, sql } from "kysely";
import { createIds, systemClock } from "../../base/index.ts";
import { openStore } from "../index.ts";
import type { Database } from "../schema.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../testing.ts";

const ids = createIds(systemClock);
const startMs = Date.UTC(2027, 0, 1);
const hourMs = 3_600_000;
let temporary: TemporaryPostgres;
const closing: (() => Promise<void>)[] = [];

before(async () => {
  temporary = await temporaryPostgres();
});

after(async () => {
  for (const close of closing) await close();
  await temporary.remove();
});

/** A database of today's schema with one project. */
async function opened(): Promise<Kysely<Database>> {
  const store = await openStore({
    connection: await temporary.emptyDatabase(),
    installation: ids.mint("inst"),
    clock: systemClock,
    log: () => {},
  });
  assert.ok(store.outcome === "opened");
  closing.push(() => store.close());
  await sql`INSERT INTO organisations (id, name, created_at) VALUES ('org_A', 'o', now())`.execute(store.db);
  await sql`INSERT INTO projects (id, organisation, name, created_at, data_class)
    VALUES ('prj_A', 'org_A', 'p', now(), 'public')`.execute(store.db);
  return store.db;
}

interface Wanted {
  readonly device?: string;
  readonly share?: string;
  readonly from: number;
  readonly until: number;
  readonly ended?: number;
}

const at = (hour: number): Date => new Date(startMs + hour * hourMs);

async function insert(db: Kysely<Database>, { device, share, from, until, ended }: Wanted): Promise<void> {
  await db
    .insertInto("reservations")
    .values({
      id: ids.mint("rsv"),
      project: "prj_A",
      device: device ?? null,
      share: share ?? null,
      startsAt: at(from),
      untilAt: at(until),
      createdAt: at(0),
      endedAt: ended === undefined ? null : at(ended),
    })
    .execute();
}

/** The constraint that turned a row away; undefined where it is in. */
async function turnedAwayBy(db: Kysely<Database>, wanted: Wanted): Promise<string | undefined> {
  try {
    await insert(db, wanted);
    return undefined;
  } catch (error) {
    const { constraint } = error as { constraint?: string };
    assert.ok(constraint !== undefined, String(error));
    return constraint;
  }
}

const together = (a: Wanted, b: Wanted): boolean =>
  Math.max(a.from, b.from) < Math.min(a.ended ?? a.until, b.ended ?? b.until);

/** What a row is turned away by, by counting. */
function expected(there: readonly Wanted[], wanted: Wanted): string | undefined {
  if (wanted.device !== undefined) {
    const isTaken = there.some((other) => other.device === wanted.device && together(other, wanted));
    return isTaken ? "reservations_of_one_device_apart" : undefined;
  }
  const shares = [...there, wanted].filter(({ share }) => share !== undefined);
  for (let hour = wanted.from; hour < (wanted.ended ?? wanted.until); hour++) {
    const holding = shares.filter((other) => together(other, { from: hour, until: hour + 1 }));
    const tenths = holding.reduce((sum, { share }) => sum + Math.round(Number(share) * 10), 0);
    if (tenths > 9) return "reservations_leave_a_share";
  }
  return undefined;
}

const wanted: fc.Arbitrary<Wanted> = fc
  .record({
    what: fc.oneof(
      fc.constantFrom("host_A", "host_B", 'ho"st,(').map((device) => ({ device })),
      fc.integer({ min: 1, max: 9 }).map((tenths) => ({ share: String(tenths / 10) })),
    ),
    from: fc.nat(12),
    hours: fc.integer({ min: 1, max: 6 }),
    // Before it begins, at its beginning, and in it.
    ended: fc.option(fc.integer({ min: -1, max: 5 }), { nil: undefined }),
  })
  .map(({ what, from, hours, ended }) => ({
    ...what,
    from,
    until: from + hours,
    ...(ended !== undefined && ended < hours ? { ended: from + ended } : {}),
  }));

test("one device is never reserved twice at a time, and shares leave a tenth, by counting (property)", async () => {
  const db = await opened();
  await fc.assert(
    fc.asyncProperty(fc.array(wanted, { maxLength: 12 }), async (rows) => {
      await db.deleteFrom("reservations").execute();
      const there: Wanted[] = [];
      for (const row of rows) {
        const constraint = await turnedAwayBy(db, row);
        assert.equal(constraint, expected(there, row), JSON.stringify([there, row]));
        if (constraint === undefined) there.push(row);
      }
    }),
    { numRuns: 60 },
  );
});

test("what several write at the same moment is held to the same bounds", async () => {
  const db = await opened();
  const period = { from: 0, until: 24 };
  const outcomes = async (row: Wanted): Promise<(string | undefined)[]> =>
    Promise.all(Array.from({ length: 20 }, () => turnedAwayBy(db, row)));
  const devices = await outcomes({ device: "host_A", ...period });
  assert.equal(devices.filter((constraint) => constraint === undefined).length, 1);
  const shares = await outcomes({ share: "0.2", ...period });
  assert.equal(shares.filter((constraint) => constraint === undefined).length, 4);
  assert.deepEqual(new Set(shares), new Set([undefined, "reservations_leave_a_share"]));
});

test("a row that says nothing sensible is turned away", async () => {
  const db = await opened();
  const period = { from: 1, until: 2 };
  for (const [row, constraint] of [
    [{ device: "d", share: "0.1", ...period }, "reservations_are_of_one_kind"],
    [period, "reservations_are_of_one_kind"],
    [{ device: "d", from: 2, until: 2 }, "reservations_last"],
    [{ device: "d", ...period, ended: 2 }, "reservations_end_early"],
    [{ device: "", ...period }, "reservations_device_check"],
    [{ share: "0", ...period }, "reservations_share_check"],
    [{ share: "NaN", ...period }, "reservations_share_check"],
    [{ share: "0.9001", ...period }, "reservations_leave_a_share"],
  ] as const) {
    assert.equal(await turnedAwayBy(db, row), constraint, JSON.stringify(row));
  }
  assert.equal(await turnedAwayBy(db, { share: "0.9", ...period }), undefined);
});
