import { type Exact, type GatewayId, parseAmount, type ProjectId, type ReceiptId } from "../base/index.ts";
import type { Journal, JournalBatch, JournalRecord } from "../journal/index.ts";
import type { Budgets } from "../ledger/index.ts";
import { receiptFile, receiptPlaces } from "../receipt/index.ts";
import type { Shipment, Shipper } from "../shipping/index.ts";
import { parseSettlement, type SettlementBody } from "../stages/index.ts";
import {
  type Batch,
  findReceipt,
  type ReceiptRow,
  type RefusalRow,
  ship,
  spentThisMonth,
  type Store,
  type UsageRow,
} from "../store/index.ts";

type SettlementRecord = Extract<JournalRecord, { kind: "settlement" }>;
type NoteRecord = Extract<JournalRecord, { kind: "note" }>;

/** Writes a shipment as rows. Rejects where the database is away, or its watermark is not where the journal's is. */
export async function writeShipment(store: Store, gateway: GatewayId, shipment: Shipment): Promise<void> {
  const outcome = await ship(store.db, batchOf(gateway, shipment));
  if (outcome.outcome === "elsewhere") {
    const at = outcome.watermark;
    throw new Error(
      `the database has the journal up to ${at === undefined ? "nothing" : `segment ${at.segment}, offset ${at.offset}`}, ` +
        `not up to segment ${shipment.from.segment}, offset ${shipment.from.offset}`,
    );
  }
}

function batchOf(gateway: GatewayId, { from, to, batches, isFirst }: Shipment): Batch {
  const records = batches.flatMap((batch) => batch.records);
  const settlements = new Map(
    records.filter((record) => record.kind === "settlement").map((record) => [record, parseSettlement(record.body)]),
  );
  return {
    gateway,
    from: isFirst ? undefined : from,
    to,
    usage: [...settlements].map(([record, body]) => usageRow(record, body)),
    receipts: batches.flatMap((batch) => receiptRows(batch, settlements)),
    refusals: records.filter((record) => record.kind === "note").flatMap(refusalRow),
  };
}

function usageRow({ request, position }: SettlementRecord, body: SettlementBody): UsageRow {
  return {
    request,
    position,
    organisation: body.organisation,
    project: body.project,
    key: body.key,
    model: body.model,
    endpoint: body.endpoint,
    site: body.site,
    ending: body.ending,
    startedMs: body.startedAtMs,
    endedMs: body.endedAtMs,
    receipt: body.receipt,
    ...(body.usage === null ? {} : { usage: body.usage }),
    ...(body.unrated === null ? {} : { unrated: body.unrated }),
    ...(body.upperBoundTokens === null ? {} : { upperBoundTokens: body.upperBoundTokens }),
    ...(body.listAmount === null ? {} : { listAmount: body.listAmount }),
    ...(body.currency === null ? {} : { currency: body.currency }),
    ...(body.priceVersion === null ? {} : { priceVersion: body.priceVersion }),
  };
}

function receiptRows(
  { records, leaves, seal }: JournalBatch,
  settlements: ReadonlyMap<JournalRecord, SettlementBody>,
): readonly ReceiptRow[] {
  if (seal === undefined) return [];
  const places = receiptPlaces(leaves, seal);
  return records.flatMap((record): readonly ReceiptRow[] => {
    const place = record.kind === "settlement" && record.leaf !== undefined ? places[record.leaf] : undefined;
    const body = settlements.get(record);
    if (body === undefined || place === undefined) return [];
    const { receipt: id, project } = body;
    const { payload, index, size, path } = place;
    return [{ id, project, payload, batchIndex: index, batchSize: size, path, seal }];
  });
}

function refusalRow({ position, note, body }: NoteRecord): readonly RefusalRow[] {
  if (note !== "refusal") return [];
  const { atMs, project, key, code } = JSON.parse(body) as { atMs: number; project: string; key: string; code: string };
  return [{ position, atMs, project, key, code, body }];
}

/** A receipt's file: from the journal until it is shipped, then from the database; its own project's only. */
export async function readReceipt(
  parts: { readonly journal: Journal; readonly shipper: Shipper; readonly store: Store },
  id: ReceiptId,
  project: ProjectId,
): Promise<string | undefined> {
  const position = parts.shipper.unshipped(id, project);
  const found = position === undefined ? undefined : await parts.journal.readSettlement(position);
  if (found?.batch.seal !== undefined && found.settlement.leaf !== undefined) {
    return receiptFile(receiptPlaces(found.batch.leaves, found.batch.seal)[found.settlement.leaf]!);
  }
  const row = await findReceipt(parts.store.db, id, project);
  if (row === undefined) return undefined;
  return receiptFile({ ...row, index: row.batchIndex, size: row.batchSize });
}

/** What was spent this month before this process: in the database, and in the journal behind its watermark. */
export async function seedBudgets(
  budgets: Budgets,
  store: Store,
  journal: Journal,
  gateway: GatewayId,
  nowMs: number,
): Promise<void> {
  const { spent, watermarks } = await spentThisMonth(store.db, nowMs);
  for (const { id, amount } of spent) budgets.seed(id, exactOf(amount));
  const month = new Date(nowMs).toISOString().slice(0, 7);
  for await (const { records } of journal.read(watermarks.get(gateway))) {
    for (const record of records) {
      if (record.kind !== "settlement") continue;
      const { listAmount, startedAtMs, key, project, organisation } = parseSettlement(record.body);
      if (listAmount === null || !new Date(startedAtMs).toISOString().startsWith(month)) continue;
      for (const id of [key, project, organisation]) budgets.seed(id, exactOf(listAmount));
    }
  }
}

/** Units of 10^-18 of a decimal string with up to 18 decimals. */
function exactOf(text: string): Exact {
  const [whole = "0", fraction = ""] = text.split(".");
  return (BigInt(parseAmount(whole)!) * 10n ** 6n + BigInt(fraction.padEnd(18, "0").slice(0, 18))) as Exact;
}
