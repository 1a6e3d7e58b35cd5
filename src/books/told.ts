import type { Refusal } from "../base/index.ts";
import { type List, type Page, toldUsage as findToldUsage, type ToldUsage } from "../store/index.ts";
import type { BooksContext } from "./context.ts";
import { cursorOf, noNext, pageOf, textsOf } from "./cursors.ts";

/** What other services have told, added up by SKU; days in UTC, both included. */
export async function toldUsage(
  { db }: BooksContext,
  { organisation, from, to }: { readonly organisation?: string; readonly from?: string; readonly to?: string },
  { limit, after }: Page,
): Promise<List<ToldUsage> | Refusal> {
  const key = after === undefined ? undefined : textsOf(after);
  if (after !== undefined && key?.length !== 2) return noNext();
  const rows = await findToldUsage(db, {
    ...(organisation && { organisation }),
    ...(from && { fromDay: from }),
    ...(to && { toDay: to }),
    ...(key && { after: key as [string, string] }),
    limit: limit + 1,
  });
  return pageOf(rows, limit, (row) => cursorOf([row.organisation, row.sku]));
}
