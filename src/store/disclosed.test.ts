import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sql } from "kysely";
import { createIds, systemClock } from "../base/index.ts";
import { factsBefore, openStore, ranReport, refusalRecords, requestRecords, type Store } from "./index.ts";
import { type TemporaryPostgres, temporaryPostgres } from "./testing.ts";

let temporary: TemporaryPostgres;
let store: Store;

before(async () => {
  temporary = await temporaryPostgres();
  const opened = await openStore({
    connection: await temporary.emptyDatabase(),
    installation: createIds(systemClock).mint("inst"),
    clock: systemClock,
    log: () => {},
  });
  assert.ok(opened.outcome === "opened");
  store = opened;
  await sql`INSERT INTO decisions (digest, body) VALUES ('d1', '{"question":1}')`.execute(store.db);
  await insert("req_1", "2026-11-01T00:00:00Z", { decision: "d1" });
  await insert("req_2", "2026-11-01T23:59:59.999Z", { decision: "d1" });
  await insert("req_3", "2026-11-02T00:00:00Z", { decision: "d1" });
  await insert("req_4", "2026-11-01T12:00:00Z", { decision: "gone", unrated: "no usage" });
  await insert("req_5", "2026-11-01T12:00:00Z", { organisation: "org_B", project: "prj_B" });
  await sql`INSERT INTO receipts (id, project, payload, gateway, segment, record_offset, leaf)
    VALUES ('rcpt_req_1', 'prj_A', '{"predicate":{}}', 'gw', 1, 0, 0)`.execute(store.db);
  await sql`INSERT INTO refusals (gateway, segment, record_offset, at, project, code, body) VALUES
    ('gw', 1, 1, '2026-11-01T00:00:00Z', 'prj_A', 'rate_limited', '{}'),
    ('gw', 1, 2, '2026-11-02T00:00:00Z', 'prj_A', 'rate_limited', '{}'),
    ('gw', 1, 3, '2026-11-01T00:00:00Z', 'prj_B', 'rate_limited', '{}')`.execute(store.db);
  await sql`INSERT INTO documents (kind, version, body, sha256, author, created_at) VALUES
    ('facts', 1, '{"a":1}', repeat('a', 64), 'operator', '2026-11-01T00:00:00Z'),
    ('facts', 2, '{"a":2}', repeat('b', 64), 'operator', '2026-11-02T00:00:00Z')`.execute(store.db);
});

after(async () => {
  await store.close();
  await temporary.remove();
});

interface Row {
  readonly organisation?: string;
  readonly project?: string;
  readonly decision?: string;
  readonly unrated?: string;
}

async function insert(request: string, at: string, { organisation = "org_A", project = "prj_A", ...more }: Row) {
  const { decision = null, unrated = null } = more;
  const tokens = unrated === null ? 10 : null;
  const price = unrated === null ? "v1" : null;
  await sql`INSERT INTO usage (request, gateway, segment, record_offset, organisation, project, key, model, endpoint, site,
      ending, started_at, ended_at, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, unrated,
      list_amount, currency, price_version, receipt, decision, destination)
    VALUES (${request}, 'gw', 1, ${Number(request.slice(4))}, ${organisation}, ${project}, 'key', 'm', 'chat.completions',
      'berlin', 'stop', ${at}, ${at}, ${tokens}, ${tokens}, ${tokens}, ${tokens}, ${unrated}, ${tokens}, ${price},
      ${price}, ${`rcpt_${request}`}, ${decision}, 'host')`.execute(store.db);
}

const day = { from: new Date("2026-11-01T00:00:00Z"), to: new Date("2026-11-02T00:00:00Z") };

test("sums are of the period, its first moment in it and its last one not, by what was decided", async () => {
  const { sums, leftOut } = await ranReport(store.db, { ...day, organisation: undefined, groups: 100 });
  assert.equal(leftOut, 0);
  assert.deepEqual(
    sums.map(({ project, body, requests, inputTokens, unrated }) => [project, body, requests, inputTokens, unrated]),
    [
      ["prj_A", '{"question":1}', 2, 20, 0],
      ["prj_A", null, 1, 0, 1],
      ["prj_B", null, 1, 10, 0],
    ],
  );
  const ours = await ranReport(store.db, { ...day, organisation: "org_B", groups: 100 });
  assert.deepEqual(
    ours.sums.map(({ organisation }) => organisation),
    ["org_B"],
  );
  const bounded = await ranReport(store.db, { ...day, organisation: undefined, groups: 1 });
  assert.deepEqual([bounded.sums.length, bounded.leftOut], [1, 2], "what is beyond the bound is counted");
});

test("records are one project's, in the order of their ids, behind the one that is named", async () => {
  const question = { ...day, project: "prj_A", limit: 2 };
  const first = await requestRecords(store.db, { ...question, after: undefined });
  assert.deepEqual(
    first.map(({ request, statement }) => [request, statement]),
    [
      ["req_1", '{"predicate":{}}'],
      ["req_2", null],
    ],
  );
  const rest = await requestRecords(store.db, { ...question, after: "req_2" });
  assert.deepEqual(
    rest.map(({ request, inputTokens }) => [request, inputTokens]),
    [["req_4", null]],
  );
  const refusals = await refusalRecords(store.db, { ...question, after: undefined });
  assert.equal(refusals.length, 1);
  assert.deepEqual(await refusalRecords(store.db, { ...question, after: refusals[0]!.number }), []);
});

test("the facts that held before a moment are the newest that had been applied by then", async () => {
  const version = async (at: string) => (await factsBefore(store.db, new Date(at)))?.version;
  assert.equal(await version("2026-10-31T00:00:00Z"), undefined);
  assert.equal(await version("2026-11-01T12:00:00Z"), 1);
  assert.equal(await version("2026-11-02T00:00:00Z"), 2);
});
