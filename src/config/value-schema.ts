import { z } from "zod";
import { parseAmount } from "../base/index.ts";
import { checkJurisdiction } from "../policy/index.ts";

/** A whole number of things within bounds. */
export function quantity(minimum: number, maximum: number) {
  return z.int().min(minimum).max(maximum);
}

/** The word, or a whole number within bounds, which an error names. */
export function autoOr(minimum: number, maximum: number) {
  const error = `must be "auto" or a whole number from ${minimum} to ${maximum}`;
  return z.union([z.literal("auto"), quantity(minimum, maximum)], { error });
}

/** A duration in milliseconds within bounds. */
export function milliseconds(minimum: number, maximum: number) {
  return z.int().min(minimum).max(maximum);
}

/** The name of an environment variable: secrets are named in the settings, never written there. */
export const environmentName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, "the name of an environment variable");

/** A name that stands in paths, labels and records: sites, upstreams. */
export const shortName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/,
    "1 to 64 of a-z, 0-9, dot, underscore and hyphen, beginning with a letter or digit",
  );

/** An origin as a browser sends it (RFC 6454, section 6.2): no path, no default port, no other writing of it. */
export const origin = z
  .string()
  .max(300)
  .refine(
    (text) => /^https?:/.test(text) && URL.parse(text)?.origin === text,
    'an origin as browsers send it, such as "https://app.example" or "http://localhost:5173"',
  );

/** A domain of the Internet, which is no address. */
export const domain = z
  .string()
  .max(253)
  .toLowerCase()
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    "a domain such as hub.example",
  );

const jurisdiction = z
  .string()
  // As it is written, so that what is told of it is what was written.
  .superRefine((code, context) => {
    const checked = checkJurisdiction(code);
    if (checked.outcome === "unknown") context.addIssue({ code: "custom", message: checked.message });
  })
  .toUpperCase();

/** A site: where a machine stands, under which law and who runs it. `name` may have a default, the jurisdiction has none. */
export function site(defaultName: string) {
  return namedSite.extend({ name: namedSite.shape.name.default(defaultName).describe(siteNameText) });
}

const siteNameText = "The site's name, as receipts and refusals show it.";

export const namedSite = z.strictObject({
  name: shortName.describe(siteNameText),
  jurisdiction: jurisdiction
    .optional()
    .describe("ISO 3166 country (DE) or subdivision (DE-BE). Left out: this site serves public data only."),
  operator: z.string().min(1).max(200).optional().describe("The company or body that runs the site."),
});

/** A non-negative price as a decimal string: a YAML number would pass through a float. */
export const price = z.string({ error: 'a decimal string in quotes, such as "0.15"' }).refine((text) => {
  const amount = parseAmount(text);
  return amount !== undefined && amount >= 0n;
}, 'a decimal string such as "0.15", at least 0, with at most 12 decimals');
