import type { Invoice } from "../invoicing/index.ts";
import { type Charge, chargesOf } from "./charges.ts";
import { type Column, columnsOf, type FocusVersion } from "./columns.ts";

/** Invoices as CSV (RFC 4180), part by part, so that memory does not grow with them. A null is an empty field. */
export function* focusCsv(invoices: Iterable<Invoice>, version: FocusVersion): Generator<string> {
  const columns = columnsOf(version);
  yield `${columns.map(({ name }) => name).join(",")}\r\n`;
  for (const invoice of invoices) {
    for (const charge of chargesOf(invoice))
      yield `${columns.map((column) => field(told(column, charge))).join(",")}\r\n`;
  }
}

/** Decimals with a point, or readers take a column of whole numbers for one of integers. */
function told({ type, of }: Column, charge: Charge): string | null {
  const value = of(charge);
  return type === "decimal" && value !== null && !value.includes(".") ? `${value}.0` : value;
}

function field(value: string | null): string {
  if (value === null) return "";
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
