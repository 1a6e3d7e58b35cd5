import { createHash } from "node:crypto";
import { z } from "zod";
import { describeInvalid, nearest, refuse, type Refusal } from "../base/index.ts";
import { parseSource, type Source } from "./source.ts";

const quantity = (most: number) => z.int().min(1).max(most);

const source = z
  .string()
  .min(1)
  .max(2_000)
  .superRefine((text, context) => {
    const parsed = parseSource(text);
    if (parsed.outcome === "malformed") context.addIssue({ code: "custom", message: parsed.message });
  });

/** A model as the catalogue lists it. The settings' `models.entries` and `bailiwick model add` have the same form. */
export const modelEntrySchema = z.strictObject({
  /** The name that requests use. */
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$/, "1 to 200 letters, digits and . _ : / @ + -"),
  family: z.string().min(1).max(100),
  developer: z.strictObject({
    name: z.string().min(1).max(200),
    /** ISO 3166-1 alpha-2; left out where it is not known. */
    country: z
      .string()
      .regex(/^[A-Z]{2}$/, 'an ISO 3166-1 code such as "FR"')
      .optional(),
  }),
  licence: z.strictObject({
    /** An SPDX identifier; a licence that SPDX does not list is LicenseRef- and a name. */
    spdx: z.string().regex(/^[A-Za-z0-9.+-]{1,100}$/, "an SPDX identifier, or LicenseRef- and a name"),
    url: z
      .url({ protocol: /^https?$/ })
      .max(2_000)
      .optional(),
    /** The clause that forbids a use, where one does. */
    clause: z.string().min(1).max(2_000).optional(),
  }),
  /** "chat": trained for conversations. "base": completes text; its file has no chat template. */
  kind: z.enum(["chat", "base"]).optional(),
  contextTokens: quantity(100_000_000),
  sizeBytes: quantity(Number.MAX_SAFE_INTEGER).optional(),
  /** Left out where it cannot be known before the first pull, which records it. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "64 lower-case hexadecimal digits")
    .optional(),
  /** Tried in order; see source.ts for their forms. */
  sources: z.array(source).min(1).max(20),
});

export type ModelEntry = z.infer<typeof modelEntrySchema>;

export function parseEntry(input: unknown): { readonly outcome: "parsed"; readonly entry: ModelEntry } | Refusal {
  const result = modelEntrySchema.safeParse(input);
  if (result.success) return { outcome: "parsed", entry: result.data };
  const [issue] = result.error.issues;
  const key = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const path = [...(issue?.path ?? []), ...(key === undefined ? [] : [key])].map(String).join(".");
  const near = key === undefined ? undefined : nearest(key, Object.keys(modelEntrySchema.shape));
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  const subject = path === "" ? "The model's entry" : `\`${path.slice(0, 200)}\` of the model's entry`;
  const message = `${describeInvalid(subject, issue?.message ?? "unknown")}${hint}`;
  return refuse("invalid_request", message, path === "" ? {} : { param: path });
}

/** The sources of an entry that was validated. */
export function sourcesOf(entry: ModelEntry): readonly Source[] {
  return entry.sources.map((text) => {
    const parsed = parseSource(text);
    if (parsed.outcome === "malformed") throw new Error(`A validated entry has the source ${text}: ${parsed.message}`);
    return parsed.source;
  });
}

/**
 * The name of the folder that holds a model. Names may hold slashes, colons and capitals, which folders may not
 * everywhere: such a name gets the beginning of its digest, so that no two names ever share a folder.
 */
export function folderName(name: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,63}$/.test(name)) return name;
  const readable = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, "-")
    .slice(0, 48);
  return `${readable}~${createHash("sha256").update(name).digest("hex").slice(0, 12)}`;
}
