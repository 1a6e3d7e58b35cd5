import { createHash } from "node:crypto";
import type { Transaction } from "kysely";
import {
  canonicalJson,
  formatAmount,
  type OrganisationId,
  parseAmount,
  refuse,
  type Refusal,
  RefusalError,
  refusing,
} from "../base/index.ts";
import { AllTerms, minorAmount, minorUnitDecimals, type RatedBook } from "../ledger/index.ts";
import {
  addGrant,
  type Database,
  findGrants,
  type GrantRow,
  type List,
  type MovementRow,
  movementsPage,
  type Page,
} from "../store/index.ts";
import { hold, type Held } from "./accruing.ts";
import type { BooksContext } from "./context.ts";
import { organisationsOf } from "./organisations.ts";
import { addPurchase } from "./purchases.ts";
import { noNext } from "./cursors.ts";

/** Credits as they are asked for; money and credits are decimal strings. */
export interface AskedGrant {
  /** A name or an id. */
  readonly organisation: string;
  /** What makes it the same one when it is asked for again; left out: it is another one each time. */
  readonly id?: string | undefined;
  /** Left out: what the organisation is billed in. */
  readonly currency?: string | undefined;
  readonly credits: string;
  /** What is paid for them, without tax; "0": they are given. */
  readonly paid: string;
  /** The lower, the sooner it is used; 0 where it is left out. */
  readonly priority?: number | undefined;
  /** ISO 8601; it holds to the end of the period in which that is. */
  readonly expiresAt?: string | undefined;
  /** So many credits at most stay until then, likewise. */
  readonly rollover?: { readonly most: string; readonly until: string } | undefined;
  /** What is expected never to be used. */
  readonly breakagePercent?: string | undefined;
  readonly note?: string | undefined;
  /** What is paid has arrived: its invoice is issued and paid at once. */
  readonly received?: boolean | undefined;
}

/** No wallet of anybody's holds more; beyond it is a slip. */
const creditsMost = 10n ** 12n * 10n ** 12n;
const percentMost = 100n * 10n ** 12n;

/**
 * Grants credits to an organisation; what is paid for them is posted with its tax, and has an invoice. With an id that was used before the same body answers
 * as it did, and another one is refused.
 */
export async function grantCredits(context: BooksContext, asked: AskedGrant, by: string): Promise<GrantRow | Refusal> {
  return refusing(() =>
    context.db.transaction().execute(async (transaction) => {
      const held = await hold(context, transaction);
      const organisation = (await organisationsOf(transaction, [asked.organisation])).get(asked.organisation);
      if (organisation === undefined) {
        const message = `There is no organisation ${JSON.stringify(asked.organisation)}.`;
        throw new RefusalError(refuse("not_found", message, { param: "organisation" }));
      }
      const id = asked.id ?? context.ids.mint("wgr");
      const digest = digestOf(asked);
      const known = await sameGrant(transaction, { organisation, id, digest });
      if (known !== undefined) return known;
      const grant = { ...checked(context, asked, organisation, held), organisation, id, digest, createdBy: by };
      const { received = false } = asked;
      if ((await addGrant(transaction, grant)) && grant.paid > 0n) {
        await addPurchase(context, transaction, grant, { held, received });
      }
      return (await sameGrant(transaction, { organisation, id, digest }))!;
    }),
  );
}

/** Of what is asked for, however its numbers are written. */
function digestOf(asked: AskedGrant): Buffer {
  const amount = (text: string): string => formatAmount(parseAmount(text) ?? -1n);
  const plain = {
    credits: amount(asked.credits),
    paid: amount(asked.paid),
    priority: asked.priority ?? 0,
    expiresAt: asked.expiresAt === undefined ? null : Date.parse(asked.expiresAt),
    rollover: asked.rollover === undefined ? null : [amount(asked.rollover.most), Date.parse(asked.rollover.until)],
    currency: asked.currency ?? null,
    breakagePercent: amount(asked.breakagePercent ?? "0"),
    note: asked.note ?? null,
    id: asked.id ?? null,
    // What was asked for before there was this has the same digest.
    ...(asked.received === true && { received: true }),
  };
  return createHash("sha256").update(canonicalJson(plain)).digest();
}

