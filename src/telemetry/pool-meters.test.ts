import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import { type PoolOfHost, poolMeters } from "./pool-meters.ts";
import { told } from "./told-pool.ts";

test("what hosts told is scraped in base units, under bounded labels, and vanishes with its host", async () => {
  const registry = new Registry();
  let pools: readonly PoolOfHost[] = [told];
  let shares = [{ project: "ministry/app", share: 0.25 }];
  poolMeters(
    registry,
    () => pools,
    () => shares,
  );
  const text = await registry.metrics();
  for (const line of [
    'reserved_share{project="ministry/app"} 0.25',
    'figures_age_seconds{host="host_1"} 0.4',
    'memory_bytes{host="host_1"} 100',
    'used_bytes{host="host_1"} 10',
    'pending_requests{host="host_1"} 1',
    'turn_sequences{host="host_1"} 3',
    'models{host="host_1",state="resident"} 1',
    'models{host="host_1",state="failed"} 0',
    'model_state{host="host_1",model="m",state="resident"} 1',
    'model_state{host="host_1",model="m",state="too_large"} 0',
    'model_bytes{host="host_1",model="m"} 10',
    'waiting_requests{host="host_1",model="m"} 2',
    'running_requests{host="host_1",model="m"} 3',
    'slack_seconds{host="host_1",model="m"} -0.25',
    'idle_seconds{host="host_1",model="m"} 0',
    'turns_total{host="host_1"} 7',
    'busy_seconds_total{host="host_1"} 1.5',
    'loads_total{host="host_1"} 2',
    'loaded_bytes_total{host="host_1"} 30',
    'failed_loads_total{host="host_1"} 1',
    'evictions_total{host="host_1"} 1',
    'refused_total{host="host_1"} 4',
    'requests_ended_total{host="host_1"} 9',
    'requests_first_token_in_time_total{host="host_1"} 8',
    'requests_in_time_total{host="host_1"} 6',
  ]) {
    assert.ok(text.includes(`\nbailiwick_pool_${line}\n`), line);
  }
  assert.doesNotMatch(text, /(slack|idle)_seconds\{host="host_1",model="n/, "no value where there is none");
  assert.equal(await registry.metrics(), text, "nothing is counted by being looked at");
  // A host that started again counts from nothing.
  pools = [{ ...told, pool: { ...told.pool, totals: { ...told.pool.totals, turns: 1 } } }];
  assert.match(await registry.metrics(), /^bailiwick_pool_turns_total\{host="host_1"\} 1$/m);
  [pools, shares] = [[], []];
  assert.doesNotMatch(await registry.metrics(), /^bailiwick_pool_/m);
});
