/** A quarter of a cloud: used, priced, closed, invoiced, exported and disclosed; and one figure walked back to a receipt. */
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { control } from "../../test/end-to-end/asking.ts";
import { type RunningCloud, startCloud } from "../../test/end-to-end/cloud.ts";
import { goesWithDemo } from "../leaving.ts";
import { closeQuarter, issue, sellCredits, settle, tell } from "./bills.ts";
import { type Quarter, quarterBefore } from "./calendar.ts";
import { customers, internal } from "./customers.ts";
import { figureLines, unmetFigures } from "./disclosed.ts";
import { generate } from "./generated.ts";
import { acceleratorCostPerHour, issuer, listPrices, priceBook } from "./prices.ts";
import { type Served, serve } from "./serving.ts";
import { type Sum, sumUp } from "./sums.ts";
import { type Step, walk } from "./walk.ts";
import { writeAll, type Written } from "./writing.ts";

export interface QuarterOptions {
  readonly out: string | undefined;
  readonly progress: (line: string) => void;
}

export interface Told extends Sum {
  readonly quarter: string;
  readonly folder: string;
  readonly served: number;
  readonly written: Written;
  /** Of the disclosure, one line each. */
  readonly figures: readonly string[];
  readonly steps: readonly Step[];
  /** What did not come as it has to, in words; empty: everything did. */
  readonly unmet: readonly string[];
}

const requests = 240;
/** Half a day before the quarter's end. */
const beforeEndMs = 43_200_000;
const earlier = fileURLToPath(new URL("earlier.ts", import.meta.url));

export async function quarter({ out, progress }: QuarterOptions): Promise<Told> {
  const folder = out ?? mkdtempSync(join(tmpdir(), "bailiwick-quarter-"));
  mkdirSync(folder, { recursive: true });
  const data = join(goesWithDemo(mkdtempSync(join(tmpdir(), "bwq-"))), "data");
  const nowMs = Date.now();
  const of = quarterBefore(nowMs);
  const usage = generate(of, nowMs);
  progress(`${of.name}: the clock of this cloud is put back to its last day, so that what it serves lies in it`);
  const served = await useQuarter(of, data, [...usage.yearBefore, ...usage.timely], progress);
  progress("The same cloud, by the time of today: the months are closed and invoiced");
  const cloud = await start(data);
  await closeQuarter(cloud, of, usage.late);
  await tell(cloud, usage.open);
  await issue(cloud, of);
  await settle(cloud, of);
  progress(`Invoices, exports, disclosure and auditor's pack are written to ${folder}`);
  const written = await writeAll(cloud, of, folder);
  const sum = await sumUp(cloud, of, folder, { generated: Object.values(usage).flat(), served });
  const steps = await walk(cloud, of, folder, served);
  await cloud.stop();
  const unmet = [
    ...sum.unmet,
    ...unmetFigures(folder),
    ...written.checks.filter(({ outcome }) => outcome === "failed").map(({ what, words }) => `${what}: ${words}`),
    ...(steps.at(-1)?.words.endsWith("valid") === true ? [] : ["no figure was walked back to a valid receipt"]),
  ];
  const figures = figureLines(folder);
  return { ...sum, quarter: of.name, folder, served: served.requests, written, figures, steps, unmet };
}

async function useQuarter(
  of: Quarter,
  data: string,
  records: Parameters<typeof tell>[1],
  progress: (line: string) => void,
): Promise<Served> {
  const backMs = Date.now() - (of.endMs - beforeEndMs);
  const cloud = await start(data, [process.execPath, earlier, String(backMs)]);
  for (const name of [...customers.map(({ name: each }) => each), internal]) {
    await control(cloud, "POST", "/organisations", { name });
  }
  const book = { basedOn: 0, document: priceBook(of), note: "the demo's" };
  await control(cloud, "PUT", "/price-book", book);
  progress(`${records.length} records of 50 customers are told, each twice`);
  await tell(cloud, records);
  await sellCredits(cloud);
  progress(`${requests} requests are served, each with a receipt`);
  const served = await serve(cloud, requests);
  await cloud.stop();
  return served;
}

async function start(data: string, under?: readonly string[]): Promise<RunningCloud> {
  const settings = JSON.stringify({
    prices: listPrices,
    billing: { internal: [internal], ...issuer },
    disclosure: { revenue: { acceleratorCostPerHour } },
    fake: { firstTokenMs: 4, tokenMs: 1 },
  });
  return startCloud({ data, settings, arguments: ["--engine", "fake"], ...(under === undefined ? {} : { under }) });
}
