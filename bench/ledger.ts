/**
 * From usage to money at size: how many settlements a second the journal takes, how many records of usage a second are rated and
 * posted into PostgreSQL, and what the close of a month with all of them takes, beside a plain COPY of as many rows into one
 * table of the same PostgreSQL, which is the limit. One process; the disk is that of the system's folder for temporary files.
 */
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { createIds, systemClock } from "../src/base/index.ts";
import { record } from "../src/books/index.ts";
import { taken, type TestBooks, testBooks } from "../src/books/testing.ts";
import { folderDisk, type Journal, openJournal } from "../src/journal/index.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../src/store/testing.ts";
import { start } from "./children.ts";
import type { AskedClose, DoneClose } from "./ledger-close.ts";
import { atLeast, atMost, type Bench, type BenchOptions, type Outcome, rounded } from "./report.ts";

export const ledgerBench: Bench = { name: "ledger", run };

/** Services that send their usage at once: while the database writes one's, another one's is read. */
const callers = 4;
/** As many records as one call of the control API takes well. */
const recordsAtOnce = 10_000;
const skus = ["qwen/input-tokens", "qwen/output-tokens", "qwen/cached-read-tokens", "h20/accelerator-seconds"];
/** The closed month. */
const startMs = Date.parse("2026-03-01T00:00:00Z");
const monthMs = 31 * 86_400_000;

interface Figures {
  readonly journaledPerSecond: number;
  readonly records: number;
  readonly customers: number;
  readonly postedPerSecond: number;
  readonly copiedPerSecond: number;
  readonly closeSeconds: number;
  /** The most that the closing process and PostgreSQL's held while the month was closed, and the first of them alone. */
  readonly closeBytes: number;
  readonly processBytes: number;
  readonly invoices: number;
}

async function run({ quick, entries, progress }: BenchOptions): Promise<Outcome> {
  const records = entries ?? (quick ? 40_000 : 1_000_000);
  const customers = Math.min(10_000, Math.max(1, Math.floor(records / 100)));
  const journaledPerSecond = await journalRate(quick ? 20_000 : 200_000);
  progress(`journal: ${Math.round(journaledPerSecond)} settlements/s`);
  const postgres = await temporaryPostgres();
  try {
    const copiedPerSecond = await copyRate(postgres, Math.min(records, 1_000_000));
    progress(`COPY: ${Math.round(copiedPerSecond)} rows/s`);
    const books = await testBooks(postgres);
    const postedPerSecond = await postRate(books, records, customers, progress);
    const closing = await closeMonth(books);
    await books.close();
    return summarize({ journaledPerSecond, records, customers, postedPerSecond, copiedPerSecond, ...closing });
  } finally {
    await postgres.remove();
  }
}

/** Requests that run at once, as at a busy gateway. */
const running = 256;
const settlementBody = JSON.stringify({
  organisation: "org_01M8C86ZP8QP10AFDRR2Y8RSZP",
  project: "prj_01M8C86ZP8QP10AFDRR2Y8RSZP",
  key: "key_01M8C86ZP8QP10AFDRR2Y8RSZP",
  model: "qwen3-8b",
  usage: { inputTokens: 1_000, cachedInputTokens: 0, outputTokens: 250, reasoningTokens: 0 },
  text: "x".repeat(500),
});

