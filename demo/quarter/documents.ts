/** What was issued. */
import type { RunningCloud } from "../../test/end-to-end/cloud.ts";
import type { Document } from "./bills.ts";
import { allOf } from "./tokens.ts";

/** Invoices of these months, and what was credited of them since. */
export async function documentsOf(cloud: RunningCloud, months: readonly string[]): Promise<readonly Document[]> {
  const documents: Document[] = [];
  for (const month of months) {
    const rows = await allOf<{ document: Document }>(cloud, `/invoice-documents?period=${month}`);
    documents.push(...rows.map(({ document }) => document));
  }
  return documents;
}
