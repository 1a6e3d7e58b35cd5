import { isId, type OrganisationId, refuse, type Refusal } from "../base/index.ts";
import type { Operations } from "../gateway/index.ts";
import { behind, invoicesPage, type InvoiceRow, type List, pageOf } from "../store/index.ts";
import type { OperationParts } from "./parts.ts";

type Books = Operations["books"];
type Invoice = Exclude<Awaited<ReturnType<Books["invoices"]>>, Refusal>["items"][number];

/** Invoices of an organisation, or of a period, or all. */
export async function invoicePage(
  { store, tenancy }: OperationParts,
  { organisation, period }: Parameters<Books["invoices"]>[0],
  page: Parameters<Books["invoices"]>[1],
): Promise<List<Invoice> | Refusal> {
  const found = organisation === undefined ? undefined : await tenancy.showOrganisation(organisation);
  if (found !== undefined && "outcome" in found) return found;
  const rows = await invoicesPage(store.db, {
    ...(found && { organisation: found.id as OrganisationId }),
    ...(period !== undefined && { period }),
    after: behind("inv", page),
    limit: page.limit + 1,
  });
  return pageOf(rows, page, invoiceOf);
}

export async function wholeInvoice({ store }: OperationParts, invoice: string): ReturnType<Books["showInvoice"]> {
  const [row] = isId("inv", invoice) ? await invoicesPage(store.db, { id: invoice, limit: 1 }) : [];
  if (row === undefined) return refuse("not_found", `There is no invoice ${invoice}.`, { param: "invoice" });
  return { ...invoiceOf(row), bill: JSON.parse(row.bill) as Record<string, unknown> };
}

function invoiceOf({ organisation, organisationName, createdAt, ...row }: InvoiceRow): Invoice {
  return {
    ...row,
    organisation: { id: organisation, name: organisationName ?? organisation },
    createdAt: createdAt.toISOString(),
  };
}
