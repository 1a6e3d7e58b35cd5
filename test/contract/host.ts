import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/index.ts";
import type { ModelFile } from "../../src/engine/index.ts";
import { startHost } from "../../src/fabric/index.ts";
import type { HostSettings } from "../../src/host/index.ts";
import type { Capabilities, ContractTarget } from "./suite.ts";

export const hostCan: Capabilities = {
  completions: true,
  logprobs: true,
  jsonSchema: true,
  forcedTools: true,
  namesParameters: true,
  usageInOwnChunk: true,
  countsEveryAnswer: true,
  hostProtocol: true,
};

/** Starts a host process of ours, for the suite to run on. */
export async function openHost(
  engine: HostSettings["engine"],
  model: ModelFile,
  longPrompt: string,
): Promise<{ readonly target: ContractTarget; readonly close: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-contract-"));
  const lines: string[] = [];
  const ready = Promise.withResolvers<string>();
  const host = startHost({
    settings: {
      host: "host_01HF7YAT000000000000000000",
      folder: join(folder, "counts"),
      engine,
      models: [model],
      objective: { ttftMs: 60_000, tpotMs: 250 },
      queuedPerModel: 64,
      bodyBytes: 4 << 20,
      leaseSeconds: 10,
      drainMs: 1_000,
    },
    socketFolder: folder,
    environment: {},
    clock: systemClock,
    onState: (state, socketPath) => {
      if (state.phase === "ready") ready.resolve(socketPath);
      if (state.phase === "restarting") ready.reject(new Error(`${state.reason}\n${lines.slice(-10).join("\n")}`));
    },
    onLine: (line) => lines.push(line),
  });
  const close = async (): Promise<void> => {
    await host.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const socketPath = await ready.promise;
    const { name, contextTokens } = model;
    return {
      target: { origin: "http://host", socketPath, model: name, longPrompt, contextTokens, can: hostCan },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
