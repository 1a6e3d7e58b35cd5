import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createIds, type GatewayId, ManualClock, type ReceiptId, RefusalError, withPrefix } from "../base/index.ts";
import { FakeDisk, type Journal, type JournalBatch, openJournal } from "../journal/index.ts";
import { Wallets, Budgets } from "../ledger/index.ts";
import { openSigningKeys, type SigningKeys, verifyReceipt } from "../receipt/index.ts";
import { createShipper, type Shipment } from "../shipping/index.ts";
import {
  type Counts,
  type IntentBody,
  type Placement,
  Placements,
  settle,
  type SettlementBody,
} from "../stages/index.ts";
import { openStore, readWatermark, type Store, usageReport } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../store/testing.ts";
import { readReceipt, seedBudgets, writeShipment } from "./books.ts";

const clock = new ManualClock(Date.UTC(2026, 10, 24, 12, 0, 0, 1));
const ids = createIds(clock);
const installation = ids.mint("inst");
let temporary: TemporaryPostgres;
let signing: SigningKeys;
const opened: Store[] = [];

before(async () => {
  temporary = await temporaryPostgres();
  signing = openSigningKeys(join(temporary.folder, "keys"), clock.nowMs());
});

after(async () => {
  for (const store of opened) await store.close();
  await temporary.remove();
});

async function emptyBooks(): Promise<{ store: Store; journal: Journal; gateway: GatewayId }> {
  const connection = await temporary.emptyDatabase();
  const store = await openStore({ connection, installation, clock, log: () => undefined });
  assert.ok(store.outcome === "opened");
  opened.push(store);
  const gateway = ids.mint("gw");
  const seal = (payloads: readonly string[]): string => signing.seal(payloads);
  const journal = await openJournal({
    disk: new FakeDisk(),
    clock,
    installation,
    gateway,
    segmentBytes: 1 << 20,
    seal,
  });
  return { store, journal, gateway };
}

const placement: Placement = {
  question: { action: "infer", project: { id: "prj_A", dataClass: "public", processing: [] }, model: "m" },
  candidates: [{ kind: "host", name: "host_A", site: { name: "here", jurisdiction: "DE" } }],
};
const intended: IntentBody = {
  v: 1,
  receivedAtMs: clock.nowMs(),
  organisation: "org_A",
  project: "prj_A",
  key: "key_A",
  endpoint: "chat.completions",
  model: "smollm2-135m-instruct",
  stream: false,
  tier: "standard",
  objective: { ttftMs: 60_000, tpotMs: 250 },
  destination: { kind: "host", name: "host_A" },
  site: { name: "here", jurisdiction: "DE", operator: null },
  gatewaySite: null,
  engine: { name: "fake", build: "fake 1" },
  sha256: null,
  policy: {
    digest: "00",
    version: "rules-1",
    epoch: 1,
    dataClass: "public",
    processing: [],
    rejected: [],
    placement,
  },
  price: { version: "1", currency: "EUR", input: "0.1", cachedInput: "0.01", output: "0.3", reasoning: "0.3" },
  bound: { inputTokens: 100, outputTokens: 50 },
  request: { digestKey: "dgk_A", digest: "00", bytes: 7, meaning: null },
};
const counted: Counts = {
  outcome: "counted",
  usage: { inputTokens: 31, cachedInputTokens: 7, outputTokens: 5, reasoningTokens: 2 },
  ending: "stop",
};

/** Settles requests as a gateway does, at once: they share batches. */
async function settleAll(
  { journal, gateway }: { journal: Journal; gateway: GatewayId },
  requests: readonly { readonly intended?: Partial<IntentBody>; readonly counts?: Counts }[],
): Promise<readonly ReturnType<typeof settle>[]> {
  const settled = requests.map(({ intended: more, counts = counted }) => {
    const body = { ...intended, ...more };
    const intent = journal.intend(ids.mint("req"), JSON.stringify(body));
    if (intent.outcome === "refused") throw new RefusalError(intent);
    const response = { digest: "11", bytes: 9, complete: true, meaning: null };
    return settle(
      intent,
      body,
      { gateway, journal, newSalt: () => "salt", placements: new Placements() },
      { counts, endedAtMs: clock.nowMs() + 1_234, response },
    );
  });
  await Promise.all(settled.map(({ written }) => written.durable));
  return settled;
}

test("a receipt is one file, read from the journal or from the database, and its usage is the settlement's", async () => {
  const books = await emptyBooks();
  const { store, journal, gateway } = books;
  const opening = Promise.withResolvers<void>();
  const shipper = createShipper({
    journal,
    clock,
    from: undefined,
    waitingMax: 100,
    write: async (shipment) => {
      await opening.promise;
      return writeShipment(store, gateway, signing, shipment);
    },
    onFailure: (error) => assert.fail(String(error)),
  });
  const unknown: Counts = { outcome: "unrated", reason: 'a "crash"', ending: "error" };
  const settled = [
    ...(await settleAll(books, [{}])),
    ...(await settleAll(books, [
      {},
      { intended: { model: '\u0000 "\\ \u2028 \u{1f388}' } },
      { intended: { price: null, project: "prj_B" } },
      { counts: unknown },
      { counts: unknown, intended: { price: null } },
    ])),
  ];
  for (const { written, body } of settled) shipper.settled(body.receipt, body.project, written.position);
  const bodies = settled.map(({ body }) => body);
  const read = (receipt: ReceiptId, project: `prj_${string}`) =>
    readReceipt({ journal, shipper, store, clock, signing }, receipt, project);
  const files = await Promise.all(bodies.map(({ receipt, project }) => read(receipt, project)));
  assert.equal(shipper.waiting, bodies.length);
  opening.resolve();
  assert.equal(await shipper.caughtUp(10_000), true);
  assert.equal(shipper.waiting, 0);
  const keys = Buffer.from(signing.jwks());
  for (const [index, body] of bodies.entries()) {
    const file = await read(body.receipt, body.project);
    assert.ok(file !== undefined);
    assert.equal(file, files[index]);
    const receipt = Buffer.from(file);
    assert.equal(verifyReceipt({ receipt, keys, tenant: body.project, atMs: body.endedAtMs }).reason, "valid");
    assert.equal(await read(body.receipt, "prj_C"), undefined);
    assert.deepEqual(await factsOf(store, body), { ...body, model: body.model.replace("\u0000", "\uFFFD") });
  }
  await shipper.close();
  await journal.close();
});

