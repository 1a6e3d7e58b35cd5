/**
 * migrations: every schema that was ever released, in order, each frozen. There is no way down: what undoes an upgrade
 * is the backup that was taken before it.
 */
import { type Kysely, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { first } from "./2026-11-24-first.ts";
import { receiptBatches } from "./2026-11-25-receipt-batches.ts";
import { unratedBounds } from "./2026-11-25-unrated-bounds.ts";
import { reservations } from "./2026-11-26-reservations.ts";
import { tiers } from "./2026-11-26-tiers.ts";
import { weights } from "./2026-11-26-weights.ts";
import { decisions } from "./2026-11-27-decisions.ts";
import { documents } from "./2026-11-27-documents.ts";
import { projectResidency } from "./2026-11-27-project-residency.ts";
import { audit } from "./2026-11-28-audit.ts";
import { contents } from "./2026-11-28-contents.ts";
import { erasures } from "./2026-11-28-erasures.ts";
import { exits } from "./2026-11-28-exits.ts";
import { grants } from "./2026-11-28-grants.ts";
import { hosts } from "./2026-11-28-hosts.ts";
import { ledger } from "./2026-11-29-ledger.ts";
import { acceleratorTime } from "./2026-11-30-accelerator-time.ts";
import { issuing } from "./2026-12-01-issuing.ts";
import { wallets } from "./2026-12-01-wallets.ts";
import { alerts } from "./2026-12-02-alerts.ts";
import { usageTiers } from "./2026-12-03-usage-tiers.ts";
import { creditIds } from "./2026-12-04-credit-ids.ts";
import { guards } from "./2026-12-04-guards.ts";
import { purchases } from "./2026-12-04-purchases.ts";
import { lateTax } from "./2026-12-06-late-tax.ts";
import { writtenOff } from "./2026-12-06-written-off.ts";
import { refused } from "./2026-12-07-refused.ts";
import { payments } from "./2026-12-08-payments.ts";
import { segments } from "./2026-12-09-segments.ts";
import { usageMonths } from "./2026-12-09-usage-months.ts";

/** By name; the names sort in the order in which they are applied. */
export const migrations: Readonly<Record<string, Migration>> = {
  "2026-11-24-first": first,
  "2026-11-25-receipt-batches": receiptBatches,
  "2026-11-25-unrated-bounds": unratedBounds,
  "2026-11-26-reservations": reservations,
  "2026-11-26-tiers": tiers,
  "2026-11-26-weights": weights,
  "2026-11-27-decisions": decisions,
  "2026-11-27-documents": documents,
  "2026-11-27-project-residency": projectResidency,
  "2026-11-28-audit": audit,
  "2026-11-28-contents": contents,
  "2026-11-28-erasures": erasures,
  "2026-11-28-exits": exits,
  "2026-11-28-grants": grants,
  "2026-11-28-hosts": hosts,
  "2026-11-29-ledger": ledger,
  "2026-11-30-accelerator-time": acceleratorTime,
  "2026-12-01-issuing": issuing,
  "2026-12-01-wallets": wallets,
  "2026-12-02-alerts": alerts,
  "2026-12-03-usage-tiers": usageTiers,
  "2026-12-04-credit-ids": creditIds,
  "2026-12-04-guards": guards,
  "2026-12-04-purchases": purchases,
  "2026-12-06-late-tax": lateTax,
  "2026-12-06-written-off": writtenOff,
  "2026-12-07-refused": refused,
  "2026-12-08-payments": payments,
  "2026-12-09-segments": segments,
  "2026-12-09-usage-months": usageMonths,
};

/** The newest schema that this code knows. */
export const latestSchema = Object.keys(migrations).sort().at(-1)!;

/** Brings the schema to a migration, the newest unless named; what is applied already stays. Throws where one fails. */
export async function migrate<Tables>(db: Kysely<Tables>, to: string = latestSchema): Promise<readonly string[]> {
  // Given in code, so that nothing depends on the files that a build leaves in a folder.
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...migrations }) } });
  const { error, results = [] } = await migrator.migrateTo(to);
  const failed = results.find((result) => result.status === "Error");
  if (error !== undefined) {
    const why = error instanceof Error ? `: ${error.message}` : "";
    throw new Error(`The migration ${failed?.migrationName ?? to} failed, and the schema is as it was${why}.`, {
      cause: error,
    });
  }
  return results.filter((result) => result.status === "Success").map((result) => result.migrationName);
}

/** The names of the applied migrations in order; empty for a database that holds none of ours. */
export async function appliedMigrations<Tables>(db: Kysely<Tables>): Promise<readonly string[]> {
  const there = await sql<{ there: boolean }>`SELECT to_regclass('kysely_migration') IS NOT NULL AS there`.execute(db);
  if (there.rows[0]?.there !== true) return [];
  const applied = await sql<{ name: string }>`SELECT name FROM kysely_migration ORDER BY name COLLATE "C"`.execute(db);
  return applied.rows.map((row) => row.name);
}
