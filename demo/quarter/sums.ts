/** What the quarter comes to, and whether everything that must be the same is. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunningCloud } from "../../test/end-to-end/cloud.ts";
import type { Document } from "./bills.ts";
import type { Quarter } from "./calendar.ts";
import { documentsOf } from "./documents.ts";
import type { UsageRecord } from "./generated.ts";
import type { Served } from "./serving.ts";
import { countTokens, type Tokens } from "./tokens.ts";

export interface Sum {
  readonly tokens: Tokens;
  /** Of invoices less credit notes, as decimal strings. */
  readonly net: string;
  readonly tax: string;
  readonly gross: string;
  readonly currency: string;
  readonly invoices: number;
  readonly creditNotes: number;
  readonly unmet: readonly string[];
}

export async function sumUp(
  cloud: RunningCloud,
  of: Quarter,
  folder: string,
  told: { readonly generated: readonly UsageRecord[]; readonly served: Served },
): Promise<Sum> {
  const documents = await documentsOf(cloud, of.months);
  const all = [...(await documentsOf(cloud, of.yearBefore)), ...documents];
  const invoices = documents.filter(({ kind }) => kind === "invoice");
  const invoiced = all.filter(({ kind }) => kind === "invoice");
  const { tokens, unmet } = await countTokens(cloud, invoiced);
  const money = (which: "net" | "tax" | "gross"): string =>
    textOf(documents.reduce((sum, each) => sum + signOf(each) * cents(each.totals[which]), 0n));
  return {
    tokens,
    net: money("net"),
    tax: money("tax"),
    gross: money("gross"),
    currency: documents[0]!.currency,
    invoices: invoices.length,
    creditNotes: documents.length - invoices.length,
    unmet: [
      ...unmet,
      ...unmetTokens(tokens, told),
      ...unmetNumbers(all),
      ...unmetFocus(documents, readFileSync(join(folder, "focus-1.2.csv"), "utf8")),
    ],
  };
}

function unmetTokens(
  { metered, invoiced, unbilled, unrated }: Tokens,
  { generated, served }: { readonly generated: readonly UsageRecord[]; readonly served: Served },
): readonly string[] {
  const records = generated.filter(({ sku }) => sku.endsWith("-tokens"));
  const sent = records.reduce((total, { quantity }) => total + quantity, 0) + served.tokens;
  // Each start asks itself once.
  const own = metered - sent;
  return [
    ...(own >= 0 && own < 10_000 ? [] : [`${sent} tokens were sent, and ${metered} metered`]),
    ...(Math.min(invoiced, unbilled, unrated) > 0 ? [] : ["some kind of tokens is not shown at all"]),
  ];
}

/** A series is one of its kind and year. */
function unmetNumbers(documents: readonly Document[]): readonly string[] {
  const series = Map.groupBy(documents, ({ number }) => number.replace(/\d+$/, ""));
  return [...series].flatMap(([name, members]) => {
    const numbers = members.map(({ number }) => Number(number.slice(name.length)));
    const isWhole = numbers.toSorted((a, b) => a - b).every((number, at) => number === at + 1);
    return isWhole ? [] : [`numbers of the series ${name} have a gap`];
  });
}

/** The sum of BilledCost of an invoice is what it asks for, to the cent. */
function unmetFocus(documents: readonly Document[], csv: string): readonly string[] {
  const [head, ...rows] = csv.trimEnd().split(/\r?\n/).map(cellsOf);
  const [invoiceAt, costAt] = ["InvoiceId", "BilledCost"].map((name) => head!.indexOf(name)) as [number, number];
  const sums = new Map<string, bigint>();
  for (const row of rows) sums.set(row[invoiceAt]!, (sums.get(row[invoiceAt]!) ?? 0n) + atoms(row[costAt]!));
  return documents.flatMap((each) => {
    const asked = signOf(each) * atoms(each.totals.payable);
    return sums.get(each.number) === asked ? [] : [`FOCUS bills something else than ${each.number}`];
  });
}

function cellsOf(line: string): readonly string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

function signOf({ kind }: Document): bigint {
  return kind === "invoice" ? 1n : -1n;
}

/** Of 10^-18, as FOCUS has them. */
function atoms(text: string): bigint {
  const [, sign, whole = "", decimals = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  return BigInt(`${whole}${decimals.padEnd(18, "0")}`) * (sign === "-" ? -1n : 1n);
}

function cents(text: string): bigint {
  return atoms(text) / 10n ** 16n;
}

function textOf(value: bigint): string {
  const digits = String(value < 0n ? -value : value).padStart(3, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
