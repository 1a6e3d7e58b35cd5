import { resolve } from "node:path";
import { sleep } from "../base/index.ts";
import { type CloudOptions, readSecret, urlOf } from "./connection.ts";
import type { CommandContext } from "./context.ts";
import { CommandFailure, failureOfBody } from "./failure.ts";
import { ask, readText } from "./http.ts";

/** How a project's own answers are asked for. */
export interface TenantOptions extends CloudOptions {
  readonly apiKeyFile?: string;
}

type Place = Pick<CommandContext, "surroundings">;

export function isReceiptId(text: string): boolean {
  return /^rcpt_[0-9A-Z]{26}$/.test(text);
}

export function tenantKey({ apiKeyFile }: TenantOptions, { surroundings }: Place): string {
  if (apiKeyFile !== undefined) {
    return readSecret(resolve(surroundings.currentFolder, apiKeyFile), "the project's key", "--api-key-file");
  }
  const key = surroundings.environment["BAILIWICK_KEY"];
  if (key !== undefined && key !== "") return key;
  throw new CommandFailure("missing_key", "No key of the project is given.", {
    next: "Set BAILIWICK_KEY, or name the key's file with --api-key-file.",
  });
}

export async function fetchText(url: URL, token: string): Promise<string> {
  const answer = await ask({ method: "GET", url, token, idleTimeoutMs: 60_000 });
  const text = await readText(answer, url);
  if (answer.status >= 400) throw failureOfBody(answer.status, text);
  return text;
}

export function fetchReceipt(id: string, options: TenantOptions, context: Place): Promise<string> {
  const url = new URL(`/v1/receipts/${id}`, urlOf(options, context.surroundings));
  return fetchText(url, tenantKey(options, context));
}

const proofTries = 20;
const betweenTriesMs = 500;

/** A receipt's proof, waited for as long as a log may take that has just been opened. */
export async function fetchProof(id: string, options: TenantOptions, context: Place): Promise<string> {
  const url = new URL(`/v1/receipts/${id}/proof`, urlOf(options, context.surroundings));
  const token = tenantKey(options, context);
  for (let tries = 1; ; tries++) {
    try {
      return await fetchText(url, token);
    } catch (error) {
      if (!(error instanceof CommandFailure && error.code === "proof_pending" && tries < proofTries)) throw error;
      await sleep(context.surroundings.clock, betweenTriesMs);
    }
  }
}
