import { readFileSync, statSync } from "node:fs";
import { CommandFailure } from "./failure.ts";

/** A file of at most so many bytes. */
export function readBounded(path: string, mostBytes: number): Buffer {
  try {
    const { size } = statSync(path);
    if (size > mostBytes) throw new Error(`it has more than ${mostBytes} bytes`);
    return readFileSync(path);
  } catch (error) {
    throw new CommandFailure("unreadable_file", `${path} cannot be read: ${(error as Error).message}`, {
      next: "Name a file that is there and that this user may read.",
    });
  }
}
