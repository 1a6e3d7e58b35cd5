/** The story of the demo: three sites, six tenants, what ran where, what was refused, and the proof of both. */
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { goesWithDemo } from "../leaving.ts";
import type { DemoOptions, Engine } from "../options.ts";
import { startBorders } from "./cloud.ts";
import { jurisdictions } from "./facts.ts";
import { type Found, foundBy } from "./found.ts";
import { tryForgeries } from "./forgeries.ts";
import { loseSite } from "./losing.ts";
import { sendEachClass, sendWidening } from "./matrix.ts";
import { keepReceipts, type Trust, trustIn, verifyAll } from "./receipts.ts";
import { drill, report } from "./reporting.ts";
import { openVerifier } from "./verifier.ts";

export interface BordersOptions extends DemoOptions {
  readonly progress: (line: string) => void;
}

export const engineWords: Readonly<Record<Engine, string>> = {
  llamacpp: "real engines (llama.cpp)",
  fake: "the fake engine: no model computes anything",
};

export async function borders(options: BordersOptions): Promise<Found> {
  const startedMs = performance.now();
  const secondsSoFar = (): number => Math.round((performance.now() - startedMs) / 100) / 10;
  const tell = (line: string): void => options.progress(`${secondsSoFar().toFixed(1).padStart(6)} s  ${line}`);
  const out = options.out ?? openFolder("bailiwick-demo-");
  mkdirSync(out, { recursive: true });
  tell(`everything is written to ${out}`);
  tell(`starting a gateway, and hosts at three sites with ${engineWords[options.engine]}`);
  const running = await startBorders({ ...options, folder: goesWithDemo(openFolder("demo-")) });
  const pinned = await trustIn(running);
  tell("sending each class of data from each tenant");
  const first = [...(await sendEachClass(running)), ...(await sendWidening(running))];
  const receipts = join(out, "receipts");
  const firstKept = await keepReceipts(running, first, receipts);
  tell("killing the site in France under a stream");
  const lost = await loseSite(running);
  const kept = [...firstKept, ...(await keepReceipts(running, lost, receipts))];
  const trust = await trustIn(running);
  saveTrust(out, trust, pinned);
  tell(`verifying ${kept.length} receipts`);
  const verifier = await openVerifier();
  writeFileSync(join(out, "verify.html"), verifier.page);
  const invalid = await verifyAll(verifier, running, kept, trust, pinned.checkpoint);
  tell("a drill, and the reports");
  const drilled = await drill(running);
  const reported = await report(running, join(out, "reports"), "hospital");
  tell("trying every forgery");
  const forged = { folder: join(out, "forgeries"), pinned: pinned.checkpoint };
  const forgeries = await tryForgeries({ borders: running, verifier, kept, trust, ...forged });
  const { engine } = options;
  const sent = [...first, ...lost];
  const found = foundBy({ engine, running, out, sent, kept, invalid, forgeries, drill: drilled, ...reported });
  tell("done");
  const whole = { ...found, seconds: secondsSoFar() };
  writeFileSync(join(out, "found.json"), `${JSON.stringify(whole, undefined, 2)}\n`);
  return whole;
}

/** A folder of its own, which PostgreSQL gets through as the user that it runs as where this one is root. */
function openFolder(prefix: string): string {
  const path = mkdtempSync(join(tmpdir(), prefix));
  chmodSync(path, 0o755);
  return path;
}

/** What whoever verifies the receipts keeps beside them. */
function saveTrust(out: string, trust: Trust, pinned: Trust): void {
  writeFileSync(join(out, "log-key.txt"), trust.logKeys.map((key) => `${key}\n`).join(""));
  writeFileSync(join(out, "key-statement.tlog-proof"), trust.keyStatement);
  writeFileSync(join(out, "checkpoint-before"), pinned.checkpoint);
  writeFileSync(join(out, "checkpoint-after"), trust.checkpoint);
  writeFileSync(join(out, "sites.json"), JSON.stringify(jurisdictions));
}
