import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createMeters } from "./index.ts";
import { told } from "./told-pool.ts";

const page = readFileSync(new URL("../../docs/reference/metrics.md", import.meta.url), "utf8");

interface Metric {
  readonly name: string;
  readonly type: string;
  readonly labels: string;
  readonly meaning: string;
}

/** Everything that is served once each metric has a value. */
async function served(): Promise<readonly Metric[]> {
  const meters = createMeters({
    journal: () => ({ records: 3, batches: 2, bytes: 100, lastSyncMs: 1.5, unshippedRecords: 1 }),
    destinations: () => [{ name: "host_1", ready: true, running: 2 }],
    directoryConfirmedAgoMs: () => 250,
    pools: () => [told],
    reservedShares: () => [{ project: "ministry/app", share: 0.25 }],
  });
  meters.began();
  const tokens = { inputTokens: 10, outputTokens: 3 };
  const times = { firstPartMs: 20, totalMs: 60 };
  meters.ended({ endpoint: "completions", model: "m", ending: "stop", ...tokens, ...times, unrated: true });
  meters.refused("rate_limited");
  meters.alerted("budget");
  const text = await meters.scrape();
  return [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)\n((?:[^#\n].*\n)+)/gm)].map(
    ([, name = "", meaning = "", type = "", samples = ""]) => {
      const labels = new Set([...samples.matchAll(/[{,](\w+)="/g)].map(([, label]) => label!));
      labels.delete("le");
      // The page says once what holds for every counter of a host.
      const own = meaning.replace(/ Since the host started: .*$/, "");
      return { name, type, labels: [...labels].toSorted().join(", "), meaning: own };
    },
  );
}

test("docs/reference/metrics.md has every metric that is served, as it is served", async () => {
  const rows = [...page.matchAll(/^\| `(\w+)` +\| (\w+) +\| (.*?) *\| (.*?) *\| (.*?) *\|$/gm)];
  const all = await served();
  const byName = (a: Metric, b: Metric): number => a.name.localeCompare(b.name, "en");
  assert.deepEqual(
    rows
      .map(([, name = "", type = "", labels = "", , meaning = ""]): Metric => {
        const sorted = labels.replaceAll("`", "").split(", ").toSorted().join(", ");
        return { name, type, labels: sorted === "–" ? "" : sorted, meaning };
      })
      .toSorted(byName),
    all.toSorted(byName),
  );
  for (const [, name = "", , , unit = ""] of rows) {
    const [, said] = /_(seconds|bytes)(_total)?$/.exec(name) ?? [];
    if (said !== undefined) assert.equal(unit, said, name);
  }
});
