import { z } from "zod";
import { keyPermissions, keyReaches } from "../../base/index.ts";
import { listOf } from "./fields.ts";

// What the control API answers of operators, and of what tenants may ask for.

export const operator = z.object({
  id: z.string(),
  name: z.string(),
  country: z.string().nullable().meta({ description: "Where this person works: ISO 3166. Null: nobody has said." }),
  createdAt: z.string(),
  createdBy: z.string(),
  revokedAt: z.string().nullable(),
});

export const createdOperator = operator.extend({
  token: z.string().meta({ description: "The token. It is shown this once: only its digest is kept." }),
});

const value = z.unknown();

export const auditEntry = z.object({
  v: z.literal(1),
  number: z.int(),
  at: z.string(),
  request: z.string(),
  actor: z.object({ kind: z.enum(["operator", "key", "system"]), name: z.string() }),
  action: z.string(),
  outcome: z.enum(["asked", "begun", "done", "broken", "refused", "failed"]),
  code: z.string().nullable(),
  organisation: z.string().nullable(),
  project: z.string().nullable(),
  object: z.string().nullable(),
  changes: z
    .record(z.string(), z.tuple([value, value]))
    .meta({ description: "By member: what it was and what it is." }),
  previous: z.string(),
  hash: z.string(),
});

export const keyRights = {
  permissions: z
    .array(z.enum(keyPermissions))
    .min(1)
    .max(keyPermissions.length)
    .meta({ description: "What it may do: ask models (`use`), or use its tenant's rights." }),
  reach: z.enum(keyReaches).meta({ description: "Whose rights it uses: its project's, or its organisation's." }),
};

export const storedListing = z.object({
  request: z.string(),
  organisation: z.string(),
  project: z.string(),
  at: z.string(),
  until: z.string().meta({ description: "When it goes." }),
  dataClass: z.string(),
  model: z.string(),
  endpoint: z.string(),
  hasSubject: z.boolean().meta({ description: "Whether a person's pseudonym was named." }),
});

const bytes = z
  .object({ text: z.string().nullable(), base64: z.string().nullable() })
  .meta({ description: "The exact bytes: as text where they are UTF-8, else as base64." });

export const storedContent = storedListing.extend({
  subject: z.string().nullable(),
  complete: z.boolean().meta({ description: "False: the client left early, and got a part." }),
  input: bytes,
  output: bytes,
});

export const grant = z.object({
  id: z.string(),
  organisation: z.string(),
  project: z.string(),
  operator: z.string(),
  reason: z.string(),
  seconds: z.int().meta({ description: "How long it holds from its approval on." }),
  askedAt: z.string(),
  askedBy: z.string(),
  approvedAt: z.string().nullable(),
  approvedBy: z.string().nullable().meta({ description: "The id of a key of the tenant's." }),
  until: z.string().nullable(),
  endedAt: z.string().nullable(),
  endedBy: z.string().nullable(),
  state: z.enum(["asked", "active", "over", "ended"]),
});

export const erasure = z.object({
  id: z.string(),
  kind: z.enum(["request", "subject", "project", "organisation"]),
  organisation: z.string(),
  project: z.string().nullable(),
  askedAt: z.string(),
  askedBy: z.string(),
  reason: z.string().nullable(),
  state: z.enum(["running", "done"]),
  steps: z.array(z.string()).meta({ description: "Those that are over." }),
  finishedAt: z.string().nullable(),
  blinding: z.string().meta({ description: "The key by which the statement's ids are blinded, hex: HMAC-SHA-256." }),
  statement: z.string().nullable().meta({ description: "The signed file's exact text (docs/reference/erasure.md)." }),
});

export const exit = z.object({
  id: z.string(),
  organisation: z.string(),
  noticedAt: z.string(),
  noticeUntil: z.string(),
  transitionUntil: z.string(),
  retrievalUntil: z.string().meta({ description: "Until then the tenant can fetch its data." }),
  askedBy: z.string(),
  fee: z.literal("none"),
  state: z.enum(["notice", "transition", "retrieval", "due", "finished"]),
  finishedAt: z.string().nullable(),
  erasure: z.string().nullable(),
});

/** One thing that a tenant owns; the last one is `end`. */
export const exportLine = z.object({ part: z.string(), row: z.unknown() });

export const exits = listOf(exit);
export type Exit = z.output<typeof exit>;
export const erasures = listOf(erasure);
export type Erasure = z.output<typeof erasure>;
export const grants = listOf(grant);
export const storedListings = listOf(storedListing);
export type Grant = z.output<typeof grant>;
export type StoredListing = z.output<typeof storedListing>;
export type StoredContent = z.output<typeof storedContent>;

export const operators = listOf(operator);
export const auditEntries = listOf(auditEntry);

export type Operator = z.output<typeof operator>;
export type CreatedOperator = z.output<typeof createdOperator>;
export type AuditEntry = z.output<typeof auditEntry>;
