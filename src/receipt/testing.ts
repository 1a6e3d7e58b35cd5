import type { StatementFacts } from "./statement.ts";

/** What tests and benches of receipts share: the facts of a small answer in one place. */
export function exampleFacts(changes: Partial<StatementFacts> = {}): StatementFacts {
  const digest = { keyId: "dgk_1", value: "00".repeat(32), bytes: 3 };
  const place = { site: "here", jurisdiction: "DE", operator: "Example Cloud GmbH" };
  return {
    salt: "AAECAwQFBgcICQoLDA0ODw",
    receipt: "rcpt_1",
    request: "req_1",
    organisation: "org_1",
    tenant: "prj_1",
    endpoint: "chat.completions",
    model: { name: "modèle", sha256: null, adapter: null },
    engine: { name: "fake", build: "fake 1" },
    hops: [
      { kind: "gateway", name: "gw_1", ...place },
      { kind: "host", name: "host_1", ...place },
    ],
    policy: {
      decision: "permitted",
      version: "rules-1",
      digest: "0".repeat(64),
      dataClass: "public",
      narrowing: null,
      rejected: [],
    },
    evidence: { jurisdiction: "operator-attested" },
    usage: { inputTokens: 3, cachedInputTokens: 0, outputTokens: 2, reasoningTokens: 0 },
    unrated: null,
    price: { version: "1", currency: "EUR", listAmount: "0.0000011" },
    ending: "stop",
    requestMeaning: { form: "chat.completions/1", keyId: "dgk_1", value: "11".repeat(32) },
    answerMeaning: { form: "chat.completions/1", keyId: "dgk_1", value: "22".repeat(32) },
    startedAtMs: Date.parse("2026-11-24T00:00:00Z"),
    endedAtMs: Date.parse("2026-11-24T00:00:00.250Z"),
    requestDigest: digest,
    responseDigest: { ...digest, complete: true },
    ...changes,
  };
}
