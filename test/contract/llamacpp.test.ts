import { testModel } from "../models.ts";
import { hostCan, openHost } from "./host.ts";
import { contractSuite } from "./suite.ts";

const engine = { threads: 1, sequences: 8, gpu: "off", prefillSliceTokens: 64 } as const;

contractSuite(
  "llama.cpp in a host",
  async () =>
    openHost({ kind: "llamacpp", ...engine, fake: {} }, await testModel(), "Tell me a long story about a river."),
  hostCan,
);
