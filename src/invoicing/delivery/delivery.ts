import type { Refusal } from "../../base/index.ts";
import type { Paper } from "../formats/papers.ts";

/**
 * Hands an invoice over to where its buyer takes it: Peppol, a national portal, a folder. Delivering the same bytes again
 * is delivering them once; other bytes under the same name are refused, because an invoice never changes.
 */
export interface Delivery {
  deliver(paper: Paper): Promise<Delivered>;
}

export type Delivered =
  /** Where it lies now; `isNew` is false where it lay there already. */
  { readonly outcome: "delivered"; readonly place: string; readonly isNew: boolean } | Refusal;
