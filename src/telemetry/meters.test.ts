import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Histogram, Registry } from "prom-client";
import { createMeters, type EndedRequest } from "./index.ts";
import { Tally } from "./tally.ts";

const gauges = {
  journal: () => ({ records: 3, batches: 2, bytes: 100, lastSyncMs: 1.5, unshippedRecords: 1 }),
  destinations: () => [{ name: "host_1", ready: true, running: 2 }],
  directoryConfirmedAgoMs: () => 250,
  pools: () => [],
  reservedShares: () => [],
};

const ended: EndedRequest = {
  endpoint: "chat.completions",
  model: "m",
  ending: "stop",
  inputTokens: 10,
  outputTokens: 3,
  firstPartMs: 20,
  totalMs: 60,
  unrated: false,
};

test("a tally scrapes like the histogram that it stands for, whatever is observed", async () => {
  const buckets = [0.01, 0.1, 1];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom("a", 'b"\\\n'), fc.double({ noNaN: true, min: 0, max: 10 }))),
      async (seen) => {
        const [tallied, plain] = [new Registry(), new Registry()];
        const tally = new Tally({ name: "t", help: "h", labelNames: ["l"], buckets, registry: tallied });
        const histogram = new Histogram({ name: "t", help: "h", labelNames: ["l"], buckets, registers: [plain] });
        const series = new Map<string, ReturnType<typeof tally.series>>();
        for (const [label, value] of seen) {
          histogram.observe({ l: label }, value);
          if (!series.has(label)) series.set(label, tally.series({ l: label }));
          series.get(label)!.observe(value);
        }
        const sorted = (text: string): string[] => text.split("\n").toSorted();
        assert.deepEqual(sorted(await tallied.metrics()), sorted(await plain.metrics()));
      },
    ),
  );
});

test("requests are counted by how they ended, and their times and tokens land in their buckets", async () => {
  const meters = createMeters(gauges);
  for (const request of [ended, { ...ended, ending: "abort", unrated: true, firstPartMs: undefined }, ended]) {
    meters.began();
    meters.ended(request);
  }
  meters.began();
  meters.refused("rate_limited");
  const text = await meters.scrape();
  const labels = 'gen_ai_operation_name="chat.completions",gen_ai_request_model="m"';
  for (const line of [
    `bailiwick_requests_total{${labels},ending="stop"} 2`,
    `bailiwick_requests_total{${labels},ending="abort"} 1`,
    `bailiwick_unrated_total{${labels}} 1`,
    `bailiwick_refusals_total{code="rate_limited"} 1`,
    "bailiwick_requests_in_flight 1",
    `gen_ai_server_request_duration_seconds_count{${labels}} 3`,
    `gen_ai_server_time_to_first_token_seconds_count{${labels}} 2`,
    `gen_ai_server_time_per_output_token_seconds_count{${labels}} 2`,
    `gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="input"} 30`,
    "bailiwick_journal_records 3",
    'bailiwick_destination_running{destination="host_1",ready="true"} 2',
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
  // A second scrape says the same: nothing is counted by being looked at.
  assert.equal(await meters.scrape(), text);
  assert.deepEqual([meters.inFlight, meters.totals], [1, { requests: 3, inputTokens: 30, outputTokens: 9 }]);
});
