/** What finance people look for in the quarter's disclosure, and whether all of it is there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Figure {
  readonly id: string;
  readonly unit: string;
  readonly value: string | null;
  readonly why: string | null;
  readonly caveat: string | null;
  readonly postings: { readonly accounts: readonly string[]; readonly months: readonly string[] } | null;
}

interface Disclosure {
  readonly currency: string;
  readonly figures: readonly Figure[];
  readonly products: readonly {
    readonly product: string;
    readonly external: string;
    readonly intersegment: string;
    readonly growth: string | null;
  }[];
}

export function disclosureIn(folder: string): Disclosure {
  return JSON.parse(readFileSync(join(folder, "disclosure.json"), "utf8")) as Disclosure;
}

/** All of a closed quarter is on invoices; and a quick machine may have served everything between two looks at what it did. */
const mayBeZero: readonly string[] = ["unbilled-receivables", "accelerator-utilisation"];

export function unmetFigures(folder: string): readonly string[] {
  const { figures, products } = disclosureIn(folder);
  const amountOf = (id: string): number => Number(figures.find((figure) => figure.id === id)?.value ?? 0);
  const intersegment = products.reduce((sum, product) => sum + Number(product.intersegment), 0);
  const breakage = /^ +Income:Breakage +-/m.test(readFileSync(join(folder, "ledger.journal"), "utf8"));
  return [
    ...figures.flatMap(({ id, value, why }) => (value === null ? [`the disclosure has no ${id}: ${why}`] : [])),
    ...figures.flatMap(({ id, value }) => (Number(value) === 0 && !mayBeZero.includes(id) ? [`${id} is 0`] : [])),
    ...(amountOf("remaining-obligations") > amountOf("deferred-revenue") ? [] : ["nobody is committed to anything"]),
    ...(products.some(({ growth }) => growth !== null) ? [] : ["no product has a growth on the year"]),
    ...(intersegment > 0 ? [] : ["no other segment has paid anything"]),
    ...(breakage ? [] : ["no breakage is in the ledger"]),
    ...(products.some(({ product, external }) => product === "breakage" && Number(external) > 0)
      ? []
      : ["no breakage is in the disclosure"]),
  ];
}

/** One line each, as people read them; the file has them exactly. */
export function figureLines(folder: string): readonly string[] {
  const { currency, figures } = disclosureIn(folder);
  const width = Math.max(...figures.map(({ id }) => id.length));
  const caveats = new Set(figures.flatMap(({ caveat }) => caveat ?? []));
  return [
    ...figures.map(({ id, unit, value, caveat }) => {
      const text = `${id.padEnd(width)}  ${valueText(unit, Number(value), currency)}`;
      return caveat === null ? text : `${text} *`;
    }),
    ...[...caveats].map((caveat) => `* ${caveat}`),
  ];
}

function valueText(unit: string, value: number, currency: string): string {
  const decimals = (least: number): string =>
    value.toLocaleString("en-US", { minimumFractionDigits: least, maximumFractionDigits: least });
  if (unit === "share") return `${(value * 100).toFixed(1)} %`;
  if (unit === "tokens") return decimals(0);
  if (unit === "hours") return `${decimals(4)} h`;
  return `${decimals(2)} ${unit === "money/hour" ? `${currency}/h` : currency}`;
}
