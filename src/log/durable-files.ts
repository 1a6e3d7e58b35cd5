import type { Disk } from "./disk.ts";

/**
 * Writes files under paths as deep as they come, and knows which names no sync has covered. A file's bytes are synced
 * when it is written; that it can be found after a power cut is only sure after `sync`.
 */
export class DurableFiles {
  readonly #disk: Disk;
  /**
   * Folders that are there, and whose names a sync covers or will cover. One that an earlier process made may be known
   * to the operating system only; so a folder counts as new until this process has seen to it. There are few: one for a
   * thousand tiles, and those of partial tiles, which are removed again.
   */
  readonly #folders = new Set([""]);
  /** Folders whose names no sync has covered. What an earlier process did in the outermost one may be among them. */
  readonly #unsynced = new Set([""]);

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async write(path: string, bytes: Buffer): Promise<void> {
    await this.#makeFolder(folderOf(path));
    this.#unsynced.add(folderOf(path));
    await this.#disk.write(path, bytes);
  }

  /** As `Disk.writeEnd`. */
  async writeEnd(path: string, offset: number, bytes: Buffer): Promise<void> {
    await this.#makeFolder(folderOf(path));
    this.#unsynced.add(folderOf(path));
    await this.#disk.writeEnd(path, offset, bytes);
  }

  /** Puts a file that was written under another name into the place of one that is read meanwhile. */
  async rename(from: string, to: string): Promise<void> {
    this.#unsynced.add(folderOf(from)).add(folderOf(to));
    await this.#disk.rename(from, to);
  }

  async removeFolder(path: string): Promise<void> {
    this.#folders.delete(path);
    this.#unsynced.delete(path);
    await this.#disk.removeFolder(path);
  }

  /** Every name that was made or renamed is durable once it resolves. Nothing may be written meanwhile. */
  async sync(): Promise<void> {
    const folders = [...this.#unsynced];
    await Promise.all(folders.map((folder) => this.#disk.syncFolder(folder)));
    this.#unsynced.clear();
  }

  async #makeFolder(path: string): Promise<void> {
    if (this.#folders.has(path)) return;
    await this.#makeFolder(folderOf(path));
    await this.#disk.makeFolder(path);
    this.#unsynced.add(folderOf(path));
    this.#folders.add(path);
  }
}

/** "tile/0" of "tile/0/000"; "" of "state". */
function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
