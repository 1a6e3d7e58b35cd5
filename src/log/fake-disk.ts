import { DiskFullError } from "../base/index.ts";
import type { Disk } from "./disk.ts";

/** The unit that a disk writes whole or not at all. */
const sectorBytes = 512;

/** What was done to a file's bytes and no sync has covered. */
type Change =
  | { readonly kind: "write"; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: "cut"; readonly length: number };

class FakeFile {
  /** What the operating system holds: what a reader sees. */
  cached: Buffer = Buffer.alloc(0);
  /** What the medium holds for sure. */
  synced: Buffer = Buffer.alloc(0);
  unsynced: Change[] = [];
}

type Names = ReadonlyMap<string, FakeFile | FakeFolder>;

class FakeFolder {
  names: Names = new Map();
  /** The names after each change that no sync has covered; the first ones are durable. */
  history: Names[] = [this.names];

  change(edit: (names: Map<string, FakeFile | FakeFolder>) => void): void {
    const names = new Map(this.names);
    edit(names);
    this.names = names;
    this.history.push(names);
  }
}

/** Chooses a whole number from 0 to `most`; 0 always loses what was not synced. */
export type Pick = (most: number) => number;

/**
 * A disk in memory that forgets what was not synced, and can end its process at any step: from then on nobody gets an
 * answer any more. `crash` and `kill` give the disk that the next process finds.
 */
export class FakeDisk implements Disk {
  /** Steps from now on after which the process ends. */
  diesAfter = Infinity;
  /** Steps from now on after which one fails with EIO. */
  failsAfter = Infinity;
  /** Steps from now on after which whatever takes room is refused, having been done by half. */
  fullAfter = Infinity;
  /** Resolves when the process has ended. */
  readonly died: Promise<void>;
  /** Called with the bytes of a file that a rename has just shown under this name. */
  onShown: (path: string, bytes: Buffer) => void = () => undefined;
  readonly #end = Promise.withResolvers<void>();
  #root = new FakeFolder();
  #dead = false;

  constructor() {
    this.died = this.#end.promise;
  }

