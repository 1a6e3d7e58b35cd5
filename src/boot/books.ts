import {
  type Clock,
  type GatewayId,
  type ProjectId,
  type ReceiptId,
  RefusalError,
  refuse,
  parseExact,
} from "../base/index.ts";
import { isBefore, type Journal, type JournalBatch, type JournalRecord, type Position } from "../journal/index.ts";
import { accrue, type BooksContext, hold, servedUsage } from "../books/index.ts";
import type { Budgets, Wallets } from "../ledger/index.ts";
import { receiptFile, type SigningKeys } from "../receipt/index.ts";
import type { Shipment, Shipper } from "../shipping/index.ts";
import { parseSettlement, type SettlementBody } from "../stages/index.ts";
import {
  type Batch,
  findReceipt,
  type PostUsed,
  type ReceiptBatch,
  type RefusalRow,
  type Settlement,
  type SettlementFacts,
  ship,
  type ShippedReceipt,
  spentThisMonth,
  type Store,
} from "../store/index.ts";

/**
 * Writes a shipment as rows, and resolves with where the watermark stands then: also before the shipment, where a crash
 * took what was not yet durable there. Rejects where the database is away, or its watermark is behind the shipment.
 */
export async function writeShipment(
  store: Store,
  gateway: GatewayId,
  signing: Pick<SigningKeys, "leavesOf">,
  shipment: Shipment,
  context?: BooksContext,
): Promise<Position> {
  const { to } = shipment;
  const post = context && posting(context, gateway, shipment);
  const outcome = await ship(store.db, batchOf(gateway, signing, shipment), post);
  if (outcome.outcome !== "elsewhere") return to;
  const at = outcome.watermark;
  if (at !== undefined && isBefore(at, to)) return at;
  throw new Error(
    `the database has the journal up to ${at === undefined ? "nothing" : `segment ${at.segment}, offset ${at.offset}`}, ` +
      `not up to segment ${shipment.from.segment}, offset ${shipment.from.offset}`,
  );
}

/** What was used goes to its sums and into the ledger with the rows themselves. */
function posting(context: BooksContext, gateway: GatewayId, { from, to }: Shipment): PostUsed {
  const place = ({ segment, offset }: Position): string => `${segment}:${offset}`;
  const reference = `shipment ${gateway} ${place(from)} ${place(to)}`;
  return async (transaction, used) => {
    const held = await hold(context, transaction);
    await accrue(context, transaction, { events: servedUsage(used), reference, held });
    return held.closedUntilMs;
  };
}

function batchOf(
  gateway: GatewayId,
  signing: Pick<SigningKeys, "leavesOf">,
  { from, to, batches, isFirst, isDurable }: Shipment,
): Batch {
  return {
    gateway,
    from: isFirst ? undefined : from,
    to,
    isDurable,
    settlements: batches.flatMap(settlementsOf),
    receiptBatches: batches.flatMap((batch) => receiptBatchOf(batch, signing)),
    refusals: batches.flatMap(({ records }) => records.flatMap(refusalRow)),
  };
}

type Saying<Facts, Body extends Facts> = Body;
/** The database takes its facts out of a body's text: this does not compile where the stages write others. */
export type ShippedBody = Saying<SettlementFacts, SettlementBody>;

function settlementsOf({ start, records }: JournalBatch): readonly Settlement[] {
  return records.flatMap((record): readonly Settlement[] => {
    if (record.kind !== "settlement") return [];
    const { request, position, body, receipt: payload, leaf } = record;
    if (payload === undefined || leaf === undefined) return [{ request, position, body }];
    return [{ request, position, body, receipt: { batch: start, leaf, payload } }];
  });
}

function receiptBatchOf(batch: JournalBatch, signing: Pick<SigningKeys, "leavesOf">): readonly ReceiptBatch[] {
  const { start, seal } = batch;
  return seal === undefined ? [] : [{ start, hashes: signing.leavesOf(batch), seal }];
}

function refusalRow(record: JournalRecord): readonly RefusalRow[] {
  if (record.kind !== "note" || record.note !== "refusal") return [];
  const { position, body } = record;
  const { atMs, project, key, code } = JSON.parse(body) as { atMs: number; project: string; key: string; code: string };
  return [{ position, atMs, project, key, code, body }];
}

/** How long a receipt is waited for: a database that stands still answers nobody, and a client wants to know. */
const receiptWaitMs = 3_000;

interface ReceiptSources {
  readonly journal: Journal;
  readonly shipper: Shipper;
  readonly store: Store;
  readonly clock: Clock;
  readonly signing: Pick<SigningKeys, "leavesOf">;
}

/** A receipt's file; its own project's only. Rejects as `locateReceipt`. */
export async function readReceipt(
  sources: ReceiptSources,
  id: ReceiptId,
  project: ProjectId,
): Promise<string | undefined> {
  const found = await locateReceipt(sources, id, project);
  return found && receiptFile(found);
}

/**
 * What a receipt is made of: from the journal until it is shipped, then from the database; its own project's only.
 * Rejects with `database_unavailable` where that does not answer in time.
 */
export async function locateReceipt(
  parts: ReceiptSources,
  id: ReceiptId,
  project: ProjectId,
): Promise<ShippedReceipt | undefined> {
  const position = parts.shipper.unshipped(id, project);
  const found = position === undefined ? undefined : await parts.journal.readSettlement(position);
  if (found?.batch.seal !== undefined && found.settlement.leaf !== undefined) {
    const { leaves, seal, start } = found.batch;
    const index = found.settlement.leaf;
    return { payload: leaves[index]!, batch: start, index, hashes: parts.signing.leavesOf(found.batch), seal };
  }
  const late = Promise.withResolvers<never>();
  const cancel = parts.clock.after(receiptWaitMs, () =>
    late.reject(
      new RefusalError(refuse("database_unavailable", "The database does not answer.", { retryAfterSeconds: 2 })),
    ),
  );
  const finding = findReceipt(parts.store.db, id, project);
  // Whichever is late has nobody who listens any more.
  finding.catch(() => undefined);
  return Promise.race([finding, late.promise]).finally(cancel);
}

/**
 * What was spent this month before this process: in the database, and in the journal behind its watermark. Wallets hear of the latter,
 * whenever it was.
 */
export async function seedBudgets(
  { budgets, wallets }: { readonly budgets: Budgets; readonly wallets: Wallets },
  store: Store,
  journal: Journal,
  gateway: GatewayId,
  nowMs: number,
): Promise<void> {
  const { spent, watermarks } = await spentThisMonth(store.db, nowMs);
  for (const { id, amount } of spent) budgets.seed(id, parseExact(amount));
  const month = new Date(nowMs).toISOString().slice(0, 7);
  for await (const { records } of journal.readSettled(watermarks.get(gateway))) {
    for (const record of records) {
      if (record.kind !== "settlement") continue;
      const { listAmount, amountBound, startedAtMs, key, project, organisation } = parseSettlement(record.body);
      const amount = listAmount ?? amountBound ?? null;
      if (amount === null) continue;
      wallets.seed(organisation, parseExact(amount), record.position);
      if (!new Date(startedAtMs).toISOString().startsWith(month)) continue;
      for (const id of [key, project, organisation]) budgets.seed(id, parseExact(amount));
    }
  }
}
