import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { createIds, ManualClock, withPrefix } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres, temporaryStore } from "../store/testing.ts";
import { Collecting, type Contents, fileKeyEncryption, type Lost, openContents } from "./index.ts";
import { openRecord, type SealedRecord } from "./record.ts";

const dayMs = 86_400_000;
let temporary: TemporaryPostgres;

before(async () => {
  temporary = await temporaryPostgres();
});

after(async () => {
  await temporary.remove();
});

interface Opened {
  readonly contents: Contents;
  readonly store: Store;
  readonly clock: ManualClock;
  readonly folder: string;
  readonly lost: Lost[];
  readonly again: (more?: { onFailure?: () => void }) => Promise<Contents>;
  readonly keep: (text: string, more?: Partial<Kept>) => Promise<string>;
}

interface Kept {
  readonly project: string;
  readonly organisation: string;
  readonly subject: string | null;
  readonly days: number;
  readonly isTooLong: boolean;
}

async function opened(
  context: TestContext,
  bounds: { bytesMax?: number; waitingBytesMax?: number } = {},
): Promise<Opened> {
  const clock = new ManualClock(Date.parse("2026-11-26T12:00:00Z"));
  const ids = createIds(clock);
  const store = await temporaryStore(temporary, clock);
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-contents-"));
  const lost: Lost[] = [];
  const encryption = fileKeyEncryption(join(folder, "key"), randomBytes, true);
  const again = (more: { onFailure?: () => void } = {}) =>
    openContents({
      db: store.db,
      clock,
      ids,
      randomBytes,
      keysFolder: join(folder, "keys"),
      spoolFolder: join(folder, "spool"),
      encryptionOf: () => encryption,
      bytesMax: 1e9,
      waitingBytesMax: 1e9,
      ...bounds,
      onLost: (all) => Promise.resolve(void lost.push(...all)),
      onFailure: (error) => assert.fail(String(error)),
      ...more,
    });
  const contents = await again();
  context.after(async () => {
    await contents.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const keep = async (text: string, more: Partial<Kept> = {}): Promise<string> => {
    const request = ids.mint("req");
    const { project = ours, organisation = ourOrganisation, subject = null, days = 30, isTooLong = false } = more;
    const atMs = clock.nowMs();
    const head = { request, project, organisation, atMs, untilMs: atMs + days * dayMs };
    await contents.keep(
      { ...head, dataClass: "personal", model: "fake", endpoint: "completions" },
      { request: Buffer.from(text), response: Buffer.from(`answer to ${text}`), complete: true, subject, isTooLong },
    );
    return request;
  };
  return { contents, store, clock, folder, lost, again, keep };
}

const seed = createIds(new ManualClock(1));
const ours = seed.mint("prj");
const theirs = seed.mint("prj");
const ourOrganisation = withPrefix("org", ours);
const theirOrganisation = withPrefix("org", theirs);
const page = { limit: 100, after: undefined };

test("what is kept lies nowhere in the clear, and opens for its own project only", async (context) => {
  const { contents, store, folder, keep } = await opened(context);
  const request = await keep("secret question", { subject: "patient-7" });
  const spooled = readdirSync(join(folder, "spool")).map((name) => readFileSync(join(folder, "spool", name), "utf8"));
  assert.ok(spooled.join("").includes(request), "it lies in a file before the database has it");
  const shown = await contents.show(request, { project: ours });
  assert.equal(shown?.input.toString(), "secret question");
  assert.equal(shown?.output.toString(), "answer to secret question");
  assert.equal(shown?.subject, "patient-7");
  assert.equal(await contents.show(request, { project: theirs }), undefined);
  assert.deepEqual((await contents.list({ project: theirs }, page)).items, []);
  const rows = await store.db.selectFrom("contents").selectAll().execute();
  const everything = [
    ...spooled,
    ...rows.map((row) => [row.sealed.toString("latin1"), JSON.stringify(row)].join()),
  ].join();
  for (const text of ["secret question", "answer to", "patient-7"]) assert.ok(!everything.includes(text), text);
});

test("a record does not open with a bit changed, as another request, or under another project's key", async (context) => {
  const { contents, store, keep } = await opened(context);
  await keep("one");
  await keep("two", { project: theirs, organisation: theirOrganisation });
  await contents.caughtUp();
  const rows = await store.db.selectFrom("contents").selectAll().execute();
  const records = rows.map(({ at, until, ...rest }) => ({ ...rest, atMs: +at, untilMs: +until })) as SealedRecord[];
  const [mine, other] = [ours, theirs].map((project) => records.find((record) => record.project === project));
  const secret = await contents.keys.get(ours, ourOrganisation, mine!.contentKey);
  assert.equal(openRecord(mine!, secret).request.toString(), "one");
  const flipped = (bytes: Buffer, at: number) =>
    Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ 1 : byte)));
  for (let at = 0; at < mine!.sealed.length; at++) {
    assert.throws(() => openRecord({ ...mine!, sealed: flipped(mine!.sealed, at) }, secret), `byte ${at}`);
  }
  assert.throws(() => openRecord({ ...mine!, wrappedKey: flipped(mine!.wrappedKey, 20) }, secret));
  assert.throws(() => openRecord({ ...mine!, request: other!.request }, secret));
  assert.throws(() => openRecord({ ...mine!, project: theirs }, secret));
  assert.throws(() => openRecord(other!, secret));
});

