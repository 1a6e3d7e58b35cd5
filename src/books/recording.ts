import type { Transaction } from "kysely";
import { type OrganisationId, refuse, type Refusal, RefusalError, refusing } from "../base/index.ts";
import { readTold, type UsageRecord } from "../metering/index.ts";
import { addRecords, type Database, gatewaysAmong } from "../store/index.ts";
import { accrue, type Arriving, hold, type Held } from "./accruing.ts";
import type { BooksContext } from "./context.ts";
import { organisationsOf } from "./organisations.ts";
import { digestOf, servedDigests, servedKey } from "./served-digests.ts";

export interface Recorded {
  /** Records that were new, and those that had been told before, with the same body. */
  readonly accepted: number;
  readonly duplicates: number;
  /** Of those that were new: without a price or a quantity. */
  readonly unrated: number;
  /** Of those that were new: of a closed period, so that the first open one bills them. */
  readonly late: number;
  /** What is odd about it. */
  readonly warnings: string[];
}

/** Reasons of a refusal that are told at once. */
const reasonsMost = 50;
/** A record dated further ahead is a slip, or of a clock that is wrong. */
const aheadMostMs = 86_400_000;

/**
 * Takes records of other services' usage, all of them or none. The same (organisation, source, id) counts once for ever: told again it
 * is a duplicate, and told with another body refused.
 */
export async function record(
  context: BooksContext,
  told: readonly unknown[],
  reference: string,
): Promise<Recorded | Refusal> {
  return refusing(() =>
    context.db.transaction().execute(async (transaction) => {
      const held = await hold(context, transaction);
      const records = await readAll(context, transaction, told, held);
      const others = await withoutServed(transaction, records);
      const fresh = await freshOf(context, transaction, others, reference);
      const events = fresh.flatMap(({ record }) =>
        record.events.map((event): Arriving => ({ ...event, reference: `${record.source}#${record.id}` })),
      );
      const accrued =
        events.length > 0 ? await accrue(context, transaction, { events, reference, held, isRefusable: true }) : [];
      const unrated = new Set(accrued.map((event) => `${event.organisation} ${event.reference}`)).size;
      const late = fresh.filter(({ record }) => record.atMs < (held.closedUntilMs ?? -Infinity)).length;
      const duplicates = told.length - fresh.length;
      return { accepted: fresh.length, duplicates, unrated, late, warnings: oddSkus(accrued) };
    }),
  );
}

interface Known {
  readonly place: number;
  readonly record: UsageRecord & { readonly id: string };
  readonly organisation: OrganisationId;
  readonly digest: string;
}

/** Records by the ids of their customers; all that is wrong with any is told. */
async function readAll(
  context: BooksContext,
  transaction: Transaction<Database>,
  told: readonly unknown[],
  held: Held,
): Promise<readonly Known[]> {
  const { calendar } = held.book;
  const read = told.map((value) => readTold(value, (midnightMs) => calendar.instantMs(midnightMs)));
  const names = new Set(
    read.flatMap((each) => ("problem" in each ? [] : [each.organisation ?? [], each.customer].flat())),
  );
  const ids = await organisationsOf(transaction, [...names]);
  const reasons: string[] = [];
  const known = read.flatMap((each, place): readonly Known[] => {
    const checked = "problem" in each ? each.problem : checkedRecord(each, ids, held, context);
    if (typeof checked !== "string") return [{ place, ...checked }];
    reasons.push(`record ${place + 1}: ${checked}`);
    return [];
  });
  if (reasons.length > 0) throw invalid(reasons);
  return known;
}

function invalid(reasons: readonly string[]): RefusalError {
  const more = reasons.length === 1 ? "" : ` (and ${reasons.length - 1} more)`;
  const message = `The usage is not valid: ${reasons[0]}${more}.`;
  return new RefusalError(refuse("usage_invalid", message, { reasons: reasons.slice(0, reasonsMost) }));
}

/**
 * All but those that an export wrote of requests that were served here, which are in the books since. A gateway says what it has served,
 * and nobody else in its name.
 */
