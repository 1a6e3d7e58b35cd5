import { z } from "zod";
import { decimal, listOf } from "./fields.ts";

// What the control API answers of wallets, and of what operators were told of them.

export const walletGrant = z.object({
  id: z.string(),
  organisation: z.string(),
  currency: z.string(),
  credits: decimal.meta({ description: "What it began with. A credit pays for one unit of the currency." }),
  paid: decimal.meta({ description: "0: it was given." }),
  drawn: decimal.meta({ description: "What invoices were paid with." }),
  lapsed: decimal,
  returned: decimal.meta({ description: "What was taken back with its purchase: all of it, or 0." }),
  invoice: z.string().nullable().meta({ description: "Of its purchase; null of what was given." }),
  priority: z.int(),
  from: z.string(),
  until: z.string().nullable().meta({ description: "The end of the period that it was to expire in; null: never." }),
  rollover: z
    .object({ most: decimal, until: z.string() })
    .nullable()
    .meta({ description: "How many credits stay until when." }),
  breakagePercent: decimal.meta({ description: "What is expected never to be used." }),
  note: z.string().nullable(),
  createdAt: z.string(),
  createdBy: z.string(),
});

export const wallet = z.object({
  organisation: z.object({ id: z.string(), name: z.string() }),
  currency: z.string(),
  prepaid: z.boolean(),
  balance: decimal.meta({ description: "What its grants have left that hold now." }),
  unbilled: decimal.meta({ description: "What was used and is on no invoice yet." }),
  available: decimal.meta({
    description: "What more can be used; below 0: so much more was used than there was. Without requests that run.",
  }),
  liability: decimal.meta({ description: "What was paid in advance and is not revenue yet." }),
  grants: z.array(walletGrant),
});

export const wallets = listOf(wallet);

export const walletMovements = listOf(
  z.object({
    number: z.int(),
    grant: z.string(),
    kind: z.enum(["draw", "lapse", "return"]),
    credits: decimal,
    at: z.string(),
    reference: z.string().meta({ description: "An invoice; of what has lapsed the period with which it did." }),
  }),
);

export type Wallet = z.output<typeof wallet>;
export type WalletGrant = z.output<typeof walletGrant>;
export type WalletMovementTold = z.output<typeof walletMovements>["items"][number];

const alert = z.object({
  number: z.int(),
  kind: z.enum(["budget", "wallet", "unrated", "refused"]),
  level: z.enum(["organisation", "project", "key"]),
  scope: z.string().meta({ description: "An id." }),
  name: z.string(),
  occasion: z.string().meta({ description: "What it is told once for: a month, a grant." }),
  threshold: z.int().meta({ description: "Percent; 0: there is none." }),
  message: z.string(),
  at: z.string(),
  deliveries: z.array(
    z.object({
      channel: z.enum(["webhook", "email"]),
      state: z.enum(["waiting", "delivered", "given-up"]),
      tries: z.int(),
      problem: z.string().nullable(),
    }),
  ),
});

export const alerts = listOf(alert);
export type AlertTold = z.output<typeof alert>;
