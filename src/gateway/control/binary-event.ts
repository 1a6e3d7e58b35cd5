import type { IncomingHttpHeaders } from "node:http";
import { refuse, type Refusal } from "../../base/index.ts";

/** What an attribute's header begins with (HTTP protocol binding 1.0.2, 3.1.3.1). */
const prefix = "ce-";

/**
 * A CloudEvent whose attributes are headers and whose body is its data (binary mode, 3.1), as one that is whole; undefined where the
 * request is none. The type of a body that is a whole event, or several, says so, and then headers mean nothing (section 3).
 */
export function binaryEvent(
  headers: IncomingHttpHeaders,
  data: unknown,
): { readonly outcome: "read"; readonly event: object } | Refusal | undefined {
  if (headers["content-type"]?.trim().toLowerCase().startsWith("application/cloudevents") === true) return undefined;
  const attributes: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(prefix) || value === undefined) continue;
    const text = valueOf(String(value));
    if (text === undefined) {
      return refuse("invalid_request", `The header ${name} is no UTF-8 in percent-encoding.`, { param: name });
    }
    attributes.push([name.slice(prefix.length), text]);
  }
  return attributes.length === 0 ? undefined : { outcome: "read", event: { ...Object.fromEntries(attributes), data } };
}

/** Section 3.1.3.2: without its quotes, if it has any, and then without percent-encoding. */
function valueOf(header: string): string | undefined {
  const bare = /^".*"$/s.test(header) ? header.slice(1, -1).replaceAll(/\\(.)/gs, "$1") : header;
  try {
    return decodeURIComponent(bare);
  } catch {
    return undefined;
  }
}
