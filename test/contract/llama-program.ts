import { fileURLToPath } from "node:url";
import { installed } from "../llama-server.ts";

/** How a host of kind `server` starts llama.cpp's own server; undefined where its package cannot be had. */
export async function llamaProgram(place: "{port}" | "{socket}" = "{port}"): Promise<
  | {
      readonly command: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
      readonly startTimeoutMs: number;
    }
  | undefined
> {
  const folder = await installed().catch(() => undefined);
  if (folder === undefined) return undefined;
  const script = fileURLToPath(new URL("./llama-program.py", import.meta.url));
  return {
    command: ["python3", script, "{path}", "{name}", place, "{sequences}", "{contextTokens}"],
    environment: { PATH: process.env["PATH"] ?? "", PYTHONPATH: folder, LLAMA_API_KEY: "{key}" },
    startTimeoutMs: 60_000,
  };
}
