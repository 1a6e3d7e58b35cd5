/**
 * The folder that a log lives in, as little of a file system as it needs; paths are relative, with "/". `folderDisk` is
 * the real one; `FakeDisk` loses what was not synced. The journal has another interface of the same kind: its files are
 * allocated ahead and overwritten in place, those of a log are many, small, and written once.
 *
 * Whatever takes room throws a `DiskFullError` where there is none; half of what was to be written may lie there then.
 */
export interface Disk {
  /** A file's bytes; undefined where there is none. */
  read(path: string): Promise<Buffer | undefined>;
  /** Up to `length` bytes of an existing file from `offset` on; fewer at its end. */
  readPart(path: string, offset: number, length: number): Promise<Buffer>;
  /** A file's length; undefined where there is none. */
  sizeOf(path: string): Promise<number | undefined>;
  /** Whether there is a file or a folder of that name. */
  exists(path: string): Promise<boolean>;
  /** Makes a folder in one that is there; nothing happens where it is there already. */
  makeFolder(path: string): Promise<void>;
  /** Writes a whole file, in the place of one that may be there, and syncs its bytes. */
  write(path: string, bytes: Buffer): Promise<void>;
  /** Writes into a file from `offset` on, ends it there, and syncs its bytes; a file that is not there is made. */
  writeEnd(path: string, offset: number, bytes: Buffer): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a folder with its files; nothing happens where it is not there. */
  removeFolder(path: string): Promise<void>;
  /** Makes durable which names stand in a folder: what was made, renamed and removed directly in it. */
  syncFolder(path: string): Promise<void>;
}
