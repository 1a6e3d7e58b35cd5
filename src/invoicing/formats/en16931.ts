import type { Invoice as Document } from "@e-invoice-eu/core";
import { type Refusal, refuse } from "../../base/index.ts";
import { minorUnitDecimals } from "../../ledger/index.ts";
import type { Adjustment, Days, Invoice, InvoiceLine, TaxBreakdown } from "../document/invoice.ts";
import { linePeriods, spanOf } from "../document/line-period.ts";
import type { Party } from "../document/party.ts";
import { showable } from "../document/text.ts";

export type Body = Document["ubl:Invoice"];

/** UNTDID 1001: commercial invoice, credit note. */
const typeCodes = { invoice: "380", "credit-note": "381" } as const;

/**
 * An invoice in the shape that the library writes UBL and CII from, which is UBL's as JSON. Refused is what EN 16931
 * cannot say: amounts with three decimals (BR-DEC-*).
 */
export function en16931Of(invoice: Invoice): Body | Refusal {
  const finest = finestAmount(invoice);
  if (finest !== undefined) {
    const message = `EN 16931 has amounts with two decimals, and ${finest} ${invoice.currency} has more.`;
    return refuse("format_unsupported", message);
  }
  const { kind, number, issueDate, dueDate, currency, note, terms, buyerReference, purchaseOrder, preceding, period } =
    invoice;
  // A line's period has to lie in it (PEPPOL-EN16931-R110, -R111), that of usage that came late too.
  const span = spanOf(invoice);
  const periodOf = linePeriods(invoice);
  return {
    "cbc:ID": number,
    "cbc:IssueDate": issueDate,
    ...(dueDate === null ? {} : { "cbc:DueDate": dueDate }),
    "cbc:InvoiceTypeCode": typeCodes[kind],
    ...(note === null ? {} : { "cbc:Note": [showable(note)] }),
    "cbc:DocumentCurrencyCode": currency as Body["cbc:DocumentCurrencyCode"],
    ...(buyerReference === null ? {} : { "cbc:BuyerReference": buyerReference }),
    ...periodElement(span),
    ...(purchaseOrder === null ? {} : { "cac:OrderReference": { "cbc:ID": purchaseOrder } }),
    ...(preceding === null ? {} : { "cac:BillingReference": [precedingOf(preceding)] }),
    "cac:AccountingSupplierParty": { "cac:Party": sellerOf(invoice) },
    "cac:AccountingCustomerParty": { "cac:Party": buyerOf(invoice) },
    // BT-72, without which the library leaves out what the schema of CII requires.
    "cac:Delivery": { "cbc:ActualDeliveryDate": period?.endDate ?? issueDate },
    ...paymentOf(invoice),
    ...(terms === null ? {} : { "cac:PaymentTerms": { "cbc:Note": showable(terms) } }),
    "cac:TaxTotal": [taxTotalOf(invoice)],
    "cac:LegalMonetaryTotal": totalsOf(invoice),
    "cac:InvoiceLine": invoice.lines.map((line) =>
      lineOf(line, periodOf(line), invoice),
    ) as unknown as Body["cac:InvoiceLine"],
  };
}

/** The first amount that two decimals cannot hold. */
function finestAmount({ currency, lines, totals }: Invoice): string | undefined {
  if (minorUnitDecimals(currency)! <= 2) return undefined;
  const adjusted = ({ allowances, charges, net }: InvoiceLine) => [...allowances, ...charges, { amount: net }];
  const amounts = [...lines.flatMap(adjusted).map(({ amount }) => amount), ...Object.values(totals)];
  return amounts.find((amount) => !/^-?\d+\.\d{2}0*$/.test(amount));
}

function precedingOf({ number, issueDate }: NonNullable<Invoice["preceding"]>) {
  return { "cac:InvoiceDocumentReference": { "cbc:ID": number, "cbc:IssueDate": issueDate } };
}

