import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { ManualClock } from "../base/index.ts";
import { FakeDisk, intentBytesMax, noteBytesMax, openJournal, sealBytesMax, settlementBytesMax } from "./index.ts";

const reference = await readFile(new URL("../../docs/reference/journal.md", import.meta.url), "utf8");

/** Two requests: one answered on its own; one refused note and a second intent in the batches after it. */
async function exampleSegment(): Promise<string> {
  const disk = new FakeDisk();
  const journal = await openJournal({
    disk,
    clock: new ManualClock(),
    installation: "inst_01KA0000000000000000000000",
    gateway: "gw_01KA0000000000000000000000",
    segmentBytes: 64 * 1024,
    seal: (payloads) => JSON.stringify({ keyid: "key", sig: `over ${payloads.length}` }),
  });
  const first = journal.intend("req_01KA0000000000000000000001", '{"model":"m"}');
  if (first.outcome === "refused") throw new Error(first.message);
  await first.durable;
  await journal.settle(first, '{"usage":{"outputTokens":2}}', '{"receipt":"rcpt_01KA0000000000000000000001"}').durable;
  journal.note("refusal", '{"code":"rate_limited"}');
  const second = journal.intend("req_01KA0000000000000000000002", '{"model":"m"}');
  if (second.outcome === "refused") throw new Error(second.message);
  await second.durable;
  const bytes = disk.bytesOf("0000000001.journal").subarray(0, journal.durable.offset);
  await journal.close();
  return bytes.toString("utf8");
}

test("the reference's example is what this code writes", async () => {
  const example = /```text\n([^`]*)```/.exec(reference)?.[1];
  assert.equal(example, await exampleSegment());
});

test("the reference names the bounds that this code has", () => {
  for (const [name, bytes] of Object.entries({ intentBytesMax, settlementBytesMax, noteBytesMax, sealBytesMax })) {
    assert.match(reference, new RegExp(`\\b${bytes.toLocaleString("en-US")}\\b`), name);
  }
});
