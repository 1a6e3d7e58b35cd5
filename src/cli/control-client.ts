import { createInterface } from "node:readline";
import { failureOfBody, parsed } from "./failure.ts";
import { ask, connectionFailure, type HttpAnswer, type HttpQuestion, readText } from "./http.ts";

interface ClientOptions {
  readonly url: string;
  readonly token: string;
}

type Query = Readonly<Record<string, string | undefined>>;

const usualIdleTimeoutMs = 60_000;
const rowsPerPage = 1000;
/** More rows than a person reads and fewer than the memory holds. */
const mostRows = 1_000_000;

/** The control API as commands use it: every refusal becomes a `CommandFailure`. */
export class ControlClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** `path` is below /control/v1; its parameters must be encoded (see `pathOf`). */
  async get<Answer>(path: string, query: Query = {}, bounds: Bounds = {}): Promise<Answer> {
    return (await this.#json("GET", path, { query, ...bounds })) as Answer;
  }
  async send<Answer>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<Answer> {
    return (await this.#json(method, path, { body })) as Answer;
  }
  /** For what may take long without a word. */
  async sendPatiently<Answer>(path: string, body: unknown): Promise<Answer> {
    return (await this.#json("POST", path, { body, idleTimeoutMs: undefined })) as Answer;
  }

  /** All rows of a list, page by page. */
  async list<Row>(path: string, query: Query = {}): Promise<readonly Row[]> {
    const rows: Row[] = [];
    for await (const items of this.pages<Row>(path, query)) {
      rows.push(...items);
      if (rows.length >= mostRows) break;
    }
    return rows;
  }

  /** The pages of a list, however many they are. */
  async *pages<Row>(path: string, query: Query = {}): AsyncGenerator<readonly Row[], void, void> {
    let after: string | undefined;
    do {
      const limit = String(rowsPerPage);
      const page = await this.get<{ items: Row[]; next: string | null }>(path, { ...query, limit, after });
      yield page.items;
      after = page.next ?? undefined;
    } while (after !== undefined);
  }

  /** Lines of JSON as they come. */
  async *lines<Line>(path: string, body?: unknown): AsyncGenerator<Line> {
    const { url, answer } = await this.#ask("POST", path, { body, idleTimeoutMs: undefined });
    try {
      for await (const line of createInterface({ input: answer.body, crlfDelay: Infinity })) {
        if (line !== "") yield JSON.parse(line) as Line;
      }
    } catch (error) {
      throw connectionFailure(error, url);
    }
  }

  async #json(method: string, path: string, more: More): Promise<unknown> {
    const { url, answer } = await this.#ask(method, path, more);
    const value = parsed(await readText(answer, url));
    if (value === undefined) throw failureOfBody(answer.status, "");
    return value;
  }

  async #ask(
    method: string,
    path: string,
    { query = {}, body, ...bounds }: More,
  ): Promise<{ readonly url: URL; readonly answer: HttpAnswer }> {
    const { token } = this.#options;
    const url = new URL(`/control/v1${path}`, this.#options.url);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const answer = await ask({
      method,
      url,
      token,
      idleTimeoutMs: usualIdleTimeoutMs,
      ...bounds,
      ...(body === undefined ? {} : { body }),
    });
    if (answer.status >= 400) throw failureOfBody(answer.status, await readText(answer, url));
    return { url, answer };
  }
}

/** How long an answer is waited for: `idleTimeoutMs` undefined: as long as it takes, left out: as long as is usual. */
type Bounds = Partial<Pick<HttpQuestion, "idleTimeoutMs" | "signal">>;

interface More extends Bounds {
  readonly query?: Query;
  readonly body?: unknown;
}

/** A path whose parameters are names or ids, which may hold slashes. */
export function pathOf(texts: TemplateStringsArray, ...names: readonly string[]): string {
  return texts.map((text, at) => text + (at < names.length ? encodeURIComponent(names[at] ?? "") : "")).join("");
}
