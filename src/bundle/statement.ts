import { createPublicKey, verify } from "node:crypto";
import { z } from "zod";
import { type CanonicalValue, canonicalJson, decodeBase64, refuse, type Refusal } from "../base/index.ts";
import { modelEntrySchema } from "../catalog/index.ts";
import { preAuthenticationEncoding } from "../receipt/index.ts";
import type { BundleKey } from "./key.ts";

/** An in-toto Statement (github.com/in-toto/attestation, spec/v1) in a DSSE envelope (secure-systems-lab/dsse, v1). */
const statementType = "https://in-toto.io/Statement/v1";
const payloadType = "application/vnd.in-toto+json";
const predicateType = "https://bailiwick.example/bundle/v1";

export const statementName = "bundle.json";
export const statementBytesMax = 8 * 1024 * 1024;
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

const envelope = z.strictObject({
  payload: z.string(),
  payloadType: z.literal(payloadType),
  signatures: z
    .array(z.strictObject({ keyid: z.string().max(200), sig: z.string().max(200) }))
    .min(1)
    .max(16),
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
  const said = {
    _type: statementType,
    subject: digests.map((digest) => ({ name: fileName(digest), digest: { sha256: digest } })),
    predicateType,
    predicate: { v: 1, madeAt, models },
  };
  const payload = Buffer.from(canonicalJson(said as unknown as CanonicalValue));
  const sig = key.sign(preAuthenticationEncoding(payloadType, payload)).toString("base64");
  const signed = { payload: payload.toString("base64"), payloadType, signatures: [{ keyid: key.id, sig }] };
  return `${JSON.stringify(signed)}\n`;
}

/** Reads a bundle's statement; refuses it where no key of the set has signed it, before anything in it is believed. */
export function openStatement(
  bytes: Buffer,
  jwks: Buffer,
): { readonly outcome: "opened"; readonly bundle: Bundle; readonly keyId: string } | Refusal {
  const parsed = envelope.safeParse(jsonOf(bytes));
  if (!parsed.success) return invalid("it is no signed statement");
  const payload = decodeBase64(parsed.data.payload);
  if (payload === undefined) return invalid("its payload is not base64");
  const keys = publicKeys(jwks);
  if (keys === undefined) return refuse("invalid_request", "The keys are no JSON Web Key Set of Ed25519 keys.");
  const signed = preAuthenticationEncoding(payloadType, payload);
  const by = parsed.data.signatures.find(({ sig }) => {
    const signature = decodeBase64(sig);
    return signature !== undefined && keys.some((key) => verify(null, signed, key, signature));
  });
  if (by === undefined) return invalid("none of the keys that were given has signed it");
  const said = statement.safeParse(jsonOf(payload));
  if (!said.success) {
    const [issue] = said.error.issues;
    return invalid(`${issue?.path.join(".") ?? "it"}: ${issue?.message ?? "unknown"}`);
  }
  const { madeAt, models } = said.data.predicate;
  return { outcome: "opened", bundle: { madeAt, models }, keyId: by.keyid };
}

function invalid(why: string): Refusal {
  return refuse("model_invalid", `The bundle cannot be used: ${why}.`);
}

function publicKeys(jwks: Buffer) {
  try {
    const { keys } = z.object({ keys: z.array(z.looseObject({})).max(100) }).parse(jsonOf(jwks));
    const read = keys.map((key) => createPublicKey({ key, format: "jwk" }));
    return read.every(({ asymmetricKeyType }) => asymmetricKeyType === "ed25519") ? read : undefined;
  } catch {
    // Another form, or a key that is none.
    return undefined;
  }
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    // Whoever asked says what it should have been.
    return undefined;
  }
}
