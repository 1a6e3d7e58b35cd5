import { test } from "node:test";
import { hostCan, openHost } from "../../contract/host.ts";
import { contractSuite } from "../../contract/suite.ts";
import { engine, model, settings, skipped } from "./vllm.ts";

const name = "the real vLLM, run by a host";
if (skipped !== false) test(name, { skip: skipped }, () => undefined);
else {
  const host = { kind: "vllm", ...engine, server: settings, fake: {} } as const;
  contractSuite(name, () => openHost(host, model, "Tell me a long story about a river."), hostCan);
}
