import { test } from "node:test";
import { testModel } from "../models.ts";
import { hostCan, openHost } from "./host.ts";
import { llamaProgram } from "./llama-program.ts";
import { contractSuite } from "./suite.ts";

const name = "llama.cpp's own server, run by a host";
const server = await llamaProgram();
if (server === undefined) test(name, { skip: "its package cannot be had here" }, () => undefined);
else {
  const engine = { threads: 1, sequences: 4, gpu: "off", prefillSliceTokens: 64, loadTimeoutMs: 60_000 } as const;
  contractSuite(
    name,
    async () =>
      openHost(
        { kind: "server", ...engine, server, fake: {} },
        await testModel(),
        "Tell me a long story about a river.",
      ),
    hostCan,
  );
}
