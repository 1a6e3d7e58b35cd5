import { type Stated, verifyReceipt } from "../../src/receipt/index.ts";
import type { Seen } from "./asking.ts";
import type { RunningCloud } from "./cloud.ts";

/** What the receipt of an answer states, fetched as its tenant does. Throws where it does not hold. */
export async function receiptOf(cloud: RunningCloud, key: string, { headers }: Pick<Seen, "headers">): Promise<Stated> {
  const id = String(headers["bailiwick-receipt"]);
  const got = await fetch(`${cloud.url}/v1/receipts/${id}`, { headers: { authorization: `Bearer ${key}` } });
  const receipt = Buffer.from(await got.arrayBuffer());
  const keys = await fetch(`${cloud.url}/.well-known/bailiwick/keys`);
  const verified = verifyReceipt({ receipt, keys: Buffer.from(await keys.arrayBuffer()) });
  if (verified.outcome !== "valid") throw new Error(`the receipt is ${verified.outcome}: ${verified.reason}`);
  return verified.stated;
}
