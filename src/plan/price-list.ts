import { readFile } from "node:fs/promises";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import {
  type Amount,
  countries,
  countryMeant,
  describeInvalid,
  memberPath,
  nearest,
  parseAmount,
} from "../base/index.ts";
import { type DeviceType, deviceTypes, findDevice } from "../pool/index.ts";
import { PlanError } from "./problem.ts";

/** A device type that can be had, at what price, and what an operator knows of it. */
export interface Offer {
  readonly type: DeviceType;
  readonly pricePerHour: Amount;
  /** Undefined: as many as are wanted. */
  readonly availableMax: number | undefined;
  /** A country as ISO 3166-1 alpha-2 has it; where the list names none, the maker's seat. */
  readonly origin: string;
  /** As the operator has written it: repeated, never interpreted. */
  readonly exportClassification: string | undefined;
  readonly note: string | undefined;
}

export interface PriceList {
  /** One for the whole list: what is in several cannot be compared. */
  readonly currency: string;
  readonly offers: readonly Offer[];
}

/** Far above any list of devices. */
const bytesMax = 1024 * 1024;
const availableMax = 10_000;

const offerSchema = z.strictObject({
  device: z.string(),
  pricePerHour: z.string(),
  available: z.int().min(0).max(availableMax).optional(),
  origin: z
    .string()
    .refine((code) => countries.has(code), { error: ({ input }) => noCountryText(String(input)) })
    .optional(),
  exportClassification: z.string().min(1).max(500).optional(),
  note: z.string().min(1).max(500).optional(),
});

const listSchema = z.strictObject({
  currency: z.string().regex(/^[A-Z]{3}$/),
  devices: z.array(offerSchema).min(1).max(100),
});

/** Reads a price list, YAML or JSON (which is YAML too). Throws a `PlanError` that names the file and the line. */
export async function readPriceList(path: string): Promise<PriceList> {
  const text = await textOf(path);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: "core", version: "1.2" });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) throw new PlanError(`${path}:${lines.linePos(problem.pos[0]).line}: ${problem.message}`);
  const lineAt = (steps: readonly PropertyKey[]): number => {
    for (let length = steps.length; length > 0; length--) {
      const node: unknown = document.getIn(steps.slice(0, length), true);
      const range = (node as { range?: readonly number[] | null } | undefined)?.range;
      if (range?.[0] !== undefined) return lines.linePos(range[0]).line;
    }
    return 1;
  };
  const parsed = listSchema.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const steps = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]!] : issue.path;
    throw new PlanError(`${path}:${lineAt(steps)}: ${inWords(issue)}`);
  }
  const offers = parsed.data.devices.map((entry, index) =>
    offerOf(entry, (field) => `${path}:${lineAt(["devices", index, field])}: devices[${index}].${field}`),
  );
  const twice = offers.findIndex(({ type }, index) => offers.findIndex((other) => other.type === type) < index);
  if (twice >= 0) {
    const line = lineAt(["devices", twice, "device"]);
    throw new PlanError(`${path}:${line}: ${offers[twice]!.type.name} is in the list a second time`);
  }
  return { currency: parsed.data.currency, offers };
}

function offerOf(entry: z.infer<typeof offerSchema>, at: (field: string) => string): Offer {
  const found = findDevice(entry.device);
  if (!found.known) {
    const meant = found.nearest === undefined ? "" : ` (did you mean "${found.nearest}"?)`;
    const known = deviceTypes.map(({ id }) => id).join(", ");
    throw new PlanError(`${at("device")}: there is no device "${entry.device}"${meant}; known: ${known}`);
  }
  const pricePerHour = parseAmount(entry.pricePerHour);
  if (pricePerHour === undefined || pricePerHour <= 0n) {
    throw new PlanError(
      `${at("pricePerHour")} is "${entry.pricePerHour}", but must be a price above 0, such as "2.50"`,
    );
  }
  return {
    type: found.device,
    pricePerHour,
    availableMax: entry.available,
    origin: entry.origin ?? found.device.makerCountry,
    exportClassification: entry.exportClassification,
    note: entry.note,
  };
}

function inWords(issue: z.core.$ZodIssue): string {
  const { path: steps, message } = issue;
  const [key] = issue.code === "unrecognized_keys" ? issue.keys : [];
  if (key !== undefined) {
    const meant = nearest(key, [...Object.keys(listSchema.shape), ...Object.keys(offerSchema.shape)]);
    return `\`${memberPath([...steps, key])}\` is no key of a price list${meant === undefined ? "" : `; did you mean "${meant}"?`}`;
  }
  const said = describeInvalid(`\`${memberPath(steps) || "the list"}\``, message);
  if (steps.at(-1) === "pricePerHour") return `${said} Write it in quotes, as "2.50": a decimal, not a float.`;
  if (steps.at(-1) === "currency") return `${said} Three capital letters (ISO 4217), such as EUR.`;
  return said;
}

function noCountryText(origin: string): string {
  const meant = countryMeant(origin) ?? countryCode(origin);
  const hint = meant === undefined ? "" : ` (did you mean "${meant}"?)`;
  return `"${origin.slice(0, 60)}" is no country${hint}; it is two capital letters (ISO 3166-1 alpha-2), such as US`;
}

/** Of one in small letters. */
function countryCode(origin: string): string | undefined {
  return countries.has(origin.toUpperCase()) ? origin.toUpperCase() : undefined;
}

async function textOf(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new PlanError(`${path}: there is no such file`);
    if ((error as NodeJS.ErrnoException).code === "EISDIR") throw new PlanError(`${path}: that is a folder`);
    throw error;
  }
  if (bytes.length > bytesMax) throw new PlanError(`${path}: larger than ${bytesMax} bytes: no price list`);
  return bytes.toString("utf8");
}
