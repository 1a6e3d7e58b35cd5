import { acceleratorsCell, unknown } from "./cells.ts";
import { command, paragraph, percent, section, table } from "./markdown.ts";
import { capacityName, referenceName, scenes } from "./matrix.ts";
import type { Results } from "./results.ts";

/** What Aegaeon's authors' simulator gives, 16 H100, models of 7B, 0.1 requests/s each, 10 s / 100 ms, strict. */
const published = [
  { policy: "aegaeon", models: 48, share: [0.97, 0.97] },
  { policy: "aegaeon", models: 64, share: [0.73, 0.73] },
  { policy: "aegaeon", models: 80, share: [0.46, 0.55] },
  { policy: "serverlessllm-artifact", models: 40, share: [0.86, 0.86] },
  { policy: "serverlessllm-artifact", models: 48, share: [0.8, 0.8] },
  { policy: "serverlessllm-artifact", models: 64, share: [0.58, 0.58] },
] as const;

const publishedAccelerators = [
  { models: 64, at90: 20, at99: 24 },
  { models: 80, at90: 24, at99: 28 },
] as const;

export function referenceSection(results: Results): string {
  const rows = published.map(({ policy, models, share: [least, most] }) => [
    policy,
    String(models),
    least === most ? percent(least) : `${percent(least)} to ${percent(most)}`,
    shareCell(results, referenceName(models, 2, policy)),
    shareCell(results, referenceName(models, 30, policy)),
    distance(results, referenceName(models, 2, policy), least, most),
    distance(results, referenceName(models, 30, policy), least, most),
  ]);
  const counts = publishedAccelerators.map(({ models, at90, at99 }) => {
    const name = capacityName(scenes[models === 64 ? 0 : 1]!, "link", "aegaeon");
    return [`${models} models`, `${at90} / ${at99}`, cells(results, name)];
  });
  return section(
    "How near the reference points",
    paragraph(`Aegaeon's authors published what their simulator gives on 16 H100 for models of 7B with 0.1 requests/s each,
      10 s / 100 ms, met strictly, in %. Here are the same policies on our machine: the mean over the seeds (and the least
      and the most), with requests for 2 minutes, as long as the traces that they published, and for 30 minutes. The
      last columns are how many points ours are above what is published, or below it.`),
    command("npm run report -- pool --only reference/"),
    table(["policy", "models", "published", "2 minutes", "30 minutes", "off, 2 min", "off, 30 min"], rows),
    paragraph(`Accelerators that Aegaeon needs for 90 % and 99 %. Here every one of the seeds has to reach it; of how many
      draws the published numbers are is not said. All of them are multiples of four.`),
    command('npm run report -- pool --only "Poisson/link/aegaeon"'),
    table(["", "published", "here"], counts),
  );
}

function cells(results: Results, name: string): string {
  return `${acceleratorsCell(results, name, 0.9)} / ${acceleratorsCell(results, name, 0.99)}`;
}

function shareCell(results: Results, name: string): string {
  const figures = results.share(name)?.figures;
  if (figures === undefined) return unknown;
  const { attainmentStrict, attainmentPerSeed } = figures;
  return `${percent(attainmentStrict)} (${percent(Math.min(...attainmentPerSeed))} to ${percent(Math.max(...attainmentPerSeed))})`;
}

/** In points; 0 within what is published. */
function distance(results: Results, name: string, least: number, most: number): string {
  const mean = results.share(name)?.figures.attainmentStrict;
  if (mean === undefined) return unknown;
  const points = 100 * (mean < least ? mean - least : Math.max(0, mean - most));
  return `${points >= 0 ? "+" : ""}${points.toFixed(1)}`;
}
