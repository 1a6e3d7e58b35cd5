import { csvLine } from "../../base/index.ts";
import type { AccountKind } from "./accounts.ts";

/** A transaction as it is written down for programs of plain-text accounting. */
export interface WrittenTransaction {
  readonly number: number;
  readonly kind: string;
  /** The day by the price book's clock: "2026-03-31". */
  readonly date: string;
  readonly period: string;
  readonly reference: string;
  /** Of the invoice or credit note that it belongs to; null: of none, or none was issued. */
  readonly documentNumber: string | null;
  readonly postings: readonly {
    readonly posting: string;
    readonly account: string;
    readonly organisation: string | null;
    /** What it is called now. */
    readonly organisationName: string | null;
    readonly currency: string;
    readonly amount: string;
  }[];
}

export interface WrittenAccount {
  readonly account: string;
  readonly kind: AccountKind;
}

/** How a ledger is written: what comes first, and each transaction. */
export interface PlainText {
  opening(accounts: readonly WrittenAccount[], currencies: readonly string[]): string;
  entry(transaction: WrittenTransaction): string;
}

type PlainTextFormat = "beancount" | "hledger" | "csv";

const roots: Readonly<Record<AccountKind, string>> = { asset: "Assets", liability: "Liabilities", income: "Income" };

/** "tax-payable/CN" -> "Liabilities:Tax-Payable:CN", as Beancount wants every part to begin. */
function accountName({ account, kind }: WrittenAccount): string {
  const parts = account.split("/").map((part) => part.replaceAll(/(^|-)[a-z]/g, (first) => first.toUpperCase()));
  return [roots[kind], ...parts].join(":");
}

export function plainText(format: PlainTextFormat, kindOf: (account: string) => AccountKind): PlainText {
  const nameOf = (account: string): string => accountName({ account, kind: kindOf(account) });
  return { beancount, hledger, csv }[format](nameOf);
}

/** Beancount 3, and 2: https://beancount.github.io/docs/beancount_language_syntax.html */
function beancount(nameOf: (account: string) => string): PlainText {
  return {
    opening: (accounts) =>
      [
        'option "title" "Bailiwick"',
        ...accounts.map(({ account }) => `1970-01-01 open ${nameOf(account)}`),
        "",
        "",
      ].join("\n"),
    entry: ({ number, kind, date, period, reference, documentNumber, postings }) =>
      [
        `${date} * "${kind} ${period}" "${reference}"`,
        `  transaction: "${number}"`,
        ...(documentNumber === null ? [] : [`  document-number: "${quoted(documentNumber)}"`]),
        ...postings.flatMap(({ account, amount, currency, organisation, organisationName }) => [
          `  ${nameOf(account)}  ${amount} ${currency}`,
          ...(organisation === null ? [] : [`    organisation: "${organisation}"`]),
          ...(organisationName === null ? [] : [`    customer: "${quoted(organisationName)}"`]),
        ]),
        "",
        "",
      ].join("\n"),
  };
}

/** hledger 1.25 and later, also with --strict: https://hledger.org/hledger.html#journal */
function hledger(nameOf: (account: string) => string): PlainText {
  return {
    opening: (accounts, currencies) =>
      [
        "decimal-mark .",
        // By these decimals it holds transactions against each other: all that the ledger has.
        ...currencies.map((currency) => `commodity 1000.000000000000 ${currency}`),
        ...accounts.map(
          ({ account, kind }) => `account ${nameOf(account)}  ; type: ${roots[kind].charAt(0).replace("I", "R")}`,
        ),
        "",
        "",
      ].join("\n"),
    entry: ({ number, kind, date, period, reference, documentNumber, postings }) =>
      [
        `${date} * (${number}) ${kind} ${period}  ; reference: ${reference}${tagged("document-number", documentNumber)}`,
        ...postings.map(
          ({ account, amount, currency, organisation, organisationName }) =>
            `    ${nameOf(account)}  ${amount} ${currency}${organisation === null ? "" : `  ; organisation: ${organisation}${tagged("customer", organisationName)}`}`,
        ),
        "",
        "",
      ].join("\n"),
  };
}

const csvColumns =
  "posting date period kind reference account organisation currency amount customer document-number".split(" ");

function csv(): PlainText {
  return {
    opening: () => csvLine(csvColumns),
    entry: ({ date, period, kind, reference, documentNumber, postings }) =>
      postings
        .map(({ posting, account, organisation, currency, amount, organisationName }) => {
          const facts = [posting, date, period, kind, reference, account, organisation ?? "", currency, amount];
          return csvLine(facts.concat(organisationName ?? "", documentNumber ?? ""));
        })
        .join(""),
  };
}

/** Within quotation marks, on one line. */
function quoted(text: string): string {
  return oneLine(text).replaceAll(/["\\]/g, (mark) => `\\${mark}`);
}

/** A further tag of a comment: a comma would end it. */
function tagged(tag: string, value: string | null): string {
  return value === null ? "" : `, ${tag}: ${oneLine(value).replaceAll(",", " ")}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, " ");
}
