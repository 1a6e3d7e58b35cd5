import { z } from "zod";
import { formatAmount, parseAmount, tiers } from "../../base/index.ts";

/** The most rows that one answer holds. */
export const mostRows = 1000;

/** Whether a text holds nothing that no name, no database's text (NUL) and no invoice's XML can: control characters, and halves of characters. */
export function isOneLine(text: string): boolean {
  return !/\p{Cc}/u.test(text) && text.isWellFormed();
}

export const notOneLine = "no control characters";

/** A text of one line. */
export function oneLine(charactersMost: number) {
  return z.string().max(charactersMost).refine(isOneLine, notOneLine);
}

/** Names or ids are accepted everywhere; a project may also be named as organisation/project. */
export const reference = z
  .string()
  .min(1)
  .max(200)
  .refine(isOneLine, notOneLine)
  .meta({ description: "A name or an id; a project also as organisation/project." });

/** What somebody writes, for people to read. */
export const words = oneLine(500).min(1);

/** The name of something new. */
export const newName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "1 to 64 letters, digits, dots, underscores and hyphens")
  .meta({ description: "1 to 64 letters, digits, dots, underscores and hyphens." });

export const instant = z.iso.datetime({ offset: true }).meta({ description: "An instant, as ISO 8601 has it." });

/** Milliseconds since 1970 as ISO 8601 in UTC. */
export function instantOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

export const day = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'a day such as "2026-01-31"')
  .refine((text) => {
    const atMs = Date.parse(text);
    return !Number.isNaN(atMs) && new Date(atMs).toISOString().startsWith(text);
  }, "a day that exists")
  .meta({ description: "A day in UTC." });

export const decimal = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/, 'a decimal string such as "12.50"')
  .meta({ description: "A decimal string: money never passes through a float." });

const budget = z
  .string({ error: 'must be a decimal string such as "12.50"' })
  .refine((text) => {
    const amount = parseAmount(text);
    return amount !== undefined && amount >= 0n;
  }, 'a decimal string such as "12.50", at least 0, with at most 12 decimals')
  .transform((text) => formatAmount(parseAmount(text)!))
  .meta({ description: "A decimal string in the price book's currency." });

const rate = z.int().min(0).max(1_000_000_000_000);
const modelNames = z.array(oneLine(200).min(1)).max(1000);

/** Limits as they are asked for: one that is left out stays as it is, null takes it away. */
export const limitChanges = z.strictObject({
  models: modelNames.nullable().optional().meta({ description: "Models that may be used; null: all." }),
  requestsPerMinute: rate.nullable().optional().meta({ description: "Requests a minute; null: not limited here." }),
  tokensPerMinute: rate.nullable().optional().meta({ description: "Tokens a minute; null: not limited here." }),
  monthlyBudget: budget.nullable().optional(),
  expiresAt: instant.nullable().optional().meta({ description: "The end of its use; null: none." }),
});

/** Limits as they are told: null is "not limited here" (its parents' limits hold all the same). */
export const limits = z.object({
  models: z.array(z.string()).nullable(),
  requestsPerMinute: z.number().nullable(),
  tokensPerMinute: z.number().nullable(),
  monthlyBudget: decimal.nullable(),
  expiresAt: z.string().nullable(),
});

export const dataClass = oneLine(64).min(1).meta({
  description: "public, internal, personal, special-category, restricted, or one that the policy document declares.",
});

const places = z.array(oneLine(60).min(2).toUpperCase()).max(100);
const processing = places.meta({
  description: "Countries, subdivisions or groups (DE, DE-BE, EU, EEA, own ones); empty: not restricted.",
});

const count = z.int().min(0).max(10_000_000_000);

/** As it is asked for and as it is told. */
export const exported = z
  .strictObject({
    year: z
      .int()
      .min(2000)
      .max(9999)
      .meta({ description: "The calendar year, in China; of another one nothing counts." }),
    individuals: count.meta({ description: "Whose information left China since 1 January." }),
    sensitiveIndividuals: count.meta({ description: "Whose sensitive information did." }),
    mechanisms: z
      .array(z.enum(["security-assessment", "standard-contract", "certification"]))
      .max(3)
      .default([]),
    isCriticalInfrastructure: z.boolean().default(false),
    hasImportantData: z.boolean().default(false),
  })
  .meta({ description: "What the tenant declares to have exported from China." });

export const projectRules = {
  dataClass: dataClass.optional(),
  processing: processing.optional(),
  storage: places
    .nullable()
    .optional()
    .meta({ description: "Where its data may rest; null: where it may be processed; empty: not restricted." }),
  regimes: z
    .array(oneLine(100).min(1))
    .min(1)
    .max(50)
    .nullable()
    .optional()
    .meta({ description: "What holds for its data; null: what the policy document says of its data class." }),
  country: oneLine(60)
    .min(2)
    .nullable()
    .optional()
    .meta({ description: "The one country of the regime `national`; null: none." }),
  exported: exported.nullable().optional(),
  unsupported: z
    .enum(["refuse", "warn"])
    .optional()
    .meta({ description: "What happens to a parameter that the engine lacks." }),
  tier: z.enum(tiers).optional().meta({ description: "What its requests are promised, as the settings say." }),
  weight: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: "What it has of a pool that is short, beside a project of weight 1." }),
  keepContentSeconds: z
    .union([z.int().min(60).max(315_360_000), z.literal("default")])
    .nullable()
    .optional()
    .meta({
      description: "For how long what is asked and answered is kept; `default`: as the settings say; null: not.",
    }),
};

/** The part of a list that is asked for. */
export const page = {
  limit: z.coerce.number().int().min(1).max(mostRows).default(100).meta({ description: "The most rows to answer." }),
  after: z.string().min(1).max(2_000).optional().meta({ description: "`next` of the answer before." }),
};

/** The page that a list's query asks for. */
export function pageOf(query: { readonly limit: number; readonly after?: string | undefined }) {
  return { limit: query.limit, after: query.after };
}

/** A part of a list: `next` asks for the part behind it; null: this was the last. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}
