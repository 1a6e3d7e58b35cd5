import { errorCodes, type Refusal, RefusalError } from "../base/index.ts";

/** Why a cloud does not come up, in words for the operator; thrown, so that what was started is stopped on the way. */
export class Failed extends Error {
  readonly next: string;
  /** What a program that reads errors knows it by. */
  readonly code: string;
  constructor(message: string, next: string, code = "cannot_start") {
    super(message);
    this.next = next;
    this.code = code;
  }
}

export function refused(refusal: Refusal): Failed {
  return new Failed(
    [refusal.message, ...(refusal.reasons ?? [])].join("\n  "),
    errorCodes[refusal.code].next,
    refusal.code,
  );
}

/** An error as a failure that the operator can act on; undefined: it is a defect, and its trace is what tells of it. */
export function failedBy(error: unknown): Failed | undefined {
  if (error instanceof Failed) return error;
  if (error instanceof RefusalError) return refused(error.refusal);
  const { code, path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (!(error instanceof Error) || code === undefined || syscall === undefined) return undefined;
  // A program that is not there says ENOENT as well.
  const why = syscall.startsWith("spawn") ? undefined : diskWords[code];
  if (path === undefined) return saysNoPath.has(code) ? unwritable(code) : undefined;
  return why === undefined
    ? new Failed(`${path}: ${error.message}`, "Look at that file, or name another folder with --data.")
    : new Failed(`${path} cannot be used: ${why[0]} (${code}).`, why[1]);
}

/** A write names no file; of these codes it is clear what they speak of. */
const saysNoPath: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO"]);

export function unwritable(code: string): Failed {
  const [why, next] = diskWords[code] ?? ["it fails", another];
  return new Failed(`The data folder cannot be written: ${why} (${code}).`, next);
}

const another = "Name another folder with --data.";

/** What a file system's refusal means, and what to do next. */
const diskWords: Readonly<Record<string, readonly [string, string]>> = {
  EEXIST: ["there is a file where a folder is needed", another],
  ENOTDIR: ["a part of that path is a file, not a folder", another],
  EISDIR: ["there is a folder where a file is needed", another],
  ENOENT: ["nothing can be made there", another],
  EACCES: ["this user may not write there", "Give this user the folder, or name another with --data."],
  EPERM: ["this user may not do that there", "Give this user the folder, or name another with --data."],
  EROFS: ["the file system is read-only", another],
  ENOSPC: ["the disk is full", "Free disk space, or name a folder elsewhere with --data."],
  EDQUOT: ["the disk's quota is used up", "Free disk space, or name a folder elsewhere with --data."],
  EIO: ["the disk fails", "Look at the system's log, and restore a backup on another disk."],
  ENAMETOOLONG: ["the path is too long", another],
  ELOOP: ["its links lead in a circle", another],
};