/** A request's row of usage, said as its settlement says it. */
async function factsOf({ db }: Store, { receipt, v }: SettlementBody): Promise<SettlementBody> {
  const request = withPrefix("req", receipt);
  const row = await db.selectFrom("usage").selectAll().where("request", "=", request).executeTakeFirstOrThrow();
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens, upperBoundTokens } = row;
  const usage = {
    inputTokens: Number(inputTokens),
    cachedInputTokens: Number(cachedInputTokens),
    outputTokens: Number(outputTokens),
    reasoningTokens: Number(reasoningTokens),
  };
  const { gateway, organisation, project, key, endpoint, model, site, ending, unrated, listAmount, currency } = row;
  return {
    v,
    gateway,
    receipt: row.receipt!,
    organisation,
    project,
    key,
    endpoint,
    model,
    site,
    startedAtMs: row.startedAt.getTime(),
    endedAtMs: row.endedAt.getTime(),
    ending,
    usage: inputTokens === null ? null : usage,
    unrated,
    upperBoundTokens: upperBoundTokens === null ? null : Number(upperBoundTokens),
    amountBound: row.amountBound,
    listAmount,
    currency,
    priceVersion: row.priceVersion,
    tier: row.tier,
    objective: row.ttftMs === null ? null : { ttftMs: Number(row.ttftMs), tpotMs: Number(row.tpotMs) },
    decision: row.decision!,
    destination: row.destination!,
    placement,
  };
}

test("a shipment whose beginning was committed unheard goes on from there; another journal's watermark is refused", async () => {
  const books = await emptyBooks();
  const { store, journal, gateway } = books;
  for (let round = 0; round < 4; round++) await settleAll(books, [{}, {}]);
  const batches: JournalBatch[] = [];
  for await (const batch of journal.read()) batches.push(batch);
  const shipment = (of: readonly JournalBatch[], isFirst = true): Shipment => {
    return { from: of[0]!.start, isFirst, isDurable: true, to: of.at(-1)!.end, batches: of };
  };
  const requests = async (): Promise<number> => (await usageReport(store.db, { by: [] })).rows[0]?.requests ?? 0;
  const half = batches.slice(0, 2);
  assert.deepEqual(await writeShipment(store, gateway, signing, shipment(half)), half.at(-1)!.end);
  const shipped = await requests();
  assert.deepEqual(
    await writeShipment(store, gateway, signing, shipment(half)),
    half.at(-1)!.end,
    "the same once more",
  );
  assert.deepEqual(await writeShipment(store, gateway, signing, shipment(batches)), half.at(-1)!.end);
  assert.equal(await requests(), shipped, "nothing was written");
  const rest = batches.slice(2);
  assert.deepEqual(await writeShipment(store, gateway, signing, shipment(rest, false)), journal.durable);
  assert.equal(await requests(), 8);
  assert.deepEqual(await readWatermark(store.db, gateway), journal.durable);
  await assert.rejects(
    writeShipment(store, gateway, signing, shipment(half)),
    /the database has the journal up to segment 1/,
  );
  await assert.rejects(writeShipment(store, ids.mint("gw"), signing, shipment(rest, false)), /up to nothing/);
  await journal.close();
});

test("after a restart budgets know what was spent, and the bound of what nobody could count, shipped or not", async () => {
  const { store, journal, gateway } = await emptyBooks();
  const unknown: Counts = { outcome: "unrated", reason: "no running usage", ending: "abort" };
  // 24 fresh, 7 cached and 5 out: 0.00000397; at most 100 in and 50 out: 0.000025.
  const spent = 3_970_000_000_000n + 25_000_000_000_000n;
  const spentNow = async (): Promise<bigint> => {
    const budgets = new Budgets(clock, "EUR");
    await seedBudgets({ budgets, wallets: new Wallets(() => "EUR") }, store, journal, gateway, clock.nowMs());
    return budgets.spent("prj_A");
  };
  await settleAll({ journal, gateway }, [{}, { counts: unknown }]);
  assert.equal(await spentNow(), spent);
  const batches: JournalBatch[] = [];
  for await (const batch of journal.read()) batches.push(batch);
  const shipment = { from: batches[0]!.start, isFirst: true, isDurable: true, to: batches.at(-1)!.end, batches };
  await writeShipment(store, gateway, signing, shipment);
  assert.equal(await spentNow(), spent);
  await settleAll({ journal, gateway }, [{ counts: unknown }]);
  assert.equal(await spentNow(), spent + 25_000_000_000_000n);
});
