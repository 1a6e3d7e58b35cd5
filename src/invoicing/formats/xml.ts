import { type Refusal, refuse } from "../../base/index.ts";
import { minorUnitDecimals } from "../../ledger/index.ts";
import type { Invoice } from "../document/invoice.ts";
import type { Party } from "../document/party.ts";
import { type Body, en16931Of } from "./en16931.ts";

/** EN 16931 in its two syntaxes, and with Germany's rules on top. */
export type XmlFormat = "ubl" | "cii" | "xrechnung-ubl" | "xrechnung-cii";

/** What the library calls them. */
const names: Readonly<Record<XmlFormat, string>> = {
  ubl: "UBL",
  cii: "CII",
  "xrechnung-ubl": "XRECHNUNG-UBL",
  "xrechnung-cii": "XRECHNUNG-CII",
};

export type Written = { readonly outcome: "written"; readonly bytes: Uint8Array } | Refusal;

/** The same invoice gives the same bytes. */
export async function xmlOf(invoice: Invoice, format: XmlFormat): Promise<Written> {
  const body = en16931Of(invoice);
  if ("outcome" in body) return body;
  const missing = missingFor(invoice, format);
  if (missing !== undefined) return refuse("format_unsupported", missing);
  const { formats, unlisted } = await loaded();
  const document = { "ubl:Invoice": body };
  const reasons = unlisted(document);
  if (reasons.length > 0) {
    return refuse("format_unsupported", "EN 16931 does not have what the invoice says.", { reasons });
  }
  if (format.endsWith("cii")) body["cac:InvoiceLine"].forEach(withoutCurrency);
  const service = formats.createFormatService(names[format], silent);
  service.fillInvoiceDefaults(document);
  const text = await service.generate(document, { format: names[format], lang: "en", noWarnings: true });
  return { outcome: "written", bytes: Buffer.from(text as string, "utf8") };
}

/** Of what is taken off and put on a line, the library tells CII the currency, which must not be there (CII-DT-031). */
function withoutCurrency({ "cac:AllowanceCharge": adjustments = [] }: Body["cac:InvoiceLine"][0]): void {
  for (const adjustment of adjustments) delete adjustment["cbc:Amount@currencyID"];
}

const silent = { log: () => undefined, warn: () => undefined, error: () => undefined };

let library: ReturnType<typeof load> | undefined;

/** The library's own entry compiles its schema for each invoice, which takes longer than everything else together. */
async function loaded() {
  return (library ??= load());
}

async function load() {
  const { FormatFactoryService, invoiceSchema } = await import("@e-invoice-eu/core");
  const { Ajv2019 } = await import("ajv/dist/2019.js");
  const validate = new Ajv2019({ allErrors: true, useDefaults: true }).compile(invoiceSchema);
  /** Codes (countries, currencies, schemes) that are in none of EN 16931's lists, and numbers that are too fine. */
  const unlisted = (document: unknown): readonly string[] => {
    if (validate(document)) return [];
    return (validate.errors ?? []).slice(0, 20).map(({ instancePath, message = "" }) => {
      const place = instancePath.replace("/ubl:Invoice/", "");
      return `${place} ${message.slice(0, 100)}`;
    });
  };
  return { formats: new FormatFactoryService(), unlisted };
}

/** What a format asks for over EN 16931: PEPPOL-EN16931-R010 and R020 of UBL, BR-DE-* of XRechnung. */
function missingFor(invoice: Invoice, format: XmlFormat): string | undefined {
  const { seller, buyer, buyerReference, payment, kind, tax, currency } = invoice;
  const isGerman = format.startsWith("xrechnung");
  if (isGerman || format === "ubl") {
    const unreachable = [seller, buyer].find((party) => !isReachable(party));
    if (unreachable !== undefined) return `${format} needs an electronicAddress, or an email, of ${unreachable.name}.`;
  }
  if (!isGerman) return undefined;
  const { contactName, phone, email } = seller;
  if (contactName === undefined || phone === undefined || email === undefined) {
    return "XRechnung needs the seller's contactName, phone and email (BR-DE-5 to -7).";
  }
  const addressless = [seller, buyer].find(({ city, postCode }) => city === undefined || postCode === undefined);
  if (addressless !== undefined)
    return `XRechnung needs city and postCode of ${addressless.name} (BR-DE-3, -4, -8, -9).`;
  if (buyerReference === null) return "XRechnung needs the buyer's reference, its Leitweg-ID (BR-DE-15).";
  if (minorUnitDecimals(currency)! < 2) {
    return `XRechnung holds prices against amounts to two decimals (PEPPOL-EN16931-R120), which ${currency} does not have.`;
  }
  if (tax.percent === null) return "XRechnung needs a rate of tax (BR-DE-14): outside its scope there is none.";
  return payment === null && kind === "invoice" ? "XRechnung needs the payment's account (BR-DE-1)." : undefined;
}

function isReachable({ electronicAddress, email }: Party): boolean {
  return electronicAddress !== undefined || email !== undefined;
}
