import { z } from "zod";
import { type CanonicalValue, refuse, type Refusal } from "../base/index.ts";
import { modelEntrySchema } from "../catalog/index.ts";
import { signedFile, verifySignedFile } from "../receipt/index.ts";
import type { BundleKey } from "./key.ts";

/** An in-toto Statement (github.com/in-toto/attestation, spec/v1) in a DSSE envelope (secure-systems-lab/dsse, v1). */
const statementType = "https://in-toto.io/Statement/v1";
const payloadType = "application/vnd.in-toto+json";
const predicateType = "https://bailiwick.example/bundle/v1";

export const statementName = "bundle.json";
export const statementBytesMax = 4 * 1024 * 1024;
const modelsMax = 100;
const filesMax = 1_000;
const pathBytesMax = 512;
/** What common file systems take for one name. */
const stepBytesMax = 255;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "64 lower-case hexadecimal digits");

/** A path below the model's folder: no way up, no absolute one, nothing that hides or breaks a line. */
const path = z
  .string()
  .min(1)
  .refine((text) => Buffer.byteLength(text) <= pathBytesMax, "at most 512 bytes")
  .refine((text) => !/[\p{Cc}\ufffd\\]/u.test(text), "a plain name")
  .refine(
    (text) => text.split("/").every((step) => step !== "" && !step.startsWith(".")),
    "a path below the model's folder",
  )
  .refine(
    (text) => text.split("/").every((step) => Buffer.byteLength(step) <= stepBytesMax),
    "names of 255 bytes at most",
  );

const file = z.strictObject({ path, sha256, sizeBytes: z.int().min(0) });

function isBelowAnother(path: string, paths: ReadonlySet<string>): boolean {
  const steps = path.split("/");
  return steps.slice(1).some((_, at) => paths.has(steps.slice(0, at + 1).join("/")));
}

const model = z.strictObject({
  entry: modelEntrySchema.extend({ sha256 }),
  form: z.enum(["gguf", "folder"]),
  files: z
    .array(file)
    .min(1)
    .max(filesMax)
    .refine((files) => new Set(files.map(({ path }) => path)).size === files.length, "a path stands there twice")
    .refine((files) => {
      const paths = new Set(files.map(({ path }) => path));
      return !files.some((each) => isBelowAnother(each.path, paths));
    }, "a file stands below another file"),
});

const statement = z.strictObject({
  _type: z.literal(statementType),
  subject: z.array(z.strictObject({ name: z.string(), digest: z.strictObject({ sha256 }) })),
  predicateType: z.literal(predicateType),
  predicate: z.strictObject({
    v: z.literal(1),
    madeAt: z.iso.datetime(),
    models: z.array(model).min(1).max(modelsMax),
  }),
});

export type BundledModel = z.output<typeof model>;

export interface Bundle {
  /** ISO 8601, UTC. */
  readonly madeAt: string;
  readonly models: readonly BundledModel[];
}

/** A file of a bundle lies under its digest: two models may share one. */
export function fileName(sha256: string): string {
  return `files/${sha256}`;
}

export function signBundle({ madeAt, models }: Bundle, key: BundleKey): string {
  const digests = [...new Set(models.flatMap(({ files }) => files.map((each) => each.sha256)))].toSorted();
  const said: CanonicalValue = {
    _type: statementType,
    subject: digests.map((digest) => ({ name: fileName(digest), digest: { sha256: digest } })),
    predicateType,
    predicate: { v: 1, madeAt, models: models as unknown as CanonicalValue },
  };
  return signedFile(payloadType, said, key);
}

/** Reads a bundle's statement; refuses it where no key of the set has signed it, before anything in it is believed. */
export function openStatement(
  bytes: Buffer,
  jwks: Buffer,
): { readonly outcome: "opened"; readonly bundle: Bundle; readonly keyId: string } | Refusal {
  const verdict = verifySignedFile(bytes, payloadType, jwks);
  if (verdict.outcome === "unchecked") return refuse("invalid_request", `The keys cannot be used: ${verdict.reason}.`);
  if (verdict.outcome !== "valid") return invalid(verdict.reason);
  const said = statement.safeParse(verdict.statement);
  if (!said.success) {
    const [issue] = said.error.issues;
    return invalid(`${issue?.path.join(".") ?? "it"}: ${issue?.message ?? "unknown"}`);
  }
  const { madeAt, models } = said.data.predicate;
  return { outcome: "opened", bundle: { madeAt, models }, keyId: verdict.keyId };
}

function invalid(why: string): Refusal {
  return refuse("model_invalid", `The bundle cannot be used: ${why}.`);
}
