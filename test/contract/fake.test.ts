import { hostCan, openHost } from "./host.ts";
import { contractSuite } from "./suite.ts";

const engine = { threads: 1, sequences: 8, gpu: "off", prefillSliceTokens: 64, loadTimeoutMs: 60_000 } as const;
const model = { name: "fake", path: "", sha256: "ab", contextTokens: 2_048 };

contractSuite(
  "the fake in a host",
  () => openHost({ kind: "fake", ...engine, fake: {} }, model, "[[fake:tokens=1000]] [[fake:token-ms=2]]"),
  hostCan,
);
