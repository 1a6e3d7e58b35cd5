/** A call of an endpoint that runs a model: the answers of these have receipts. */
export interface Sent {
  readonly url: string;
  /** Where the cloud is, with a slash behind it: what stands before "v1/". */
  readonly root: string;
  readonly endpoint: string;
  /** The exact bytes; undefined: they are nowhere to be had, because they are a stream's or a form's. */
  readonly body: Uint8Array | undefined;
  /** The key of the project, as it was sent; its receipts are asked for with it. */
  readonly credentials: Readonly<Record<string, string>>;
  /** What the request's own headers say of where it may run. */
  readonly narrowing: Readonly<Record<string, string>>;
}

const endpoints: readonly (readonly [path: string, endpoint: string])[] = [
  ["v1/chat/completions", "chat.completions"],
  ["v1/completions", "completions"],
  ["v1/embeddings", "embeddings"],
  ["v1/responses", "responses"],
  ["v1/messages", "messages"],
];
const credentialHeaders = ["authorization", "x-api-key"];
const ourPrefix = "bailiwick-";

/** Undefined for what has no receipts. Reads a `Request`'s body from a copy of it. */
export async function sentBy(input: string | URL | Request, init: RequestInit | undefined): Promise<Sent | undefined> {
  const request = input instanceof Request ? input : undefined;
  const url = input instanceof Request ? input.url : typeof input === "string" ? input : input.href;
  const [path = ""] = url.split(/[?#]/, 1);
  const [suffix, endpoint] = endpoints.find(([each]) => path.endsWith(`/${each}`)) ?? [];
  const method = init?.method ?? request?.method ?? "GET";
  if (suffix === undefined || endpoint === undefined || method.toUpperCase() !== "POST") return undefined;
  const headers = new Headers(init?.headers ?? request?.headers);
  return {
    url,
    root: path.slice(0, -suffix.length),
    endpoint,
    body: init?.body == null ? await copied(request) : bytesOf(init.body),
    credentials: those(headers, (name) => credentialHeaders.includes(name)),
    narrowing: those(headers, (name) => name.startsWith(ourPrefix)),
  };
}

async function copied(request: Request | undefined): Promise<Uint8Array | undefined> {
  return request === undefined ? undefined : new Uint8Array(await request.clone().arrayBuffer());
}

function bytesOf(body: NonNullable<RequestInit["body"]>): Uint8Array | undefined {
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body instanceof URLSearchParams) return new TextEncoder().encode(String(body));
  if (body instanceof ArrayBuffer) return new Uint8Array(body.slice());
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice();
  return undefined;
}

function those(headers: Headers, which: (name: string) => boolean): Readonly<Record<string, string>> {
  return Object.fromEntries([...headers].filter(([name]) => which(name)));
}
