import { aimsSection } from "./aims-section.ts";
import { capacitySection } from "./capacity-tables.ts";
import type { Gathered } from "./gather.ts";
import type { LeftOut } from "./left-out.ts";
import { command, listItem, paragraph, section } from "./markdown.ts";
import { capacityName, scenes } from "./matrix.ts";
import type { ReportOptions } from "./options.ts";
import { ablationSection, latencySection, mixedSection } from "./other-tables.ts";
import { overloadSection } from "./overload-tables.ts";
import { referenceSection } from "./reference-points.ts";
import { sensitivitySection } from "./sensitivity.ts";
import { summaryOf } from "./summary.ts";
import { optionsOf } from "./workloads.ts";

export interface PageOptions extends Pick<ReportOptions, "extent" | "traces"> {
  readonly date: string;
  readonly leftOut: LeftOut;
}

/** The report. What is in it comes from rows that have run; the last sections name those that have not. */
export function pageOf(gathered: Gathered, options: PageOptions): string {
  const { results } = gathered;
  return `${[
    heading(gathered, options),
    aimsSection(results),
    referenceSection(results),
    capacitySection(results, options.leftOut),
    "![H100 for 99 %](pool/capacity-99.svg)",
    "![H100 for 90 %](pool/capacity-90.svg)",
    latencySection(results),
    overloadSection(results),
    ablationSection(results),
    sensitivitySection(results),
    mixedSection(results),
    workloadSection(gathered, options),
    failureSection(gathered),
    missingSection(gathered, options),
  ]
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

function heading({ results, rows }: Gathered, { extent, date }: PageOptions): string {
  const minutes = results.all.reduce((sum, { tookMs }) => sum + tookMs, 0) / 60_000;
  return [
    `# The pool, beside what others do: figures of ${date}`,
    paragraph(`In the simulator (src/sim), each policy in its own words and all on the same machine, models and times. Met
      strictly means: each token of the answer was there when it was due; a refusal is a miss. Generated workloads run
      with ${extent.seeds} seeds and ${extent.minutes} minutes of requests each; recorded traces have one run, as long as
      they are. Models are Qwen2.5-7B's size and the objective 10 s to the first token and 100 ms from token to token,
      unless something else is said. Rows: ${results.all.length} of ${rows.length}, ${minutes.toFixed(0)} minutes of one
      thread in all.`),
    summaryOf(results),
    paragraph(`The numbers that our rules leave open (src/pool/tuning.ts) were chosen on synthetic work like the first rows
      here; the other policies' are as published. Traces are the fairer comparison.`),
    paragraph(`Everything is written by this command. It runs only what neither its cache nor the rows of this page
      (pool/rows.jsonl) have:`),
    command("npm run report -- pool --traces DIR"),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function workloadSection({ results }: Gathered, { extent }: PageOptions): string {
  const items = scenes.map((scene) => {
    const { workload, shapes, objective } = scene.setting;
    const how = `\`${optionsOf(workload, extent)} --models ${shapes} --slo ${objective}\``;
    const notes = results.capacity(capacityName(scene, "link", "ours"))?.notes ?? [];
    // Each seed says which it is: once is enough.
    const said = new Set(
      notes.map((note) => note.replace(/ by seed \d+| by seed \d+ /, "").replace(/seed \d+/, "a seed")),
    );
    const heard = workload.kind === "trace" && said.size > 0 ? ` ${[...said].join("; ")}.` : "";
    return listItem(`${scene.title}: ${how}.${heard}`);
  });
  return section(
    "The workloads, and a row by hand",
    paragraph(`Each is what the command line's simulator takes too, so that a row can be run alone: such as
      \`bailiwick sim capacity --device h100 --attainment 0.99 --policy aegaeon --link-gbps 16\` with the options below.`),
    items.join("\n"),
  );
}

function failureSection({ results }: Gathered): string {
  const items = results.all.flatMap(({ row, result }) => {
    if (result.kind === "bound" || result.failures.length === 0) return [];
    return [listItem(`${row.name}: ${result.failures.length}, such as ${result.failures[0]}`)];
  });
  if (items.length === 0) return "";
  return section(
    "Runs that were not brought to an end",
    paragraph(`What a policy gets stuck with counts as missed: requests that it never ended; and all of a run in which it
      asked for what no machine can do, or decided more than 500 times a request. A row may have reached its share by
      another set-up all the same.`),
    items.join("\n"),
  );
}

function missingSection({ results, rows }: Gathered, { traces }: PageOptions): string {
  const known = new Set(results.all.map(({ row }) => row.name));
  const missing = rows.filter(({ name }) => !known.has(name));
  const without =
    traces === undefined ? paragraph("Without --traces: rows of recorded traces and ServeGen are left out.") : "";
  if (missing.length === 0) return without === "" ? "" : section("What is missing", without);
  const groups = Map.groupBy(missing, ({ name }) => name.slice(0, name.lastIndexOf("/")));
  return section(
    "What is missing",
    without,
    paragraph("These rows have not run, or failed:"),
    [...groups]
      .map(([group, ofGroup]) =>
        listItem(
          `${group}: ${ofGroup
            .map(({ name }) => {
              const failure = results.failures.get(name);
              return `${name.slice(name.lastIndexOf("/") + 1)}${failure === undefined ? "" : ` (${failure})`}`;
            })
            .join(", ")}`,
        ),
      )
      .join("\n"),
  );
}
