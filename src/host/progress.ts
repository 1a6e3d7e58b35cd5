import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Ending, isId, type RequestId, type Usage } from "../base/index.ts";

/** What is known of one request: its counts so far, and how it ended once it has. */
export interface ProgressRecord {
  readonly request: RequestId;
  readonly usage: Usage;
  readonly ending: Ending | undefined;
}

const prefix = "progress-";
const temporarySuffix = ".new";
const endings: ReadonlySet<string> = new Set<Ending>(["stop", "length", "tool", "abort", "error"]);

/** One line: the request, its counts by kind, and its ending or a dash. */
export function progressLine(record: ProgressRecord): string {
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = record.usage;
  return `${record.request} ${inputTokens} ${cachedInputTokens} ${outputTokens} ${reasoningTokens} ${record.ending ?? "-"}\n`;
}

/** One line: the request's settlement is durable elsewhere. */
export function acknowledgedLine(request: RequestId): string {
  return `${request} acknowledged\n`;
}

/**
 * The counts of this host's requests, in a file of its own for each start. Lines are handed to the kernel as they
 * come, which outlives any kill of the process; nothing is synced, because after a power cut what no record proves is
 * unrated. When the file has grown too large it is written anew with what still counts.
 */
export class ProgressFile {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #live: () => Iterable<ProgressRecord>;
  #file: number;
  #bytes: number;

  /** `live`: everything that is still to be known, for when the file is written anew. */
  private constructor(path: string, maxBytes: number, live: () => Iterable<ProgressRecord>) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#live = live;
    const written = writeAnew(path, live());
    this.#file = written.file;
    this.#bytes = written.bytes;
  }

  /** Reads what earlier starts left behind. Nobody else may be writing there any more. */
  static found(folder: string): Map<RequestId, ProgressRecord> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const records = new Map<RequestId, ProgressRecord>();
    // A temporary file was never finished: the one that it was to replace still stands.
    for (const name of filesIn(folder).filter((each) => !each.endsWith(temporarySuffix)))
      read(readFileSync(join(folder, name), "latin1"), records);
    return records;
  }

  /** Begins this start's file with what is live, and only then removes those of earlier starts. */
  static begin(
    folder: string,
    boot: string,
    options: { readonly maxBytes: number; readonly live: () => Iterable<ProgressRecord> },
  ): ProgressFile {
    const earlier = filesIn(folder);
    const file = new ProgressFile(join(folder, prefix + boot), options.maxBytes, options.live);
    for (const name of earlier) unlinkSync(join(folder, name));
    return file;
  }

  /** Throws where the disk takes no more. Afterwards only `renew` brings the file to what is known in memory. */
  append(lines: string): void {
    this.#bytes += writeWhole(this.#file, lines);
    if (this.#bytes > this.#maxBytes) this.renew();
  }

  /** Writes the file anew with what is live. */
  renew(): void {
    const written = writeAnew(this.#path, this.#live());
    closeSync(this.#file);
    this.#file = written.file;
    // Where much is live, the next time is only after half the bound: else each append would write everything.
    this.#bytes = Math.min(written.bytes, this.#maxBytes / 2);
  }

  close(): void {
    closeSync(this.#file);
  }
}

function filesIn(folder: string): readonly string[] {
  // Boots sort by time, so that a later file's word on a request comes last.
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .sort();
}

function writeAnew(path: string, records: Iterable<ProgressRecord>): { readonly file: number; readonly bytes: number } {
  const temporary = path + temporarySuffix;
  const file = openSync(temporary, "w", 0o600);
  let bytes = 0;
  try {
    for (const record of records) bytes += writeWhole(file, progressLine(record));
    renameSync(temporary, path);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return { file, bytes };
}

function writeWhole(file: number, text: string): number {
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  return bytes.length;
}

const progressPattern = /^(req_\S+) (\d{1,15}) (\d{1,15}) (\d{1,15}) (\d{1,15}) (\S+)$/;

function read(text: string, into: Map<RequestId, ProgressRecord>): void {
  const lines = text.split("\n");
  // Behind the last line's end stands nothing, or a line that was cut off.
  lines.pop();
  for (const line of lines) {
    const [, request = "", input, cached, output, reasoning, ending = ""] = progressPattern.exec(line) ?? [];
    if (isId("req", request)) {
      const usage = {
        inputTokens: Number(input),
        cachedInputTokens: Number(cached),
        outputTokens: Number(output),
        reasoningTokens: Number(reasoning),
      };
      into.set(request, { request, usage, ending: endings.has(ending) ? (ending as Ending) : undefined });
    } else if (line.endsWith(" acknowledged")) into.delete(line.slice(0, line.indexOf(" ")) as RequestId);
  }
}