/** Intent and settlement of each, durable, one after the other; as many at once as at a busy gateway. */
async function journalRate(requests: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-bench-"));
  const ids = createIds(systemClock);
  const journal = await openJournal({
    disk: await folderDisk(folder),
    clock: systemClock,
    installation: ids.mint("inst"),
    gateway: ids.mint("gw"),
    segmentBytes: 64 * 1024 * 1024,
    seal: () => "{}",
  });
  try {
    let left = requests;
    const startedMs = performance.now();
    await Promise.all(
      Array.from({ length: running }, async () => {
        while (left-- > 0) await settleOne(journal, ids.mint("req"));
      }),
    );
    return requests / ((performance.now() - startedMs) / 1_000);
  } finally {
    await journal.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function settleOne(journal: Journal, request: `req_${string}`): Promise<void> {
  const intent = journal.intend(request, settlementBody);
  if (intent.outcome === "refused") throw new Error(intent.message);
  await intent.durable;
  await journal.settle(intent, settlementBody).durable;
}

/** The same columns as a record of usage, from a file that PostgreSQL reads itself: nothing that writes rows is faster. */
async function copyRate(postgres: TemporaryPostgres, rows: number): Promise<number> {
  const books = await testBooks(postgres);
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-bench-"));
  const file = join(folder, "rows.csv");
  try {
    await chmod(folder, 0o755);
    const lines = Array.from({ length: rows }, (_, at) => {
      const { id, customer, sku, quantity, time } = recordAt(at, 10_000);
      return `${customer},bench,${id},${sku},${time},${quantity},f`;
    });
    await writeFile(file, `${lines.join("\n")}\n`, { mode: 0o644 });
    await sql`CREATE TABLE copied (customer text, source text, id text, sku text, at timestamptz, quantity numeric, is_batch boolean)`.execute(
      books.db,
    );
    const startedMs = performance.now();
    await sql`COPY copied FROM ${sql.lit(file)} WITH (FORMAT csv)`.execute(books.db);
    return rows / ((performance.now() - startedMs) / 1_000);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await books.close();
  }
}

/** Always the same one at a place, so that it needs no memory. */
function recordAt(at: number, customers: number) {
  return {
    id: `usage-${at}`,
    customer: `customer-${at % customers}`,
    sku: skus[Math.floor(at / customers) % skus.length]!,
    quantity: String(1 + ((at * 7_919) % 100_000)),
    time: new Date(startMs + ((at * 104_729) % monthMs)).toISOString(),
  };
}

async function postRate(
  books: TestBooks,
  records: number,
  customers: number,
  progress: (line: string) => void,
): Promise<number> {
  for (let at = 0; at < customers; at++) await books.organisation(`customer-${at}`);
  await books.applyPrices({
    currency: "EUR",
    versions: [
      {
        version: "1",
        effectiveFrom: "2026-01-01",
        prices: skus.map((sku, at) => ({ sku, unitPrice: `0.00000${at + 1}` })),
      },
    ],
  });
  const startedMs = performance.now();
  let toldMs = startedMs;
  // All callers take from it.
  const starts = Array.from({ length: Math.ceil(records / recordsAtOnce) }, (_, call) => call * recordsAtOnce).values();
  const call = async (): Promise<void> => {
    for (const from of starts) {
      const some = Array.from({ length: Math.min(recordsAtOnce, records - from) }, (_, at) => ({
        ...recordAt(from + at, customers),
        source: "bench",
      }));
      taken(await record(books, some, `bench-${from}`));
      if (performance.now() - toldMs < 30_000) continue;
      toldMs = performance.now();
      progress(`${from + some.length} of ${records} records are posted`);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  return records / ((performance.now() - startedMs) / 1_000);
}

async function closeMonth({ db, connection, installation }: TestBooks) {
  const closing = start(process.execPath, [join(import.meta.dirname, "ledger-close.ts")]);
  let databaseBytes = 0;
  const look = setInterval(() => {
    void privateBytes(db).then((bytes) => (databaseBytes = Math.max(databaseBytes, bytes)));
  }, 100);
  try {
    const asked: AskedClose = { connection, installation, month: "2026-03" };
    closing.writeLine(JSON.stringify(asked));
    const { closeSeconds, processBytes, invoices } = JSON.parse(await closing.nextLine()) as DoneClose;
    return { closeSeconds, closeBytes: processBytes + databaseBytes, processBytes, invoices };
  } finally {
    clearInterval(look);
    await closing.stop();
  }
}

/** What PostgreSQL's processes have for themselves alone. */
async function privateBytes(db: TestBooks["db"]): Promise<number> {
  const { rows } = await sql<{ pid: number }>`SELECT pid FROM pg_stat_activity`.execute(db);
  const own = await Promise.all(
    rows.map(async ({ pid }) => {
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      return Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1_024;
    }),
  );
  return own.reduce((sum, bytes) => sum + bytes, 0);
}

function summarize(figures: Figures): Outcome {
  const { journaledPerSecond, records, customers, postedPerSecond, copiedPerSecond } = figures;
  const { closeSeconds, closeBytes, invoices } = figures;
  const mib = closeBytes / (1 << 20);
  return {
    results: { ...figures, postedToCopied: rounded(postedPerSecond / copiedPerSecond) },
    aims: [
      atLeast("settlements journaled a second", journaledPerSecond, 50_000),
      atLeast("records rated and posted a second", postedPerSecond, 15_000),
      atMost(`seconds that the close of ${records} records takes`, closeSeconds, 300),
      atMost("MiB held meanwhile", mib, 1_024),
    ],
    table: {
      columns: ["what", "figure"],
      rows: [
        ["settlements journaled a second, each after its intent", String(Math.round(journaledPerSecond))],
        ["rows copied a second into one table: the limit", String(Math.round(copiedPerSecond))],
        ["records rated and posted a second", String(Math.round(postedPerSecond))],
        ["as a share of the limit", String(rounded(postedPerSecond / copiedPerSecond))],
        [`close of ${records} records of ${customers} customers, s`, String(rounded(closeSeconds))],
        ["invoices", String(invoices)],
        ["MiB of the closing process and PostgreSQL's own meanwhile", String(Math.round(mib))],
        ["MiB of the closing process alone", String(Math.round(figures.processBytes / (1 << 20)))],
      ],
    },
    notes: [
      "The aims are for 10,000,000 records of 10,000 customers: --entries 10000000.",
      `${callers} callers post at once. The month is closed by a process that has posted nothing.`,
    ],
  };
}
