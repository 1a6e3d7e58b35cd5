import { z } from "zod";
import { price } from "./value-schema.ts";

const modelPrice = z.strictObject({
  inputPerMillion: price.describe("Price of a million input tokens, as a decimal string."),
  cachedInputPerMillion: price
    .optional()
    .describe("Price of a million input tokens that came from the prefix cache; left out: as inputPerMillion."),
  outputPerMillion: price.describe("Price of a million output tokens."),
  reasoningPerMillion: price
    .optional()
    .describe("Price of a million reasoning tokens, which are part of the output; left out: as outputPerMillion."),
});

/** ISO 8601: a date (midnight UTC) or an instant in UTC. */
const instant = z
  .string()
  .regex(
    /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$/,
    'a date such as "2026-01-01", or an instant such as "2026-01-01T12:00:00Z"',
  )
  .refine(exists, "a date that exists");

/** The 30th of February parses, as a day in March: so what was parsed must read the same. */
function exists(text: string): boolean {
  const atMs = Date.parse(text);
  return !Number.isNaN(atMs) && new Date(atMs).toISOString().startsWith(text.replace("Z", ""));
}

export const priceVersion = z.strictObject({
  version: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "1 to 64 letters, digits, dots, underscores and hyphens")
    .describe("The version's name; each request and receipt carries it."),
  effectiveFrom: instant.describe("The first moment it holds: a date (midnight UTC) or an instant in UTC."),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'an ISO 4217 code such as "EUR"')
    .describe("ISO 4217. All versions share one, because budgets have no currency of their own."),
  models: z.record(z.string().min(1).max(200), modelPrice).describe('Prices by model name; "*" is every other model.'),
});
