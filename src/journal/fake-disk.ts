import { DiskFullError } from "../base/index.ts";
import type { Disk, DiskFile } from "./disk.ts";

/** The unit that a disk writes whole or not at all. */
const sectorBytes = 512;

interface FakeContents {
  /** What the operating system holds: what a reader sees. */
  readonly cached: Buffer;
  /** What the medium holds for sure. */
  readonly synced: Buffer;
  /** Writes that no sync has covered, oldest first. */
  unsynced: { readonly offset: number; readonly bytes: Buffer }[];
}

type Entries = ReadonlyMap<string, FakeContents>;

/**
 * A disk in memory that forgets what was not synced. `crash` and `kill` give the disk that the next process finds; the
 * old object stays with the old process, which gets no answer any more.
 */
export class FakeDisk implements Disk {
  capacityBytes: number;
  /**
   * The next so many calls of `datasync` fail. As under Linux, readers go on seeing what was written, but no later sync
   * tries those bytes again: only writing them again makes them durable.
   */
  failingSyncs = 0;
  #entries = new Map<string, FakeContents>();
  /** The folder after each change that no `syncFolder` has covered; the first one is durable. */
  #history: Entries[] = [new Map()];
  #held: (() => void)[] | undefined;
  #dead = false;

  constructor(capacityBytes = Number.MAX_SAFE_INTEGER) {
    this.capacityBytes = capacityBytes;
  }

  /** From now on syncs wait until `releaseSyncs`. */
  holdSyncs(): void {
    this.#held ??= [];
  }

  releaseSyncs(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    if (!this.#dead) for (const finish of held) finish();
  }

  /**
   * A power cut. Each sector keeps a prefix of the writes that it got since its last sync, the folder a prefix of its
   * changes: `pick(n)` chooses a whole number from 0 to n, and 0 always loses everything that was not synced.
   */
  crash(pick: (most: number) => number = () => 0): FakeDisk {
    const folder = this.#history[pick(this.#history.length - 1)]!;
    return this.#successor([folder], (contents) => {
      const bytes = Buffer.from(contents.synced);
      for (let at = 0; at < bytes.length; at += sectorBytes) {
        const end = Math.min(at + sectorBytes, bytes.length);
        const writes = contents.unsynced.filter(
          (write) => write.offset < end && write.offset + write.bytes.length > at,
        );
        for (const write of writes.slice(0, pick(writes.length))) {
          const from = Math.max(at, write.offset);
          const to = Math.min(end, write.offset + write.bytes.length);
          write.bytes.copy(bytes, from, from - write.offset, to - write.offset);
        }
      }
      return { cached: bytes, synced: Buffer.from(bytes), unsynced: [] };
    });
  }

  /** kill -9 of the process: the operating system keeps all that was written, and has synced no more than before. */
  kill(): FakeDisk {
    return this.#successor(this.#history, ({ cached, synced, unsynced }) => ({
      cached: Buffer.from(cached),
      synced: Buffer.from(synced),
      unsynced: [...unsynced],
    }));
  }

  /** The bytes of a file as a reader sees them, to be looked at or damaged by a test. */
  bytesOf(name: string): Buffer {
    return this.#contents(name).cached;
  }

  list(): Promise<readonly string[]> {
    return Promise.resolve([...this.#entries.keys()]);
  }

  open(name: string): Promise<DiskFile> {
    return Promise.resolve(this.#handle(this.#contents(name)));
  }

  async preallocate(name: string, sizeBytes: number): Promise<DiskFile> {
    await this.#turn();
    let usedBytes = this.#entries.has(name) ? -this.#contents(name).cached.length : 0;
    for (const contents of this.#entries.values()) usedBytes += contents.cached.length;
    if (usedBytes + sizeBytes > this.capacityBytes) throw new DiskFullError(`no room for ${sizeBytes} bytes`);
    this.#change((entries) =>
      entries.set(name, { cached: Buffer.alloc(sizeBytes), synced: Buffer.alloc(sizeBytes), unsynced: [] }),
    );
    return this.#handle(this.#contents(name));
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#turn();
    this.#change((entries) => {
      entries.set(to, this.#contents(from));
      entries.delete(from);
    });
  }

  async remove(name: string): Promise<void> {
    await this.#turn();
    this.#change((entries) => entries.delete(name));
  }

  async syncFolder(): Promise<void> {
    const covered = this.#history.at(-1)!;
    await this.#turn();
    this.#history = this.#history.slice(Math.max(0, this.#history.indexOf(covered)));
  }

  #handle(contents: FakeContents): DiskFile {
    return {
      sizeBytes: contents.cached.length,
      write: (bytes, length, offset) => {
        if (offset + length > contents.cached.length) throw new RangeError("written past what was preallocated");
        const copy = Buffer.from(bytes.subarray(0, length));
        copy.copy(contents.cached, offset);
        contents.unsynced.push({ offset, bytes: copy });
      },
      datasync: async () => {
        const covered = new Set(contents.unsynced);
        await this.#syncTurn();
        contents.unsynced = contents.unsynced.filter((write) => !covered.has(write));
        if (this.failingSyncs > 0) {
          this.failingSyncs--;
          throw new Error("EIO: the medium refused");
        }
        for (const write of covered) write.bytes.copy(contents.synced, write.offset);
      },
      read: (into, offset) =>
        Promise.resolve(contents.cached.copy(into, 0, offset, Math.min(contents.cached.length, offset + into.length))),
      close: () => Promise.resolve(),
    };
  }

  /** An operation takes one turn of the event loop; a sync also as long as syncs are held. */
  #turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(() => this.#dead || resolve()));
  }

  #syncTurn(): Promise<void> {
    return this.#held === undefined ? this.#turn() : new Promise((resolve) => this.#held!.push(resolve));
  }

  #contents(name: string): FakeContents {
    const contents = this.#entries.get(name);
    if (contents === undefined) throw new Error(`ENOENT: ${name}`);
    return contents;
  }

  #change(edit: (entries: Map<string, FakeContents>) => void): void {
    edit(this.#entries);
    this.#history.push(new Map(this.#entries));
  }

  #successor(history: readonly Entries[], copy: (contents: FakeContents) => FakeContents): FakeDisk {
    this.#dead = true;
    const next = new FakeDisk(this.capacityBytes);
    const copies = new Map<FakeContents, FakeContents>();
    next.#history = history.map((entries) => {
      for (const contents of entries.values()) if (!copies.has(contents)) copies.set(contents, copy(contents));
      return new Map([...entries].map(([name, contents]) => [name, copies.get(contents)!]));
    });
    next.#entries = new Map(next.#history.at(-1));
    return next;
  }
}
