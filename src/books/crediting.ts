import { type InvoiceId, refuse, type Refusal, RefusalError, refusing } from "../base/index.ts";
import { type BillDocument, crediting, creditTax, kindOf, minorAmount, minorText } from "../ledger/index.ts";
import { addEntries, openPeriods, type TransactionRow, transactions } from "../store/index.ts";
import { hold } from "./accruing.ts";
import type { BooksContext } from "./context.ts";
import { postingsFor } from "./accruing.ts";

export interface Credit {
  readonly invoice: string;
  /** The revenue that is taken back: "revenue/accelerator-time". */
  readonly account: string;
  /** Without tax, as a decimal string. */
  readonly net: string;
}

export interface Credited extends Credit {
  readonly currency: string;
  readonly tax: string;
  readonly gross: string;
}

/** Takes a part of an invoice back, with its tax: posted into the period that is open now; the invoice stays as it is. */
export async function credit(context: BooksContext, { invoice, account, net }: Credit): Promise<Credited | Refusal> {
  return refusing(() =>
    context.db.transaction().execute(async (transaction) => {
      const { book } = await hold(context, transaction);
      const row = await transaction
        .selectFrom("invoices")
        .select(["organisation", "currency", "bill"])
        .where("id", "=", invoice as InvoiceId)
        .forUpdate()
        .executeTakeFirst();
      if (row === undefined)
        throw new RefusalError(refuse("not_found", `There is no invoice ${invoice}.`, { param: "invoice" }));
      const { currency, organisation } = row;
      const units = minorAmount(net, currency);
      if (units === undefined || units <= 0n) {
        throw new RefusalError(
          refuse("invalid_request", `"${net}" is no amount of ${currency} above 0.`, { param: "net" }),
        );
      }
      const posted = (await transactions(transaction, { reference: invoice, limit: 10_000 })).filter(
        ({ kind }) => kind === "bill" || kind === "credit",
      );
      const left = leftOf(posted, account, currency);
      if (kindOf(account) !== "income" || units > left) {
        const message = `Of ${account} of ${invoice} ${minorText(left, currency)} ${currency} are left, and not ${net}.`;
        throw new RefusalError(refuse("credit_exceeds_invoice", message, { param: "net" }));
      }
      const bill = JSON.parse(row.bill) as BillDocument;
      const tax = creditTax(bill, units, book.rounding);
      const nowMs = context.clock.nowMs();
      const period = book.calendar.periodAt(nowMs);
      await openPeriods(transaction, [period]);
      const jurisdiction = bill.taxJurisdiction ?? undefined;
      const postings = postingsFor(organisation, crediting({ account, currency, net: units, tax, jurisdiction }));
      await addEntries(
        transaction,
        [{ kind: "credit", period: period.name, atMs: nowMs, reference: invoice, postings }],
        nowMs,
      );
      return {
        invoice,
        account,
        currency,
        net: minorText(units, currency),
        tax: minorText(tax, currency),
        gross: minorText(units + tax, currency),
      };
    }),
  );
}

/** What an invoice has earned in an account and was not taken back. Minor units. */
function leftOf(posted: readonly TransactionRow[], account: string, currency: string): bigint {
  const mine = posted.flatMap(({ postings }) => postings.filter((posting) => posting.account === account));
  return mine.reduce((sum, { amount }) => sum - minorAmount(amount, currency)!, 0n);
}
