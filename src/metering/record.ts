import { beginsAsFormula, InexactNumber, isFormula } from "../base/index.ts";
import {
  canBeUsed,
  type Dimension,
  isOwnSku,
  parseQuantity,
  type Quantity,
  skuOf,
  type UsageEvent,
} from "../ledger/index.ts";
import { meantSource } from "./source.ts";

/** A usage record by the names of its fields: texts from CSV, any value from JSON. */
export type Fields = Readonly<Record<string, unknown>>;

/** What a record means, with what makes it the same record when it is told again. */
export interface UsageRecord {
  readonly source: string;
  /** Undefined: it has none, and counts as often as it is told. */
  readonly id: string | undefined;
  /** What it is called by whoever told it. */
  readonly customer: string;
  /** Whose it is by the id that stays, whatever the customer is called: exports have it. */
  readonly organisation: string | undefined;
  readonly atMs: number;
  /** Empty where nothing was used: all counts are 0. */
  readonly events: readonly UsageEvent[];
}

/** Something is wrong with a field; whoever reads the file knows the line. */
export class FieldProblem extends Error {}

/** Counts of one model's tokens: cached and written input are part of the input, reasoning of the output. */
export const counts = [
  "inputTokens",
  "cachedInputTokens",
  "cacheWriteTokens",
  "outputTokens",
  "reasoningTokens",
  "embeddingTokens",
  "trainingTokens",
] as const;

type Count = (typeof counts)[number];

/** Of which kinds of tokens each count is the sum: kinds exclude one another, and counts do not. */
export const kindsOf: Readonly<Record<Count, readonly Dimension[]>> = {
  inputTokens: ["input-tokens", "cached-read-tokens", "cache-write-tokens"],
  cachedInputTokens: ["cached-read-tokens"],
  cacheWriteTokens: ["cache-write-tokens"],
  outputTokens: ["output-tokens", "reasoning-tokens"],
  reasoningTokens: ["reasoning-tokens"],
  embeddingTokens: ["embedding-tokens"],
  trainingTokens: ["training-tokens"],
};

/** Every field that is read of a record. */
export const recordFields: ReadonlySet<string> = new Set([
  "id",
  "source",
  "customer",
  "organisation",
  "time",
  "batch",
  "sku",
  "quantity",
  "model",
  ...counts,
]);

/** `dayMs`: when a day begins that is said without a clock time, given as its midnight in UTC. */
export function readRecord(fields: Fields, dayMs: (midnightMs: number) => number): UsageRecord {
  const customer = nameOf(fields, "customer");
  const atMs = momentOf(fields, dayMs);
  const isBatch = yesOf(fields, "batch");
  const isWide = has(fields, "model");
  refuseMixed(fields, isWide);
  const quantities = isWide ? ofModel(fields) : [ofSku(fields)];
  return {
    source: has(fields, "source") ? meantSource(skuNameOf(fields, "source")) : "",
    id: has(fields, "id") ? idOf(fields) : undefined,
    organisation: has(fields, "organisation") ? nameOf(fields, "organisation") : undefined,
    customer,
    atMs,
    events: quantities.map(([sku, quantity]) => ({ customer, sku, atMs, quantity, isBatch })),
  };
}

/** What would be read of one way of saying it only must not be lost of the other. */
function refuseMixed(fields: Fields, isWide: boolean): void {
  if (!isWide && !has(fields, "sku")) throw new FieldProblem("sku or model is missing");
  const other = (isWide ? ["sku", "quantity"] : counts).find((name) => has(fields, name));
  if (other === undefined) return;
  throw new FieldProblem(`${other} has no meaning beside ${isWide ? "model" : "sku"}: a record is of one of them`);
}

/** What the books write themselves would stand on a bill beside what was used, and be taken for it. */
function usedSkuOf(fields: Fields): string {
  const sku = skuNameOf(fields, "sku");
  if (isOwnSku(sku)) throw new FieldProblem(`sku is ${shown(sku)}, which the books write themselves: nobody uses it`);
  return sku;
}

type SkuQuantity = readonly [sku: string, quantity: Quantity | undefined];

function ofSku(fields: Fields): SkuQuantity {
  const sku = usedSkuOf(fields);
  return [sku, quantityOf(fields, "quantity", sku)];
}

/** A model's tokens by kind; what was not used at all is left out, what nobody has counted is not. */
function ofModel(fields: Fields): readonly SkuQuantity[] {
  const model = skuNameOf(fields, "model");
  const told = counts.filter((count) => count in fields);
  if (told.length === 0) throw new FieldProblem(`a record of a model has some of ${counts.join(", ")}`);
  const count = (name: Count): Quantity | undefined =>
    name in fields ? quantityOf(fields, name, skuOf(model, kindsOf[name][0]!)) : parseQuantity("0");
  const all: readonly (readonly [Dimension, Quantity | undefined])[] = [
    ...split(
      "inputTokens",
      count,
      { cachedInputTokens: "cached-read-tokens", cacheWriteTokens: "cache-write-tokens" },
      "input-tokens",
    ),
    ...split("outputTokens", count, { reasoningTokens: "reasoning-tokens" }, "output-tokens"),
    ["embedding-tokens", count("embeddingTokens")],
    ["training-tokens", count("trainingTokens")],
  ];
  return all
    .filter(([, quantity]) => quantity !== 0n)
    .map(([dimension, quantity]) => [skuOf(model, dimension), quantity]);
}