function partyOf(party: Party) {
  const { name, tradingName, street, additionalStreet, city, postCode, subdivision, country } = party;
  const endpoint =
    party.electronicAddress ?? (party.email === undefined ? undefined : { scheme: "EM", id: party.email });
  const contact = {
    ...(party.contactName === undefined ? {} : { "cbc:Name": party.contactName }),
    ...(party.phone === undefined ? {} : { "cbc:Telephone": party.phone }),
    ...(party.email === undefined ? {} : { "cbc:ElectronicMail": party.email }),
  };
  return {
    ...(endpoint === undefined ? {} : { "cbc:EndpointID": endpoint.id, "cbc:EndpointID@schemeID": endpoint.scheme }),
    ...(tradingName === undefined ? {} : { "cac:PartyName": { "cbc:Name": tradingName } }),
    "cac:PostalAddress": {
      ...(street === undefined ? {} : { "cbc:StreetName": street }),
      ...(additionalStreet === undefined ? {} : { "cbc:AdditionalStreetName": additionalStreet }),
      ...(city === undefined ? {} : { "cbc:CityName": city }),
      ...(postCode === undefined ? {} : { "cbc:PostalZone": postCode }),
      ...(subdivision === undefined ? {} : { "cbc:CountrySubentity": subdivision }),
      "cac:Country": { "cbc:IdentificationCode": country },
    },
    "cac:PartyLegalEntity": {
      "cbc:RegistrationName": name,
      ...(party.legalRegistration === undefined ? {} : { "cbc:CompanyID": party.legalRegistration }),
    },
    ...(Object.keys(contact).length === 0 ? {} : { "cac:Contact": contact }),
  };
}

/** Outside the scope of the tax an invoice names nobody's number for it (BR-O-02). */
function sellerOf({ seller, tax }: Invoice): Body["cac:AccountingSupplierParty"]["cac:Party"] {
  const { vatId, taxRegistration } = seller;
  const schemes = [
    ...(vatId === undefined || tax.category === "O" ? [] : [taxSchemeOf(vatId, "VAT")]),
    ...(taxRegistration === undefined ? [] : [taxSchemeOf(taxRegistration, "TAX")]),
  ];
  const party = { ...partyOf(seller), ...(schemes.length === 0 ? {} : { "cac:PartyTaxScheme": schemes }) };
  return party as unknown as Body["cac:AccountingSupplierParty"]["cac:Party"];
}

function buyerOf({ buyer, tax }: Invoice): Body["cac:AccountingCustomerParty"]["cac:Party"] {
  const isNamed = buyer.vatId !== undefined && tax.category !== "O";
  const party = { ...partyOf(buyer), ...(isNamed ? { "cac:PartyTaxScheme": taxSchemeOf(buyer.vatId!, "VAT") } : {}) };
  return party as unknown as Body["cac:AccountingCustomerParty"]["cac:Party"];
}

function taxSchemeOf(id: string, scheme: string) {
  return { "cbc:CompanyID": id, "cac:TaxScheme": { "cbc:ID": scheme } };
}

/** Credit transfer (UNTDID 4461: 30), under the invoice's number; a credit note is cleared (97). */
function paymentOf({ kind, payment, number }: Invoice): Pick<Body, "cac:PaymentMeans"> {
  if (kind === "credit-note") return { "cac:PaymentMeans": [{ "cbc:PaymentMeansCode": "97" }] };
  if (payment === null) return {};
  const { account, accountName, bic } = payment;
  const means = {
    "cbc:PaymentMeansCode": "30" as const,
    "cbc:PaymentID": number,
    "cac:PayeeFinancialAccount": {
      "cbc:ID": account.replaceAll(" ", ""),
      ...(accountName === undefined ? {} : { "cbc:Name": accountName }),
      ...(bic === undefined ? {} : { "cac:FinancialInstitutionBranch": { "cbc:ID": bic } }),
    },
  };
  return { "cac:PaymentMeans": [means] };
}

/** An element and its currency, which is an attribute. */
function amount<Name extends string>(name: Name, value: string, currency: string) {
  // Three decimals of which the last is 0 are two.
  const text = value.replace(/(\.\d\d)0+$/, "$1");
  return { [name]: text, [`${name}@currencyID`]: currency } as Record<Name, string>;
}

function categoryOf({ category, percent }: TaxBreakdown) {
  return {
    "cbc:ID": category,
    ...(percent === null ? {} : { "cbc:Percent": percent }),
    "cac:TaxScheme": { "cbc:ID": "VAT" },
  };
}

function taxTotalOf({ tax, currency }: Invoice): Body["cac:TaxTotal"][0] {
  const { reason, reasonCode } = tax;
  return {
    ...amount("cbc:TaxAmount", tax.amount, currency),
    "cac:TaxSubtotal": [
      {
        ...amount("cbc:TaxableAmount", tax.taxable, currency),
        ...amount("cbc:TaxAmount", tax.amount, currency),
        "cac:TaxCategory": {
          ...categoryOf(tax),
          ...(reasonCode === null ? {} : { "cbc:TaxExemptionReasonCode": reasonCode }),
          ...(reason === null ? {} : { "cbc:TaxExemptionReason": reason }),
        },
      },
    ],
  };
}

