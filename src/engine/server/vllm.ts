import { membersOf } from "./control.ts";
import type { Flavour } from "./flavour.ts";

/**
 * vLLM. It listens on a Unix socket in a folder of this user alone, and not on a port: its key guards `/v1` only, and
 * the development endpoints that hold, release and put to sleep would be open to everybody on the machine.
 */
export const vllm: Flavour = {
  name: "vllm",
  complete: ({ command, environment }) => ({
    // The last of two equal options holds, so that these hold whatever the settings say.
    command: [
      ...command,
      ...(command.some((element) => element.startsWith("--structured-outputs-config")) ? [] : compactJson),
      "--uds",
      "{socket}",
      "--served-model-name",
      "{name}",
      "--max-model-len",
      "{contextTokens}",
      "--max-num-seqs",
      "{sequences}",
      // Without it an answer does not say how much of its prompt was cached.
      "--enable-prompt-tokens-details",
      // Each turn would write two lines.
      "--disable-uvicorn-access-log",
    ],
    environment: {
      HF_HUB_OFFLINE: "1",
      VLLM_NO_USAGE_STATS: "1",
      DO_NOT_TRACK: "1",
      ...environment,
      VLLM_API_KEY: "{key}",
      VLLM_SERVER_DEV_MODE: "1",
      // Its own processes talk to one another on this address.
      VLLM_HOST_IP: "127.0.0.1",
      ...(command.includes("--enable-lora") ? { VLLM_ALLOW_RUNTIME_LORA_UPDATING: "1" } : {}),
    },
  }),
  async build(control) {
    const { version } = membersOf((await control.ask("GET", "/version")).value);
    return `vllm ${typeof version === "string" ? version : "(version unknown)"}`;
  },
  orders: (_, control) => ({
    // What runs is kept with its KV; with the cache cleared it would be computed again.
    hold: () => control.order("/pause?mode=keep&clear_cache=false"),
    release: () => control.order("/resume"),
  }),
  countsPrompts: true,
  extraFields: (cacheSalt) => ({ cache_salt: cacheSalt }),
  canSleep: (command) => command.includes("--enable-sleep-mode"),
};

/** Else a small model may write white space between two JSON tokens until its answer is full. */
const compactJson = ["--structured-outputs-config", '{"backend":"xgrammar","disable_any_whitespace":true}'];