async function sameGrant(
  transaction: Transaction<Database>,
  { organisation, id, digest }: Pick<GrantRow, "organisation" | "id" | "digest">,
): Promise<GrantRow | undefined> {
  const [known] = await findGrants(transaction, { organisations: [organisation], id });
  if (known === undefined || known.digest.equals(digest)) return known;
  const message = `A grant ${JSON.stringify(id)} was made before, and it says something else.`;
  throw new RefusalError(refuse("grant_conflict", message, { param: "id" }));
}

function checked(
  { clock }: BooksContext,
  asked: AskedGrant,
  organisation: OrganisationId,
  { book, closedUntilMs }: Held,
) {
  const nowMs = clock.nowMs();
  // A clock that was set back must not post into what is closed, nor make a grant that paid for it.
  const fromMs = Math.max(nowMs, closedUntilMs ?? nowMs);
  const currency = currencyFor(asked.currency, organisation, fromMs, book);
  const credits = amountOf("credits", asked.credits);
  if (credits === 0n) throw wrong("credits", "A grant has more than 0 credits.");
  const paid = amountOf("paid", asked.paid);
  if (minorAmount(formatAmount(paid), currency) === undefined) {
    throw wrong("paid", `"${asked.paid}" has more decimals than ${currency} can be paid in.`);
  }
  if (paid === 0n && asked.received === true) throw wrong("received", "Nothing is paid for what is given.");
  const breakage = parseAmount(asked.breakagePercent ?? "0");
  if (breakage === undefined || breakage < 0n || breakage >= percentMost) {
    throw wrong("breakagePercent", "It is a share in percent, from 0 and below 100.");
  }
  const expiresMs = asked.expiresAt === undefined ? undefined : endOf("expiresAt", asked.expiresAt, fromMs, book);
  return {
    currency,
    credits,
    paid,
    priority: asked.priority ?? 0,
    fromMs,
    expiresMs,
    rollover: rolloverOf(asked.rollover, expiresMs, book),
    breakagePercent: formatAmount(breakage),
    note: asked.note,
    createdAtMs: nowMs,
  };
}

function rolloverOf(rollover: AskedGrant["rollover"], expiresMs: number | undefined, book: RatedBook) {
  if (rollover === undefined) return undefined;
  if (expiresMs === undefined) throw wrong("rollover", "What never expires does not roll over.");
  const most = amountOf("rollover.most", rollover.most);
  if (most === 0n) throw wrong("rollover.most", "More than 0 credits roll over, or leave it out.");
  return { most, untilMs: endOf("rollover.until", rollover.until, expiresMs, book) };
}

function amountOf(param: string, text: string): bigint {
  const amount = parseAmount(text);
  if (amount !== undefined && amount >= 0n && amount <= creditsMost) return amount;
  throw wrong(param, `"${text}" is no amount from 0 to ${formatAmount(creditsMost)} with at most 12 decimals.`);
}

/** The end of the period in which a moment is, or that ends with it: bills are paid when a period closes, so grants end with one. */
function endOf(param: string, text: string, afterMs: number, { calendar }: RatedBook): number {
  const atMs = Date.parse(text);
  if (Number.isNaN(atMs)) throw wrong(param, `"${text}" is no moment.`);
  if (atMs <= afterMs) throw wrong(param, `${text} is not behind ${new Date(afterMs).toISOString()}.`);
  return calendar.periodAt(atMs - 1).endMs;
}

/** Credits of another currency than that of the bills would never be used. */
function currencyFor(asked: string | undefined, organisation: OrganisationId, atMs: number, book: RatedBook): string {
  const billed = new AllTerms(book).at(organisation, atMs).contract?.currency ?? book.currency;
  const currency = asked ?? billed;
  if (minorUnitDecimals(currency) === undefined) throw wrong("currency", `"${currency}" is no currency (ISO 4217).`);
  if (currency !== billed) throw wrong("currency", `The organisation is billed in ${billed}, and not in ${currency}.`);
  return currency;
}

function wrong(param: string, message: string): RefusalError {
  return new RefusalError(refuse("invalid_request", message, { param }));
}

/** What became of a wallet's grants, the oldest first. */
export async function walletHistory(
  { db }: BooksContext,
  wallet: { readonly organisation: OrganisationId; readonly currency: string },
  { limit, after }: Page,
): Promise<List<MovementRow> | Refusal> {
  const behind = after === undefined ? 0 : Number(after);
  if (!Number.isSafeInteger(behind)) return noNext();
  const rows = await movementsPage(db, { ...wallet, after: behind, limit: limit + 1 });
  return { items: rows.slice(0, limit), next: rows.length > limit ? String(rows[limit - 1]!.number) : null };
}
