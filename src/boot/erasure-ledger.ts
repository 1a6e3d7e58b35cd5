import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { appendToLedger, type Erasures, readLedger } from "../erasure/index.ts";
import type { BootOptions } from "./options.ts";

/** What a restore has been given lies here until the next start. */
const replayName = "erasures-to-replay.ndjson";
const ledgerName = "erasures.ndjson";

export function replayIn(data: string): string {
  return join(data, replayName);
}

/** Where erasures are written down: in the data folder, unless the settings name a place that outlives it. */
export function ledgerOf({ settings }: Pick<BootOptions, "settings">, data: string): string {
  return settings.contents.erasureLedger ?? join(data, ledgerName);
}

/** Has what was erased after the restored backup erased again, and keeps it on the ledger for the next restore. */
export async function replayErasures(
  options: Pick<BootOptions, "settings" | "log">,
  data: string,
  erasures: Pick<Erasures, "replay">,
): Promise<void> {
  const given = replayIn(data);
  if (!existsSync(given)) return;
  const ledger = ledgerOf(options, data);
  const { entries, unreadable } = await readLedger(given);
  const known = existsSync(ledger) ? (await readLedger(ledger)).entries : [];
  const kept = new Set(known.map(({ erasure }) => erasure));
  for (const entry of entries) if (!kept.has(entry.erasure)) await appendToLedger(ledger, entry);
  const replayed = await erasures.replay(entries);
  await rm(given);
  options.log.info({ erasures: replayed, unreadable }, "what was erased after the backup is erased again");
}