test("a killed process loses nothing that an answer has ended with; a line that it tore is passed over", async (context) => {
  const { folder, again, keep, contents } = await opened(context);
  // Nothing is shipped: this is what the next process finds.
  const request = await keep("before the end");
  writeFileSync(join(folder, "spool", "000000000009.ndjson"), '{"request":"req_torn","seal');
  const next = await again();
  context.after(() => next.close());
  assert.equal((await next.show(request, {}))?.input.toString(), "before the end");
  assert.deepEqual(readdirSync(join(folder, "spool")), []);
  await contents.caughtUp();
});

test("retention is the clock's: what is due goes, with the keys that only it lay under", async (context) => {
  const { contents, clock, folder, keep, again, store } = await opened(context);
  const short = await keep("short", { days: 1 });
  await contents.close();
  clock.advance(dayMs);
  // Due, and gone for whoever reads, before anything has run.
  assert.equal((await store.db.selectFrom("contents").select("request").execute()).length, 1);
  assert.equal(await contents.show(short, {}), undefined);
  assert.deepEqual((await contents.list({}, page)).items, []);
  const long = await keep("long", { days: 30 });
  await contents.caughtUp();
  const keys = () => readdirSync(join(folder, "keys", ours)).length;
  assert.equal(keys(), 2, "a day has its own key");
  await (await again()).close();
  assert.equal(keys(), 1, "the first day's is destroyed");
  assert.ok(await contents.show(long, {}));
  clock.advance(30 * dayMs);
  await (await again()).close();
  assert.deepEqual((await contents.list({}, page)).items, []);
});

test("a person's records are found by the pseudonym, within one project", async (context) => {
  const { contents, keep } = await opened(context);
  const found = await keep("a", { subject: "patient-7" });
  await keep("b", { subject: "patient-8" });
  await keep("c", { subject: "patient-7", project: theirs, organisation: theirOrganisation });
  const scope = { project: ours, organisation: ourOrganisation };
  const { items } = await contents.list({ ...scope, subject: "patient-7" }, page);
  assert.deepEqual(
    items.map(({ request }) => request),
    [found],
  );
});

test("what is too long, or has no room, is not kept and is told; the answer does not hear of it", async (context) => {
  const { contents, keep, lost } = await opened(context, { waitingBytesMax: 700 });
  await keep("x", { isTooLong: true });
  await keep("fits");
  await keep("one too many");
  await keep("and another");
  await contents.caughtUp();
  assert.deepEqual(
    lost.map(({ reason, requests, project }) => [reason, requests, project]),
    [
      ["too_long", 1, ours],
      ["no_room", 2, ours],
    ],
  );
  await keep("there is room again");
  assert.equal((await contents.list({}, page)).items.length, 2);
});

test("a full store keeps nothing more until something has gone", async (context) => {
  const { contents, clock, keep, lost } = await opened(context, { bytesMax: 100 });
  await keep("first", { days: 60 / 86_400 });
  await contents.caughtUp();
  await keep("second");
  await contents.caughtUp();
  assert.equal(lost[0]?.reason, "no_room");
  clock.advance(61_000);
  await contents.expire();
  await keep("third");
  assert.equal((await contents.list({}, page)).items.length, 1);
});

test("replacing keys leaves what stays readable, and every copy of what went unreadable", async (context) => {
  const { contents, store, keep } = await opened(context);
  const gone = await keep("erase me");
  const stays = await keep("stay");
  await contents.caughtUp();
  const copy = await store.db
    .selectFrom("contents")
    .selectAll()
    .where("request", "=", gone as never)
    .executeTakeFirstOrThrow();
  const old = await contents.remove(ours, [gone as never]);
  await contents.replaceKeys(ours, ourOrganisation, old);
  assert.deepEqual(old, [copy.contentKey]);
  assert.equal(contents.keys.has(ours, copy.contentKey), false);
  await assert.rejects(contents.keys.get(ours, ourOrganisation, copy.contentKey), /ENOENT/);
  assert.equal((await contents.show(stays, {}))?.input.toString(), "stay");
  assert.equal(await contents.show(gone, {}), undefined);
  // Once more changes nothing.
  await contents.replaceKeys(ours, ourOrganisation, old);
  assert.equal((await contents.show(stays, {}))?.input.toString(), "stay");
});

test("a project whose keys are destroyed gets none again", async (context) => {
  const { contents, folder, keep, lost } = await opened(context);
  await keep("x");
  assert.equal(contents.keys.destroyAll(ours), 1);
  assert.equal(contents.keys.destroyAll(ours), 0);
  await keep("late");
  await contents.caughtUp();
  assert.deepEqual(lost, []);
  assert.ok(existsSync(join(folder, "keys", ours, "erased")));
});

test("content whose key is not here is said to be unreadable, and nothing else fails", async (context) => {
  const { contents, folder, keep, again } = await opened(context);
  const request = await keep("x");
  await contents.close();
  rmSync(join(folder, "keys", ours), { recursive: true });
  const restored = await again({ onFailure: () => undefined });
  context.after(() => restored.close());
  await assert.rejects(restored.show(request, {}), /not here: after a restore/);
  assert.equal((await restored.list({}, page)).items.length, 1);
});

test("an answer is collected up to its bound, and all of it is heard of elsewhere", () => {
  let heard = 0;
  const collecting = new Collecting(4, { update: ({ length }) => (heard += length) });
  collecting.update(Buffer.from("abc"));
  assert.deepEqual(collecting.collected(), { bytes: Buffer.from("abc"), isTooLong: false });
  collecting.update(Buffer.from("de"));
  assert.equal(collecting.collected().isTooLong, true);
  assert.equal(heard, 5);
});
