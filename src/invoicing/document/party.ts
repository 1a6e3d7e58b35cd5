import { z } from "zod";
import { unshowable } from "./text.ts";

const text = z
  .string()
  .trim()
  .min(1, "must not be empty")
  .max(500, "must have at most 500 characters")
  .superRefine((value, context) => {
    const found = unshowable(value);
    if (found !== undefined) context.addIssue(`must not hold ${found}, which no invoice can show`);
  });

const country = z.string().regex(/^[A-Z]{2}$/, 'must be a country of ISO 3166, such as "FR"');

const vatId = z.string().regex(/^[A-Z]{2}[A-Z0-9+*]{2,28}$/, 'must begin with its country, such as "FR12345678901"');

/** The scheme of an electronic address: a row of the EAS list, or EM for an email address. */
const electronicAddress = z.strictObject({
  scheme: z.string().regex(/^(\d{4}|[A-Z]{2})$/, 'must be a code of the EAS list, such as "0088", or "EM"'),
  id: text,
});

/** A seller (BG-4) or a buyer (BG-7). */
export const party = z.strictObject({
  name: text,
  tradingName: text.optional(),
  street: text.optional(),
  additionalStreet: text.optional(),
  city: text.optional(),
  postCode: text.optional(),
  subdivision: text.optional(),
  country,
  vatId: vatId.optional(),
  taxRegistration: text.optional(),
  legalRegistration: text.optional(),
  electronicAddress: electronicAddress.optional(),
  contactName: text.optional(),
  phone: text.optional(),
  email: text.optional(),
});

export type Party = z.output<typeof party>;

/** Where the buyer pays to, by credit transfer (BG-17). */
export const payment = z.strictObject({
  account: z.string().regex(/^[A-Za-z0-9 ]{4,40}$/, "must be an IBAN or an account's number"),
  accountName: text.optional(),
  bic: z
    .string()
    .regex(/^[A-Z0-9]{8}([A-Z0-9]{3})?$/, "must be a BIC")
    .optional(),
});

export type Payment = z.output<typeof payment>;

/** BT-10 and BT-13: what the buyer wants to find on its invoices. */
export const buyer = z.strictObject({
  ...party.shape,
  customer: z.string().min(1).max(200),
  reference: text.optional(),
  purchaseOrder: text.optional(),
});

export const partyText = text;
