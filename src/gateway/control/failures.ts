import type { FastifyError } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { describeInvalid, refuse, type Refusal, RefusalError } from "../../base/index.ts";

/** The refusal that an error of a request stands for; undefined where it is a defect or broken I/O. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof RefusalError) return error.refusal;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [first] = error.validation;
    const param = pathOf(first?.instancePath ?? "", unknownKeys(first?.params)[0]);
    const message = describeInvalid(param === "" ? "The request" : `\`${param}\``, first?.message ?? "unknown");
    return refuse("invalid_request", message, param === "" ? {} : { param });
  }
  switch ((error as Partial<FastifyError> | null)?.code) {
    case "FST_ERR_CTP_INVALID_JSON_BODY":
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return refuse("malformed_json", "The body is not valid JSON.");
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return refuse("body_too_large", "The body is larger than the control API takes.");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return refuse("unsupported_media_type", "The body is not JSON.");
    case "FST_ERR_BAD_URL":
    case "FST_ERR_MAX_PARAM_LENGTH":
      return refuse("invalid_request", "The path is not valid.");
    default:
      return undefined;
  }
}

/** Whether work ended because its client left. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** "/limits/models/0" -> "limits.models[0]", with an unknown member's own name behind it. */
function pathOf(pointer: string, unknownKey: string | undefined): string {
  const steps = pointer.split("/").filter((step) => step !== "");
  if (unknownKey !== undefined) steps.push(unknownKey.slice(0, 100));
  return steps.reduce((path, step) => {
    if (/^\d+$/.test(step)) return `${path}[${step}]`;
    return path === "" ? step : `${path}.${step}`;
  }, "");
}

function unknownKeys(params: unknown): readonly string[] {
  const { keys } = (params ?? {}) as { readonly keys?: unknown };
  return Array.isArray(keys) ? keys.filter((key) => typeof key === "string") : [];
}