/** A count and its parts as kinds that exclude one another. Where one of them is unknown, the whole is. */
function split(
  whole: Count,
  count: (name: Count) => Quantity | undefined,
  parts: Readonly<Partial<Record<Count, Dimension>>>,
  rest: Dimension,
): readonly (readonly [Dimension, Quantity | undefined])[] {
  const names = Object.keys(parts) as Count[];
  const of = names.map(count);
  const sum = count(whole);
  if (sum === undefined || of.includes(undefined)) return [[rest, undefined]];
  const left = of.reduce<bigint>((left, part) => left - part!, sum);
  if (left < 0n) throw new FieldProblem(`${whole} is less than ${names.join(" and ")}, which it includes`);
  return [[rest, left as Quantity], ...names.map((name, index) => [parts[name]!, of[index]] as const)];
}

function has(fields: Fields, name: string): boolean {
  const value = fields[name];
  return value !== undefined && value !== null && value !== "";
}

const nameCharacters = 200;

function nameOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (!has(fields, name)) throw new FieldProblem(`${name} is missing`);
  if (typeof value !== "string") throw new FieldProblem(`${name} is ${shown(value)}, but must be a text`);
  // U+FFFD stands where bytes were that are no UTF-8: two names would become one.
  if (value.length > nameCharacters || /[\p{Cc}\uFFFD]/u.test(value) || !value.isWellFormed()) {
    throw new FieldProblem(
      `${name} has more than ${nameCharacters} characters, or one that is not UTF-8 or not printable`,
    );
  }
  return value;
}

/** It goes into files of CSV as it stands there, and is nobody's but the service's own: so it needs no such beginning. */
function skuNameOf(fields: Fields, name: string): string {
  const text = nameOf(fields, name);
  if (!beginsAsFormula(text)) return text;
  throw new FieldProblem(
    `${name} is ${shown(text)}, which a spreadsheet would take for a formula: begin with none of = + - @`,
  );
}

function idOf(fields: Fields): string {
  const text = nameOf(fields, "id");
  if (!isFormula(text)) return text;
  throw new FieldProblem(`id is ${shown(text)}, which a spreadsheet would take for a formula`);
}

function yesOf(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (!has(fields, name) || value === false || value === "false") return false;
  if (value === true || value === "true") return true;
  throw new FieldProblem(`${name} is ${shown(value)}, but must be true or false`);
}

/** Undefined where it is empty: nobody has counted. */
function quantityOf(fields: Fields, name: string, sku: string): Quantity | undefined {
  const value = fields[name];
  if (!has(fields, name)) return undefined;
  if (value instanceof InexactNumber || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    const text = value instanceof InexactNumber ? value.source.slice(0, 100) : String(value);
    throw new FieldProblem(`${name} is ${text}: JSON readers lose digits of such a number; write it in quotes`);
  }
  const quantity = typeof value === "string" ? parseQuantity(value) : quantityOfNumber(value);
  if (quantity !== undefined && canBeUsed(sku, quantity)) return quantity;
  const is = `${name} is ${shown(value)}, but`;
  if (quantity !== undefined) throw new FieldProblem(`${is} tokens are whole`);
  if (String(value).startsWith("-")) throw new FieldProblem(`${is} cannot be negative`);
  const form = typeof value === "string" && /e/i.test(value) ? ", and no exponent" : "";
  throw new FieldProblem(`${is} must be a decimal number with at most 15 digits before its point and 9 behind${form}`);
}

/** JavaScript writes what is below 10^-6 with an exponent, which is a decimal all the same. */
function quantityOfNumber(value: unknown): Quantity | undefined {
  if (typeof value !== "number") return undefined;
  const decimals = value.toFixed(9);
  return parseQuantity(value < 1e-6 && Number(decimals) === value ? decimals : String(value));
}

const instant = /^(\d{4})-(\d\d)-(\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

/** From 2000 to 2099: another year is a slip, such as seconds that were taken for milliseconds. */
function momentOf(fields: Fields, dayMs: (midnightMs: number) => number): number {
  const text = nameOf(fields, "time");
  const [, year = "", month = "", day = "", clock] = instant.exec(text) ?? [];
  const atMs = year === "" ? Number.NaN : Date.parse(text);
  // The 30th of February parses, as a day in March.
  const isDay = Number(day) <= 28 || new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate() >= Number(day);
  if (Number.isNaN(atMs) || !isDay) {
    throw new FieldProblem(
      `time is ${shown(text)}, but must be an instant with its zone such as 2026-03-31T23:59:59Z, or a day`,
    );
  }
  if (!year.startsWith("20")) throw new FieldProblem(`time is ${text}, which is not between 2000 and 2099`);
  return clock === undefined ? dayMs(atMs) : atMs;
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 100) ?? String(value);
}
