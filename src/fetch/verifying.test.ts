import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../base/index.ts";
import { type AnswerVerdict, memoryPins, verifying } from "./index.ts";

const logKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const digestKey = { kty: "oct", alg: "HS256", kid: "dgk_01KA0000000000000000000001", k: "A".repeat(43) };

/** A cloud that names its receipt so, and what it was asked for. */
async function answeredWith(receipt: string): Promise<{ verdict: AnswerVerdict; asked: string[] }> {
  const asked: string[] = [];
  const verdicts: AnswerVerdict[] = [];
  const cloud: typeof fetch = (input) => {
    const url = new URL(String(input instanceof Request ? input.url : input));
    asked.push(url.pathname);
    if (url.pathname.endsWith("/digest-key")) return Promise.resolve(Response.json(digestKey));
    if (!url.pathname.endsWith("/completions")) return Promise.resolve(new Response("", { status: 404 }));
    return Promise.resolve(new Response("{}", { headers: { "bailiwick-receipt": receipt } }));
  };
  const wrapped = verifying(
    { logKeys: [logKey], pins: memoryPins(), fetch: cloud, onVerdict: (verdict) => void verdicts.push(verdict) },
    new ManualClock(),
  );
  const answer = await wrapped("https://one.example/tenants/a/v1/completions", {
    method: "POST",
    headers: { authorization: "Bearer bwk_secret" },
    body: "{}",
  });
  await answer.text();
  await wrapped.settled();
  return { verdict: verdicts[0]!, asked };
}

test("nothing but receipts is asked for with a client's credentials, whatever an answer names as its receipt", async () => {
  const id = "rcpt_01KA0000000000000000000001";
  const named = ["../../../b/delete", "..%2f..%2fb", `${id}?all`, `${id}#`, `${id}, ${id}`, "", " ", "x"];
  for (const receipt of named) {
    const { verdict, asked } = await answeredWith(receipt);
    assert.equal(verdict.outcome, "invalid", receipt);
    assert.deepEqual(asked.toSorted(), ["/tenants/a/v1/completions", "/tenants/a/v1/receipts/digest-key"], receipt);
  }
  const { asked } = await answeredWith(id);
  assert.ok(asked.includes(`/tenants/a/v1/receipts/${id}`));
});