async function withoutServed(transaction: Transaction<Database>, records: readonly Known[]): Promise<readonly Known[]> {
  const sources = [...new Set(records.map(({ record }) => record.source))];
  const gateways = await gatewaysAmong(transaction, sources);
  if (gateways.size === 0) return records;
  const ofGateways = records.filter(({ record }) => gateways.has(record.source));
  const digests = await servedDigests(
    transaction,
    ofGateways.map(({ record }) => record.id),
  );
  const reasons = ofGateways.flatMap(({ place, record: { source, id } }) =>
    digests.has(servedKey(source, id))
      ? []
      : [`record ${place + 1}: source ${source} is a gateway of this cloud, and has served no request ${id}`],
  );
  if (reasons.length > 0) throw invalid(reasons);
  const differs = ofGateways.find(({ record, digest }) => digests.get(servedKey(record.source, record.id)) !== digest);
  if (differs !== undefined) throw conflict(differs);
  return records.filter(({ record }) => !gateways.has(record.source));
}

function checkedRecord(
  { customer, organisation: told, atMs, events, ...key }: UsageRecord,
  ids: ReadonlyMap<string, OrganisationId>,
  { closedUntilMs }: Held,
  { clock, lateUsage }: BooksContext,
): Omit<Known, "place"> | string {
  const { source, id } = key;
  if (id === undefined) return "id is missing: without one nobody could tell a repetition from new usage";
  // An id that is not there is another installation's, whose customers have names alone in common with ours.
  const organisation = ids.get(told ?? "") ?? ids.get(customer);
  if (organisation === undefined) return `there is no organisation ${JSON.stringify(customer)}`;
  if (atMs > clock.nowMs() + aheadMostMs) return `time is ${new Date(atMs).toISOString()}, which is still to come`;
  if (lateUsage === "refuse" && closedUntilMs !== undefined && atMs < closedUntilMs) {
    return `time is ${new Date(atMs).toISOString()}, in a period that is closed`;
  }
  const mine = events.map((event) => ({ ...event, customer: organisation }));
  const known = { source, id, customer: organisation, organisation, atMs, events: mine };
  return { record: known, organisation, digest: digestOf(mine) };
}

/** A SKU is `product/dimension`; one that is not is priced by its own name alone, and mostly a slip. */
function oddSkus(unrated: readonly { readonly sku: string }[]): string[] {
  const odd = new Set(unrated.map(({ sku }) => sku).filter((sku) => !/[^/].*\/[^/]+$/.test(sku)));
  return [...odd]
    .slice(0, oddTold)
    .map(
      (sku) =>
        `sku ${JSON.stringify(sku)} is no product/dimension, such as crm/seats: no price but one of exactly this name rates it`,
    );
}

const oddTold = 10;

/** Those that were never told before. Of several that are the same in one call, the first. */
async function freshOf(
  { clock }: BooksContext,
  transaction: Transaction<Database>,
  records: readonly Known[],
  reference: string,
): Promise<readonly Known[]> {
  const first = new Map<string, Known>();
  for (const known of records) {
    // None of the three has a line's end in it.
    const key = `${known.organisation}\n${known.record.source}\n${known.record.id}`;
    const before = first.get(key);
    if (before === undefined) first.set(key, known);
    else if (before.digest !== known.digest) throw conflict(known);
  }
  // In the order of their places.
  const told = [...first.values()];
  const rows = told.map(({ record, organisation, digest }) => ({
    organisation,
    source: record.source,
    id: record.id,
    digest,
    events: record.events,
  }));
  const { fresh, differing } = await addRecords(transaction, rows, { reference, nowMs: clock.nowMs() });
  if (differing.length > 0) throw conflict(told[differing[0]!]!);
  return fresh.map((at) => told[at]!);
}

function conflict({ place, record: { id, source } }: Known): RefusalError {
  const message = `Record ${place + 1}: id ${JSON.stringify(id)} of source ${JSON.stringify(source)} was told before, with another body.`;
  return new RefusalError(refuse("usage_conflict", message, { param: id }));
}
