import type { Objective } from "../pool/index.ts";
import { SimulationError } from "./problem.ts";

/** `10s/100ms`: until the first token, and from token to token. */
export function parseObjective(text: string): Objective {
  const [ttft, tpot, ...more] = text.split("/");
  const ttftMs = durationMs(ttft);
  const tpotMs = durationMs(tpot);
  if (ttftMs === undefined || tpotMs === undefined || more.length > 0) {
    throw new SimulationError(
      `"${text}" is no objective: write 10s/100ms, the time to the first token and from token to token`,
    );
  }
  return { ttftMs, tpotMs };
}

function durationMs(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text?.trim() ?? "");
  if (match === null) return undefined;
  const value = Number(match[1]) * (match[2] === "s" ? 1000 : 1);
  return value > 0 && value <= 86_400_000 ? value : undefined;
}
