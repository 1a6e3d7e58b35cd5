import { round } from "../ledger/index.ts";
import { decimalOf, type Invoice } from "../invoicing/index.ts";
import { chargesOf } from "./charges.ts";
import { type Column, columnsOf, type FocusVersion } from "./columns.ts";

/** Decimals as Parquet has them: 38 digits, of them 18 behind the point. */
const [precision, scale] = [38, 18];

/** Invoices as one Parquet file: decimals as DECIMAL, instants as timestamps. Held as a whole. */
export async function focusParquet(invoices: Iterable<Invoice>, version: FocusVersion): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const columns = columnsOf(version);
  const charges = [...invoices].flatMap(chargesOf);
  const buffer = parquetWriteBuffer({
    columnData: columns.map((column) => ({
      name: column.name,
      data: charges.map((charge) => valueOf(column, column.of(charge))),
    })),
    schema: [{ name: "root", num_children: columns.length }, ...columns.map(elementOf)],
    createdBy: "bailiwick",
    kvMetadata: [{ key: "FocusVersion", value: version }],
  });
  return new Uint8Array(buffer);
}

function valueOf({ type }: Column, text: string | null): string | bigint | Date | null {
  if (text === null || type === "string") return text;
  return type === "decimal" ? round(decimalOf(text), scale, "half-up") : new Date(text);
}

function elementOf({ name, type }: Column) {
  const element = { name, repetition_type: "OPTIONAL" } as const;
  if (type === "string") return { ...element, type: "BYTE_ARRAY", converted_type: "UTF8" } as const;
  if (type === "datetime") {
    const logical = { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" } as const;
    return { ...element, type: "INT64", converted_type: "TIMESTAMP_MILLIS", logical_type: logical } as const;
  }
  return {
    ...element,
    type: "FIXED_LEN_BYTE_ARRAY",
    type_length: 16,
    converted_type: "DECIMAL",
    precision,
    scale,
    logical_type: { type: "DECIMAL", precision, scale },
  } as const;
}
