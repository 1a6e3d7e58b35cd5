import { z } from "zod";
import { isFormula } from "../../base/index.ts";
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
  scheme: z
    .string()
    .regex(/^(\d{4}|[A-Z]{2})$/, 'must be a code of the EAS list, such as "0088", or "EM"')
    .describe("A code of the EAS list, such as 0088, or EM of an email address."),
  id: text.describe("The address in that scheme."),
});

/** It stands in files of CSV too. */
const name = text.refine((told) => !isFormula(told), "must not be what a spreadsheet would take for a formula");

/** A seller (BG-4) or a buyer (BG-7). */
export const party = z.strictObject({
  name: name.describe("The legal name."),
  tradingName: name.optional().describe("Under which it trades, where that is another one."),
  street: text.optional().describe("Street and number."),
  additionalStreet: text.optional().describe("What else the address needs."),
  city: text.optional().describe("The city."),
  postCode: text.optional().describe("The post code."),
  subdivision: text.optional().describe("The region, where an address has one."),
  country: country.describe("A country of ISO 3166, such as FR."),
  vatId: vatId.optional().describe("The VAT identifier, beginning with its country."),
  taxRegistration: text.optional().describe("The number at the tax office, where there is no VAT identifier."),
  legalRegistration: text.optional().describe("The number in the register of companies."),
  electronicAddress: electronicAddress.optional().describe("Where electronic invoices go to, and come from."),
  contactName: text.optional().describe("Who answers questions."),
  phone: text.optional().describe("Their telephone number."),
  email: text.optional().describe("Their email address."),
});

export type Party = z.output<typeof party>;

/** Where the buyer pays to, by credit transfer (BG-17). */
export const payment = z.strictObject({
  account: z
    .string()
    .regex(/^[A-Za-z0-9 ]{4,40}$/, "must be an IBAN or an account's number")
    .describe("An IBAN, or an account's number."),
  accountName: text.optional().describe("Whose account it is, where that is not the seller."),
  bic: z
    .string()
    .regex(/^[A-Z0-9]{8}([A-Z0-9]{3})?$/, "must be a BIC")
    .optional()
    .describe("The bank's BIC."),
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