function totalsOf({ totals, currency }: Invoice): Body["cac:LegalMonetaryTotal"] {
  const { net, gross, prepaid, payable } = totals;
  return {
    ...amount("cbc:LineExtensionAmount", net, currency),
    ...amount("cbc:TaxExclusiveAmount", net, currency),
    ...amount("cbc:TaxInclusiveAmount", gross, currency),
    ...(/^[0.]+$/.test(prepaid) ? {} : amount("cbc:PrepaidAmount", prepaid, currency)),
    ...amount("cbc:PayableAmount", payable, currency),
  };
}

/** BG-14, and BG-26 of a line. */
function periodElement(period: Pick<Days, "startDate" | "endDate"> | null) {
  if (period === null) return {};
  return { "cac:InvoicePeriod": { "cbc:StartDate": period.startDate, "cbc:EndDate": period.endDate } };
}

function lineOf(line: InvoiceLine, period: Days | null, { currency, tax }: Invoice) {
  const { id, sku, name, note, quantity, unitCode, price, net, usage } = line;
  const adjustments = [
    ...line.allowances.map((each) => adjustmentOf(each, false, currency)),
    ...line.charges.map((each) => adjustmentOf(each, true, currency)),
  ];
  return {
    "cbc:ID": id,
    ...(note === null ? {} : { "cbc:Note": showable(note) }),
    "cbc:InvoicedQuantity": quantity,
    "cbc:InvoicedQuantity@unitCode": unitCode,
    ...amount("cbc:LineExtensionAmount", net, currency),
    ...periodElement(period),
    ...(adjustments.length === 0 ? {} : { "cac:AllowanceCharge": adjustments }),
    "cac:Item": {
      "cbc:Name": name,
      "cac:SellersItemIdentification": { "cbc:ID": showable(sku) },
      "cac:ClassifiedTaxCategory": categoryOf(tax),
      ...(usage === null ? {} : { "cac:AdditionalItemProperty": propertiesOf(usage) }),
    },
    "cac:Price": { ...priceOf(price, currency), "cbc:BaseQuantity@unitCode": unitCode },
  };
}

/** The library takes a price for an amount, with two decimals: 0.0055 for 1 second is 0.55 for 100. */
function priceOf({ amount: text, baseQuantity }: InvoiceLine["price"], currency: string) {
  const [whole = "0", decimals = ""] = text.split(".");
  const more = Math.max(0, decimals.length - 2);
  const shifted = BigInt(whole + decimals.slice(0, more)).toString();
  const rest = decimals.slice(more);
  return {
    "cbc:PriceAmount": rest === "" ? shifted : `${shifted}.${rest}`,
    "cbc:PriceAmount@currencyID": currency,
    "cbc:BaseQuantity": timesTen(baseQuantity, more),
  };
}

/** A decimal string with its point moved to the right. */
function timesTen(text: string, times: number): string {
  const [whole = "0", decimals = ""] = text.split(".");
  const digits = decimals.padEnd(times, "0");
  const rest = digits.slice(times);
  return `${BigInt(whole + digits.slice(0, times))}${rest === "" ? "" : `.${rest}`}`;
}

/** Which usage it is, as one text. Not as BT-128, which the library puts where the schema of CII has nothing. */
function usageText({ customer, period, sku, contract, priceVersion }: NonNullable<InvoiceLine["usage"]>): string {
  return [customer, period, sku, priceVersion, ...(contract === null ? [] : [contract])].join(" ");
}

function propertiesOf(usage: NonNullable<InvoiceLine["usage"]>) {
  const properties: readonly (readonly [string, string | null])[] = [
    ["Usage", usageText(usage)],
    ["Metered quantity", usage.quantity],
    ["Receipts", usage.receipts],
  ];
  return properties.flatMap(([name, value]) =>
    value === null ? [] : [{ "cbc:Name": name, "cbc:Value": showable(value) }],
  );
}

/** UNTDID 5189: 95 is a discount; the rest is said in words. */
function adjustmentOf({ kind, reason, amount: value }: Adjustment, isCharge: boolean, currency: string) {
  return {
    "cbc:ChargeIndicator": String(isCharge),
    ...(kind === "discount" ? { "cbc:AllowanceChargeReasonCode": "95" } : {}),
    "cbc:AllowanceChargeReason": reason,
    ...amount("cbc:Amount", value, currency),
  };
}
