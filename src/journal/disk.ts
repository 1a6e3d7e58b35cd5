/**
 * The folder that a journal lives in, as little of a file system as it needs. `folderDisk` is the real one; `FakeDisk`
 * loses what was not synced, so that durability can be tested without cutting the power.
 */
export interface Disk {
  /** Names of the files in the folder. */
  list(): Promise<readonly string[]>;
  /** Opens an existing file for reading and writing. */
  open(name: string): Promise<DiskFile>;
  /**
   * Creates a file of `sizeBytes` zero bytes whose blocks are really taken and whose contents are synced, so that a
   * later write inside it needs no new room and `datasync` no change of size. Throws `DiskFullError` where the room is
   * not there, and leaves nothing behind then. An existing file of that name is replaced.
   */
  preallocate(name: string, sizeBytes: number): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Makes creations, renames and removals durable. */
  syncFolder(): Promise<void>;
}

export interface DiskFile {
  readonly sizeBytes: number;
  /**
   * Hands `bytes[0, length)` to the operating system at `offset`; when it returns they survive a kill of this process,
   * not a power cut. Synchronous, because it costs a microsecond where a hop through a thread costs ten.
   */
  write(bytes: Buffer, length: number, offset: number): void;
  /** Everything written before the call is durable once it resolves. */
  datasync(): Promise<void>;
  /** Fills `into` from `offset`; resolves with the number of bytes read, fewer only at the end of the file. */
  read(into: Buffer, offset: number): Promise<number>;
  close(): Promise<void>;
}
