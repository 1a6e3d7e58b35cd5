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
  outcome: z.enum(["asked", "done", "refused", "failed"]),
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

export const operators = listOf(operator);
export const auditEntries = listOf(auditEntry);

export type Operator = z.output<typeof operator>;
export type CreatedOperator = z.output<typeof createdOperator>;
export type AuditEntry = z.output<typeof auditEntry>;