  /**
   * A power cut. Each folder keeps a prefix of its changes, each file a prefix of the changes of its length, and each
   * sector of it any of the writes that it got.
   */
  crash(pick: Pick = () => 0): FakeDisk {
    return this.#successor({
      folder: (history) => [history[pick(history.length - 1)]!],
      file: (file) => {
        const after = new FakeFile();
        after.cached = file.unsynced
          .slice(0, pick(file.unsynced.length))
          .reduce((bytes, change) => afterPowerCut(bytes, change, pick), file.synced);
        after.synced = Buffer.from(after.cached);
        return after;
      },
    });
  }

  /** kill -9 of the process: the operating system keeps all that was written, and has synced no more than before. */
  kill(): FakeDisk {
    return this.#successor({
      folder: (history) => history,
      file: ({ cached, synced, unsynced }) =>
        Object.assign(new FakeFile(), {
          cached: Buffer.from(cached),
          synced: Buffer.from(synced),
          unsynced: [...unsynced],
        }),
    });
  }

  /** The bytes of a file as a reader sees them, to be looked at or damaged by a test. */
  bytesOf(path: string): Buffer {
    return this.#file(path)!.cached;
  }

  /** The paths of all files, as a reader sees them. */
  paths(): readonly string[] {
    const below = (folder: FakeFolder, prefix: string): readonly string[] =>
      [...folder.names].flatMap(([name, entry]) =>
        entry instanceof FakeFolder ? below(entry, `${prefix}${name}/`) : [prefix + name],
      );
    return below(this.#root, "");
  }

  async read(path: string): Promise<Buffer | undefined> {
    await this.#step();
    const file = this.#file(path);
    return file === undefined ? undefined : Buffer.from(file.cached);
  }

  async readPart(path: string, offset: number, length: number): Promise<Buffer> {
    await this.#step();
    const file = this.#file(path);
    if (file === undefined) throw new Error(`ENOENT: ${path}`);
    return Buffer.from(file.cached.subarray(offset, offset + length));
  }

  async sizeOf(path: string): Promise<number | undefined> {
    await this.#step();
    return this.#file(path)?.cached.length;
  }

  async exists(path: string): Promise<boolean> {
    await this.#step();
    return this.#entry(path) !== undefined;
  }

  async makeFolder(path: string): Promise<void> {
    await this.#step();
    if (this.#entry(path) !== undefined) return;
    if (this.fullAfter <= 0) throw new DiskFullError("there is no room left on the disk");
    this.#parentOf(path).change((names) => names.set(nameOf(path), new FakeFolder()));
  }

  async write(path: string, bytes: Buffer): Promise<void> {
    await this.#step();
    if (this.#file(path) === undefined) {
      this.#parentOf(path).change((names) => names.set(nameOf(path), new FakeFile()));
    } else apply(this.#file(path)!, { kind: "cut", length: 0 });
    await this.#writeAndSync(this.#file(path)!, 0, bytes);
  }

  async writeEnd(path: string, offset: number, bytes: Buffer): Promise<void> {
    await this.#step();
    if (this.#file(path) === undefined) {
      this.#parentOf(path).change((names) => names.set(nameOf(path), new FakeFile()));
    }
    const file = this.#file(path)!;
    await this.#writeAndSync(file, offset, bytes);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step();
    const file = this.#file(from)!;
    this.#parentOf(from).change((names) => {
      names.delete(nameOf(from));
      names.set(nameOf(to), file);
    });
    this.onShown(to, Buffer.from(file.cached));
  }

  async removeFolder(path: string): Promise<void> {
    await this.#step();
    if (this.#entry(path) !== undefined) this.#parentOf(path).change((names) => names.delete(nameOf(path)));
  }

  async syncFolder(path: string): Promise<void> {
    const folder = this.#entry(path) as FakeFolder;
    const covered = folder.names;
    await this.#step();
    folder.history = folder.history.slice(folder.history.indexOf(covered));
  }

  /** In steps between which the process can end. */
  async #writeAndSync(file: FakeFile, offset: number, bytes: Buffer): Promise<void> {
    const half = bytes.length >> 1;
    await this.#step();
    apply(file, { kind: "write", offset, bytes: Buffer.from(bytes.subarray(0, half)) });
    if (this.fullAfter <= 0 && bytes.length > 0) throw new DiskFullError("there is no room left on the disk");
    await this.#step();
    apply(file, { kind: "write", offset: offset + half, bytes: Buffer.from(bytes.subarray(half)) });
    apply(file, { kind: "cut", length: offset + bytes.length });
    await this.#sync(file);
  }

  async #sync(file: FakeFile): Promise<void> {
    try {
      await this.#step();
      file.synced = file.unsynced.reduce(changed, file.synced);
    } finally {
      // As under Linux, a failed sync leaves bytes that readers see and that no later sync tries again.
      file.unsynced = [];
    }
  }

  /** One step takes one turn of the event loop; the process may end with it, or the disk fail. */
  async #step(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.fullAfter--;
    if (this.diesAfter-- <= 0) this.#die();
    if (this.#dead) await new Promise(() => undefined);
    if (this.failsAfter-- <= 0) {
      this.failsAfter = Infinity;
      throw new Error("EIO: the medium refused");
    }
  }

  #die(): void {
    this.#dead = true;
    this.#end.resolve();
  }

  #entry(path: string): FakeFile | FakeFolder | undefined {
    let entry: FakeFile | FakeFolder | undefined = this.#root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      entry = entry instanceof FakeFolder ? entry.names.get(name) : undefined;
    }
    return entry;
  }

  #file(path: string): FakeFile | undefined {
    const entry = this.#entry(path);
    return entry instanceof FakeFile ? entry : undefined;
  }

  #parentOf(path: string): FakeFolder {
    const parent = this.#entry(path.slice(0, Math.max(0, path.lastIndexOf("/"))));
    if (!(parent instanceof FakeFolder)) throw new Error(`ENOENT: ${path}`);
    return parent;
  }

  #successor(keep: {
    folder: (history: readonly Names[]) => readonly Names[];
    file: (file: FakeFile) => FakeFile;
  }): FakeDisk {
    this.#die();
    const next = new FakeDisk();
    const copies = new Map<FakeFile | FakeFolder, FakeFile | FakeFolder>();
    const copyOf = (entry: FakeFile | FakeFolder): FakeFile | FakeFolder => {
      const known = copies.get(entry);
      if (known !== undefined) return known;
      const copy = entry instanceof FakeFolder ? new FakeFolder() : keep.file(entry);
      copies.set(entry, copy);
      if (entry instanceof FakeFolder) {
        const kept = keep
          .folder(entry.history)
          .map((names) => new Map([...names].map(([name, each]) => [name, copyOf(each)])));
        Object.assign(copy, { history: kept, names: kept.at(-1)! });
      }
      return copy;
    };
    next.#root = copyOf(this.#root) as FakeFolder;
    return next;
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function apply(file: FakeFile, change: Change): void {
  file.cached = changed(file.cached, change);
  file.unsynced.push(change);
}

function changed(bytes: Buffer, change: Change): Buffer {
  if (change.kind === "cut") return lengthened(bytes, change.length);
  const after = lengthened(bytes, Math.max(bytes.length, change.offset + change.bytes.length));
  change.bytes.copy(after, change.offset);
  return after;
}

function lengthened(bytes: Buffer, length: number): Buffer {
  const after = Buffer.alloc(length);
  bytes.copy(after);
  return after;
}

/** A change whose length has reached the medium, and of whose sectors some have. */
function afterPowerCut(bytes: Buffer, change: Change, pick: Pick): Buffer {
  if (change.kind === "cut") return lengthened(bytes, change.length);
  const after = lengthened(bytes, Math.max(bytes.length, change.offset + change.bytes.length));
  const end = change.offset + change.bytes.length;
  for (let at = change.offset; at < end;) {
    const sectorEnd = Math.min(end, at + sectorBytes - (at % sectorBytes));
    if (pick(1) === 1) change.bytes.copy(after, at, at - change.offset, sectorEnd - change.offset);
    at = sectorEnd;
  }
  return after;
}
