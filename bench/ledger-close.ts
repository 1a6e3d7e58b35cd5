/**
 * Closes a month in a process that has done nothing else, for bench/ledger.ts: what one that has posted still holds is not what a close
 * takes. Standard input has one line, of which books; standard output gets one, of what it took.
 */
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { close } from "../src/books/index.ts";
import { booksIn, taken, type TestBooks } from "../src/books/testing.ts";

export type AskedClose = Pick<TestBooks, "connection" | "installation"> & { readonly month: string };

export interface DoneClose {
  readonly closeSeconds: number;
  /** The most memory that this process ever held. */
  readonly processBytes: number;
  readonly invoices: number;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { month, ...which } = JSON.parse(line) as AskedClose;
  const books = await booksIn(which);
  const startedMs = performance.now();
  const { invoices } = taken(await close(books, month, "bench"));
  const closeSeconds = (performance.now() - startedMs) / 1_000;
  await books.close();
  const done: DoneClose = { closeSeconds, processBytes: await heldMost(), invoices };
  process.stdout.write(`${JSON.stringify(done)}\n`);
  break;
}

async function heldMost(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const [, kib] = /^VmHWM:\s+(\d+)/m.exec(status) ?? [];
  return kib === undefined ? process.memoryUsage.rss() : Number(kib) * 1_024;
}
