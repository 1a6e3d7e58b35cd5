import { trueUpSku } from "../ledger/index.ts";

/** What FOCUS has of a service: its name is ours, the rest are its lists' words. */
export interface Service {
  readonly name: string;
  readonly category: string;
  readonly subcategory: string;
  /** Of what is metered, in the plural. */
  readonly unit: string;
}

const inference = { name: "AI inference", category: "AI and Machine Learning", subcategory: "Generative AI" };

/** By the last part of a SKU's name, as the ledger's dimensions are called. */
const services: Readonly<Record<string, Service>> = {
  "input-tokens": { ...inference, unit: "Tokens" },
  "cached-read-tokens": { ...inference, unit: "Tokens" },
  "cache-write-tokens": { ...inference, unit: "Tokens" },
  "output-tokens": { ...inference, unit: "Tokens" },
  "reasoning-tokens": { ...inference, unit: "Tokens" },
  "embedding-tokens": { ...inference, unit: "Tokens" },
  "training-tokens": {
    name: "Model training",
    category: "AI and Machine Learning",
    subcategory: "Machine Learning",
    unit: "Tokens",
  },
  "accelerator-seconds": {
    name: "Accelerator time",
    category: "Compute",
    subcategory: "Other (Compute)",
    unit: "Seconds",
  },
  "storage-gib-hours": { name: "Storage", category: "Storage", subcategory: "Other (Storage)", unit: "GiB-Hours" },
  seats: {
    name: "Seats",
    category: "AI and Machine Learning",
    subcategory: "Other (AI and Machine Learning)",
    unit: "Seats",
  },
};

/** Of what is no service of its own: tax, rounding, credits. */
export const billingService: Service = {
  name: "Billing",
  category: "Other",
  subcategory: "Other (Other)",
  unit: "Units",
};

/** Of a dimension that is not known here, which an operator may meter and price all the same. */
const otherService: Service = { ...billingService, name: "Other services" };

export function serviceOf(sku: string): Service {
  if (sku === trueUpSku) return billingService;
  const dimension = dimensionOf(sku);
  return Object.hasOwn(services, dimension) ? services[dimension]! : otherService;
}

export function dimensionOf(sku: string): string {
  return sku.slice(sku.lastIndexOf("/") + 1);
}

/** "input-tokens" as FOCUS writes names. */
export function meterOf(sku: string): string {
  const words = dimensionOf(sku).split("-");
  return words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join(" ");
}

/** What was run, and which kind of its tokens; null where a SKU is of something else. */
export function modelOf(sku: string): { readonly model: string | null; readonly tokenKind: string | null } {
  const kind = /^(.+)-tokens$/.exec(dimensionOf(sku))?.[1];
  return kind === undefined
    ? { model: null, tokenKind: null }
    : { model: sku.slice(0, Math.max(0, sku.lastIndexOf("/"))), tokenKind: kind };
}
