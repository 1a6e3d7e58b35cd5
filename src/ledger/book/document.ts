import { z } from "zod";
import { parseFraction } from "./fraction.ts";
import { parseQuantity } from "./quantity.ts";

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "must be 1 to 64 letters, digits, dots, underscores and hyphens");

/** As in usage: another system's id is taken as it is. */
const customer = z.string().min(1).max(200);

const money = z
  .string({ error: 'must be a decimal in quotes, such as "0.0000008": a float is no amount of money' })
  .refine(
    (text) => isFrom0(parseFraction(text)),
    'must be a decimal string from 0 with at most 12 decimals, such as "2.50"',
  )
  .transform((text) => parseFraction(text)!);

const percent = z
  .union([z.int(), z.string()], { error: 'must be a whole number or a decimal string, such as 50 or "12.5"' })
  .refine((value) => isPercent(parseFraction(String(value))), "must be from 0 to 100")
  .transform((value) => parseFraction(String(value))!);

const units = z
  .union([z.int(), z.string()], { error: "must be a whole number or a decimal string" })
  .refine((value) => (parseQuantity(String(value)) ?? 0n) > 0n, "must be a quantity above 0, of 15 digits at most")
  .transform((value) => parseQuantity(String(value))!);

const day = /^\d{4}-\d{2}-\d{2}$/;
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;

const moment = z
  .string()
  .refine(
    (text) => (day.test(text) || instant.test(text)) && exists(text),
    'must be a day such as "2026-01-01" (its midnight in the time zone), or an instant with its zone',
  );

/** The 30th of February parses, as a day in March: so what was parsed must read the same. */
function exists(text: string): boolean {
  const date = text.slice(0, 10);
  const atMs = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(Date.parse(text)) && new Date(atMs).toISOString().startsWith(date);
}

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of the day, such as "22:00"');

const rates = {
  unitPrice: money.optional(),
  pricePerMillion: money.optional(),
  pricePerHour: money.optional(),
};

const tier = z.strictObject({ ...rates, upTo: units.optional(), flatFee: money.optional() });
const packagePrice = z.strictObject({ size: units, price: money });

const price = z.strictObject({
  sku: z.string().regex(/^[A-Za-z0-9*][\w.:@/*-]{0,199}$/, "must be 1 to 200 letters, digits and . : @ / _ -"),
  ...rates,
  package: packagePrice.optional(),
  graduated: z.array(tier).min(1).max(100).optional(),
  volume: z.array(tier).min(1).max(100).optional(),
  freeGrant: units.optional(),
  batchDiscountPercent: percent.optional(),
  offPeakDiscountPercent: percent.optional(),
  minimum: money.optional(),
});

const effective = { version: name, effectiveFrom: moment, effectiveTo: moment.optional() };
const prices = z.array(price).max(100_000);
const listVersion = z.strictObject({ ...effective, prices: prices.min(1) });

const contractVersion = z.strictObject({
  ...effective,
  prices: prices.default([]),
  discountPercent: percent.optional(),
  commitment: money.optional(),
});

const contract = z.strictObject({
  contract: name,
  customer,
  currency: z.string().optional(),
  versions: z.array(contractVersion).min(1).max(1_000),
});

const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"] as const;

const offPeak = z.strictObject({
  from: clock.optional(),
  to: clock.optional(),
  days: z.array(z.enum(weekdays)).max(7).default([]),
});

const jurisdiction = z.string().regex(/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/, "must be a country or subdivision (ISO 3166)");

const tax = z.strictObject({
  jurisdiction,
  name: z.string().min(1).max(50).default("VAT"),
  percent,
  effectiveFrom: moment.optional(),
});

const taxedCustomer = z.strictObject({ customer, jurisdiction, reverseCharge: z.boolean().default(false) });

/** A price book as its file has it. What no single value shows is checked behind it, in `reading.ts`. */
export const bookDocument = z.strictObject({
  name: name.optional(),
  currency: z.string(),
  timeZone: z.string().default("UTC"),
  period: z.enum(["month", "quarter", "year"]).default("month"),
  rounding: z.enum(["half-up", "half-even"]).default("half-up"),
  offPeak: offPeak.optional(),
  versions: z.array(listVersion).max(1_000).default([]),
  contracts: z.array(contract).max(100_000).default([]),
  taxes: z.array(tax).max(1_000).default([]),
  jurisdiction: jurisdiction.optional(),
  customers: z.array(taxedCustomer).max(1_000_000).default([]),
});

export type BookDocument = z.output<typeof bookDocument>;
export type PriceDocument = z.output<typeof price>;
export type TierDocument = z.output<typeof tier>;
export type VersionDocument = z.output<typeof listVersion> | z.output<typeof contractVersion>;

/** Every key that a price book can have somewhere: for "did you mean". */
export const knownKeys: readonly string[] = [
  bookDocument,
  listVersion,
  contractVersion,
  contract,
  price,
  tier,
  packagePrice,
  offPeak,
  tax,
  taxedCustomer,
].flatMap(({ shape }) => Object.keys(shape));

/** 0 for Sunday, as `Date` counts. */
export function weekdayOf(day: (typeof weekdays)[number]): number {
  return weekdays.indexOf(day);
}

function isFrom0(value: ReturnType<typeof parseFraction>): boolean {
  return value !== undefined && value.numerator >= 0n;
}

function isPercent(value: ReturnType<typeof parseFraction>): boolean {
  return isFrom0(value) && value!.numerator <= value!.denominator * 100n;
}
