import { type FileHandle, mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * Lines that wait in files until they are in the database. An appended line is in the kernel's hands, so that it survives
 * the death of this process; whoever appends while a write is under way shares the next one.
 */
export class Spool {
  readonly #folder: string;
  readonly #bytesMax: number;
  #number = 0;
  #file: FileHandle | undefined;
  /** Of whole lines in the file that is open. */
  #fileBytes = 0;
  #waiting: { readonly line: string; readonly done: () => void; readonly fail: (error: unknown) => void }[] = [];
  #writing: Promise<void> | undefined;
  #bytes = 0;

  private constructor(folder: string, bytesMax: number) {
    this.#folder = folder;
    this.#bytesMax = bytesMax;
  }

  static async open(folder: string, bytesMax: number): Promise<Spool> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const spool = new Spool(folder, bytesMax);
    for (const name of await spool.#names()) {
      spool.#number = Math.max(spool.#number, Number.parseInt(name, 10));
      spool.#bytes += (await stat(join(folder, name))).size;
    }
    return spool;
  }

  /** Bytes that wait, in files and on their way there. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False: there is no room for it. */
  async append(line: string): Promise<boolean> {
    const bytes = Buffer.byteLength(line);
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#bytes += bytes;
    const appended = new Promise<void>((done, fail) => this.#waiting.push({ line, done, fail }));
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    await appended;
    return true;
  }

  /** Hands the lines of one file after the other to `take`, and removes it when that has resolved. */
  async drain(take: (lines: readonly string[]) => Promise<void>): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    // What is appended from now on goes into a later file.
    const upTo = this.#number;
    await this.#closeFile();
    for (const name of await this.#names()) {
      if (Number.parseInt(name, 10) > upTo) return;
      const path = join(this.#folder, name);
      const text = await readFile(path, "utf8");
      await take(text.split("\n").filter((line) => line !== ""));
      await rm(path, { force: true });
      this.#bytes -= Buffer.byteLength(text);
    }
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#closeFile();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const taken = this.#waiting.splice(0, 256);
      try {
        this.#file ??= await this.#nextFile();
        const text = taken.map(({ line }) => line).join("");
        await this.#file.appendFile(text);
        this.#fileBytes += Buffer.byteLength(text);
        for (const { done } of taken) done();
      } catch (error) {
        await this.#takeBack();
        for (const { line, fail } of taken) {
          this.#bytes -= Buffer.byteLength(line);
          fail(error);
        }
      }
    }
  }

  #nextFile(): Promise<FileHandle> {
    this.#fileBytes = 0;
    return open(join(this.#folder, `${String(++this.#number).padStart(12, "0")}.ndjson`), "a", 0o600);
  }

  /** A part may lie there of what is told as not kept. No line is ever written behind a torn one: it would be lost with it. */
  async #takeBack(): Promise<void> {
    // What cannot be cut off stays torn, and is read as that.
    await this.#file?.truncate(this.#fileBytes).catch(() => undefined);
    await this.#closeFile().catch(() => undefined);
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #names(): Promise<readonly string[]> {
    return (await readdir(this.#folder)).filter((name) => /^\d{12}\.ndjson$/.test(name)).sort();
  }
}
