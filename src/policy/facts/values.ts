import { z } from "zod";
import { checkJurisdiction, checkProcessing } from "../jurisdictions.ts";

/** A name that stands in paths, labels and records. */
export const shortName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/,
    "1 to 64 of a-z, 0-9, dot, underscore and hyphen, beginning with a letter or digit",
  );

/** A name as people write it; no line break, because keys and messages put names on lines of their own. */
export const plainName = z
  .string()
  .regex(/^[^\p{Cc}]{1,200}$/u, "1 to 200 characters, without line breaks or other control characters");

export const sentence = z.string().min(1).max(1000);

/** ISO 3166: a country ("DE") or one of its subdivisions ("DE-BE"). */
export const jurisdiction = code(checkJurisdiction);

/** A jurisdiction, or a group of countries that is known without an operator's facts. */
export const place = code(checkProcessing);

export const country = jurisdiction.refine((text) => text.length === 2, 'a country ("DE"), not a part of one');

/** Not an ISO 3166 code, and not one of ours. */
export const groupName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{2,31}$/, "3 to 32 of A-Z, 0-9 and underscore, beginning with a letter")
  .refine((name) => name !== "EEA", "EEA is known already; choose another name");

/** As a number or a decimal string; kept as a string, because shares are multiplied exactly. */
export const percent = z
  .union([z.number(), z.string()])
  .transform(String)
  .pipe(
    z
      .string()
      .regex(/^(100(\.0{1,4})?|\d{1,2}(\.\d{1,4})?)$/, "a percentage from 0 to 100, with at most four decimals"),
  );

export const knownSchemes = [
  "SecNumCloud",
  "C5-type-1",
  "C5-type-2",
  "HDS",
  "ISO-27001",
  "EUCS",
  "EU-US-DPF",
  "PIPEDA",
  "APPI",
] as const;

/** The name of a certificate. A policy looks for it letter by letter, so a known one in another case is a slip. */
export const scheme = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "1 to 64 letters, digits, dots, underscores and hyphens")
  .superRefine((name, context) => {
    const meant = knownSchemes.find((known) => known !== name && folded(known) === folded(name));
    if (meant !== undefined) context.addIssue({ code: "custom", message: `did you mean "${meant}"?` });
  });

function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[._-]/g, "");
}

function code(check: typeof checkJurisdiction) {
  return z
    .string()
    .toUpperCase()
    .superRefine((text, context) => {
      const checked = check(text);
      if (checked.outcome === "unknown") context.addIssue({ code: "custom", message: checked.message });
    });
}
