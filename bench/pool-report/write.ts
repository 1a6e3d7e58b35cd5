import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chartsOf } from "./charts.ts";
import { draw } from "./draw.ts";
import type { Gathered } from "./gather.ts";
import { type PageOptions, pageOf } from "./page.ts";
import { writeRows } from "./rows-file.ts";

/** `pool.md`, `pool/*.svg` and the rows behind them in the folder. Returns the page's path. */
export async function writeReport(gathered: Gathered, options: PageOptions, folder: string): Promise<string> {
  const plots = join(folder, "pool");
  mkdirSync(plots, { recursive: true });
  const drawn = new Set<string>();
  for (const { name, spec } of chartsOf(gathered.results)) {
    writeFileSync(join(plots, `${name}.svg`), await draw(spec));
    drawn.add(name);
  }
  writeRows(folder, gathered.results.all, gathered.keyOf);
  const path = join(folder, "pool.md");
  writeFileSync(path, withoutAbsent(pageOf(gathered, options), drawn));
  return path;
}

/** A plot that has nothing to show is not there, and so not shown. */
function withoutAbsent(page: string, drawn: ReadonlySet<string>): string {
  return page.replaceAll(/!\[[^\]]*\]\(pool\/([\w-]+)\.svg\)\n*/g, (image, name: string) =>
    drawn.has(name) ? image : "",
  );
}
