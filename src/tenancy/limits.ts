import { type Amount, formatAmount, parseAmount, refuse, RefusalError, zero } from "../base/index.ts";

/** Limits as they are asked for: undefined stays as it is, null takes it away. */
export interface LimitChanges {
  readonly models?: readonly string[] | null | undefined;
  readonly requestsPerMinute?: number | null | undefined;
  readonly tokensPerMinute?: number | null | undefined;
  /** Decimal string. */
  readonly monthlyBudget?: string | null | undefined;
  /** ISO 8601. */
  readonly expiresAt?: string | null | undefined;
}

/** Limits as they are told: null is "not limited here". */
export interface LimitsTold {
  readonly models: string[] | null;
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly monthlyBudget: string | null;
  readonly expiresAt: string | null;
}

/** Limits as the tables have them. */
export interface LimitRow {
  readonly models: string[] | null;
  readonly requestsPerMinute: string | null;
  readonly tokensPerMinute: string | null;
  readonly monthlyBudget: string | null;
  readonly expiresAt: Date | null;
}

const none: LimitRow = {
  models: null,
  requestsPerMinute: null,
  tokensPerMinute: null,
  monthlyBudget: null,
  expiresAt: null,
};

export function mergeLimits(before: LimitRow | undefined, changes: LimitChanges): LimitRow {
  const { models, requestsPerMinute, tokensPerMinute, monthlyBudget, expiresAt } = before ?? none;
  return {
    models: changes.models === undefined ? models : changes.models && [...changes.models],
    requestsPerMinute: merged(requestsPerMinute, changes.requestsPerMinute, String),
    tokensPerMinute: merged(tokensPerMinute, changes.tokensPerMinute, String),
    monthlyBudget: merged(monthlyBudget, changes.monthlyBudget, (text) => text),
    expiresAt: merged(expiresAt, changes.expiresAt, (text) => new Date(text)),
  };
}

function merged<Kept, Asked>(before: Kept | null, asked: Asked | null | undefined, read: (asked: Asked) => Kept) {
  if (asked === undefined) return before;
  return asked === null ? null : read(asked);
}

export function limitsTold(row: LimitRow): LimitsTold {
  return {
    models: row.models,
    requestsPerMinute: row.requestsPerMinute === null ? null : Number(row.requestsPerMinute),
    tokensPerMinute: row.tokensPerMinute === null ? null : Number(row.tokensPerMinute),
    monthlyBudget: row.monthlyBudget === null ? null : formatAmount(budgetOf(row.monthlyBudget)),
    expiresAt: row.expiresAt?.toISOString() ?? null,
  };
}

/** A child never holds more than its parent: refuses, by throwing, naming the field and the parent's value. */
export function withinParent(child: LimitRow, parent: LimitRow, level: string): void {
  const beyond = child.models?.find((model) => parent.models !== null && !parent.models.includes(model));
  if (beyond !== undefined) throw exceeds("models", `"${beyond}"`, level, someOf(parent.models ?? []));
  for (const field of ["requestsPerMinute", "tokensPerMinute", "monthlyBudget"] as const) {
    const [asked, held] = [child[field], parent[field]];
    if (asked !== null && held !== null && budgetOf(asked) > budgetOf(held)) throw exceeds(field, asked, level, held);
  }
  const [asked, held] = [child.expiresAt, parent.expiresAt];
  if (asked !== null && held !== null && asked > held) {
    throw exceeds("expiresAt", asked.toISOString(), level, held.toISOString());
  }
}

/** An end that is over already is a slip of the pen: refuses it by throwing. */
export function refusePast(expiresAt: Date | null, now: Date): void {
  if (expiresAt === null || expiresAt > now) return;
  const message = `\`limits.expiresAt\`: ${expiresAt.toISOString()} lies in the past: it is ${now.toISOString()} now.`;
  throw new RefusalError(refuse("invalid_request", message, { param: "limits.expiresAt" }));
}

function someOf(models: readonly string[]): string {
  const shown = models.slice(0, 10).join(", ");
  return models.length > 10 ? `${shown} and ${models.length - 10} more` : shown;
}

function exceeds(field: string, asked: string, level: string, held: string): RefusalError {
  const param = `limits.${field}`;
  const message = `\`${param}\`: ${asked} is more than the ${level} holds (${held}).`;
  return new RefusalError(refuse("exceeds_parent", message, { param }));
}

/** `numeric` holds more than an amount does: what cannot be read is no budget at all, never an unlimited one. */
export function budgetOf(text: string): Amount {
  return parseAmount(text.replace(/(\.\d{12})\d+$/, "$1")) ?? zero;
}
