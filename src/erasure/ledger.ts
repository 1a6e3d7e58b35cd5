import { type FileHandle, open, readFile, stat } from "node:fs/promises";
import { z } from "zod";

const entrySchema = z.strictObject({
  v: z.literal(1),
  erasure: z.string().startsWith("ers_").max(100),
  kind: z.enum(["request", "subject", "project", "organisation"]),
  organisation: z.string().startsWith("org_").max(100),
  project: z.string().startsWith("prj_").max(100).nullable(),
  /** The request, the pseudonym's tag, or the id of what was erased. */
  of: z.string().min(1).max(200),
  /** As the statement says it. */
  stated: z.string().min(1).max(200),
  askedAt: z.iso.datetime(),
  askedBy: z.string().max(200),
  reason: z.string().max(10_000).nullable(),
  blinding: z.string().regex(/^[0-9a-f]{64}$/),
});

/** What has to be known of an erasure to do it again, where a backup of before has brought back what it took away. */
export type LedgerEntry = z.output<typeof entrySchema>;

/** Larger ones are no ledger of ours: it has a line of some hundred bytes for each erasure. */
const ledgerBytesMax = 1 << 30;

/** Adds a line, durably: before anything of an erasure goes. An erasure that is gone on with may stand there twice. */
export async function appendToLedger(path: string, entry: LedgerEntry): Promise<void> {
  const file = await open(path, "a+", 0o600);
  try {
    // What a power cut has torn ends here, and is no line of this one.
    const begin = (await endsWhole(file)) ? "" : "\n";
    await file.appendFile(`${begin}${JSON.stringify(entry)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function endsWhole(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}

export interface ReadLedger {
  /** Each erasure once. */
  readonly entries: readonly LedgerEntry[];
  /** Lines that are none, by their numbers from 1: torn by a power cut, or damaged. */
  readonly unreadable: readonly number[];
}

export async function readLedger(path: string): Promise<ReadLedger> {
  const { size } = await stat(path);
  if (size > ledgerBytesMax) throw new Error(`${path} has more than ${ledgerBytesMax} bytes`);
  const entries = new Map<string, LedgerEntry>();
  const unreadable: number[] = [];
  for (const [index, line] of (await readFile(path, "utf8")).split("\n").entries()) {
    if (line === "") continue;
    const parsed = entrySchema.safeParse(valueIn(line));
    if (parsed.success) entries.set(parsed.data.erasure, parsed.data);
    else unreadable.push(index + 1);
  }
  return { entries: [...entries.values()], unreadable };
}

function valueIn(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // What is no JSON is no entry, which the schema says.
    return undefined;
  }
}
