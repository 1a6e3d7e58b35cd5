import { createHmac } from "node:crypto";
import type { CanonicalValue } from "../base/index.ts";
import { cacheText } from "./caches.ts";
import type { Erasing, Progress } from "./progress.ts";

/** What a signed statement of an erasure is by type (docs/reference/erasure.md). */
export const erasureType = "application/vnd.bailiwick.erasure+json;version=1";

/** Of more the count alone is stated. */
const blindedMax = 1_000;

/** Ids under a key that is the tenant's: whoever has neither learns nothing from them. */
export function blind(key: string, id: string): string {
  return createHmac("sha256", Buffer.from(key, "hex")).update(id).digest("hex");
}

/** What the law keeps, and why; stated with every erasure, whatever there was. */
const keptWhy = {
  usage:
    "tokens and amounts by request: accounting records, kept as tax and commercial law ask; they say nothing of what was asked (GDPR art. 17(3)(b))",
  invoices:
    "invoices and credit notes as they were issued, with who the organisation was on them, and the ledger: kept as tax and commercial law ask (GDPR art. 17(3)(b))",
  audit: "who changed what: kept to show that the law was kept to (GDPR art. 5(2) and 17(3)(b) and (e))",
  log: "the transparency log's entries are salted hashes: without the receipt's salt, which is erased, they can be linked to nobody",
} as const;

export function statementOf(
  { id, kind, organisation, project, askedAt, askedBy, reason, blinding }: Erasing,
  progress: Progress,
  more: { readonly installation: string; readonly finishedAt: string },
): CanonicalValue {
  const { found, usageRows, documents, backups, stated, caches } = progress;
  const erased = Object.entries(found).map(([store, { count, ids }]) => ({
    store,
    count,
    ids: ids.slice(0, blindedMax).map((each) => blind(blinding, each)),
  }));
  return {
    v: 1,
    erasure: id,
    installation: more.installation,
    organisation,
    project,
    kind,
    of: stated,
    askedAt,
    askedBy,
    reason,
    finishedAt: more.finishedAt,
    erased,
    kept: [
      { store: "usage", count: usageRows, why: keptWhy.usage },
      ...(documents === undefined ? [] : [{ store: "invoices", count: documents, why: keptWhy.invoices }]),
      { store: "audit", count: null, why: keptWhy.audit },
      { store: "transparency-log", count: null, why: keptWhy.log },
    ],
    copies: {
      backups,
      caches: caches.map((each) => ({
        destination: each.destination,
        kind: each.kind,
        outcome: each.outcome,
        says: cacheText(each),
      })),
      contents: "sealed under keys that are destroyed: no backup holds them, and no copy opens any more",
      receipts: "in backups of before, until those are removed, and in the journal until its segment goes",
    },
  };
}
