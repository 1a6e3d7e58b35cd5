import { join } from "node:path";
import { type RunningCloud, startCloud, temporaryFolder } from "../end-to-end/cloud.ts";
import { startLlamaServer } from "../llama-server.ts";
import { testModel } from "../models.ts";
import { hostCan } from "./host.ts";
import { type Capabilities, contractSuite, type ContractTarget } from "./suite.ts";

/** The upstream adapter, reached as its users reach it: through the gateway, in front of a server of another kind. */
async function openBehind(
  server: { readonly url: string; readonly key?: string; readonly stop: () => Promise<unknown> },
  target: Pick<ContractTarget, "model" | "longPrompt" | "contextTokens" | "can">,
): Promise<{ readonly target: ContractTarget; readonly close: () => Promise<void> }> {
  const folder = temporaryFolder();
  let cloud: RunningCloud | undefined;
  const close = async (): Promise<void> => {
    await cloud?.stop();
    await server.stop();
    folder.remove();
  };
  try {
    const withKey = server.key === undefined ? [] : ["--upstream-key", "UPSTREAM_KEY"];
    cloud = await startCloud({
      data: join(folder.path, "data"),
      arguments: ["--upstream", `${server.url}/v1`, ...withKey, "--site", "DE"],
      environment: server.key === undefined ? {} : { UPSTREAM_KEY: server.key },
    });
    const headers = { authorization: `Bearer ${await cloud.newKey()}` };
    return { target: { origin: cloud.url, headers, ...target }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const llamaCan: Capabilities = {
  completions: true,
  logprobs: true,
  jsonSchema: true,
  forcedTools: false,
  namesParameters: false,
  // Completions have it in the last chunk of text.
  usageInOwnChunk: false,
  countsEveryAnswer: false,
  hostProtocol: false,
};
contractSuite(
  "llama.cpp's own server behind the upstream adapter",
  async () => {
    const { path } = await testModel();
    const server = await startLlamaServer(path, "smollm2");
    const longPrompt = "Write a long story about a lighthouse.";
    return openBehind(server, { model: "smollm2", longPrompt, contextTokens: undefined, can: llamaCan });
  },
  llamaCan,
);

const cloudCan: Capabilities = { ...hostCan, hostProtocol: false };
contractSuite(
  "another Bailiwick behind the upstream adapter",
  async () => {
    const folder = temporaryFolder();
    const behind = await startCloud({
      data: join(folder.path, "data"),
      arguments: ["--engine", "fake", "--site", "DE"],
    });
    const stop = async (): Promise<void> => {
      await behind.stop();
      folder.remove();
    };
    const longPrompt = "[[fake:tokens=1000]] [[fake:token-ms=2]]";
    const server = { url: behind.url, key: await behind.newKey(), stop };
    return openBehind(server, { model: "fake", longPrompt, contextTokens: undefined, can: cloudCan });
  },
  cloudCan,
);
