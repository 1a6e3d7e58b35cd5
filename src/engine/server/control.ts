import { Address } from "../upstream/index.ts";
import type { Reach } from "./reach.ts";

const connectTimeoutMs = 10_000;

/** The questions and orders beside the answers, on connections of their own, so that they never wait behind these. */
export class Control {
  readonly #headers: readonly string[];
  readonly #address: Address;

  /** `answerTimeoutMs`: a question that is not answered by then has failed. */
  constructor({ url, socketPath, key }: Pick<Reach, "url" | "socketPath" | "key">, answerTimeoutMs: number) {
    this.#headers = ["authorization", `Bearer ${key}`];
    this.#address = new Address({
      url,
      ...(socketPath === undefined ? {} : { socketPath }),
      connections: 4,
      keepAlive: false,
      connectTimeoutMs,
      firstByteTimeoutMs: answerTimeoutMs,
      idleTimeoutMs: answerTimeoutMs,
    });
  }

  /** Rejects where it does not answer; a body that is no JSON is undefined. */
  async ask(
    method: "GET" | "POST",
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly value: unknown }> {
    const { status, text } = await this.#address.text(method, path, { headers: [...this.#headers], body });
    return { status, value: parsed(text) };
  }

  /** Rejects where the answer is another one than 200. */
  async order(path: string, body?: unknown): Promise<void> {
    const { status, value } = await this.ask("POST", path, body);
    if (status !== 200) throw new Error(`POST ${path} answered ${status}: ${messageOf(value)}`);
  }

  close(): Promise<void> {
    return this.#address.destroy();
  }
}

/** The words of an error's body, in OpenAI's shape or any other. */
export function messageOf(value: unknown): string {
  const { error, message, detail } = membersOf(value);
  const inner = membersOf(error)["message"] ?? message ?? (typeof error === "string" ? error : detail);
  return (typeof inner === "string" ? inner : (JSON.stringify(value ?? "") ?? "")).slice(0, 1_000);
}

export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
