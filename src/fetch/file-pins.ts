import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { PinStore } from "./pins.ts";

/** In a folder, a file a log, for programs that start again. What is written survives a power cut. */
export function filePins(folder: string): PinStore {
  const pathOf = (log: string): string => join(folder, `${encodeURIComponent(log)}.checkpoint`);
  let number = 0;
  return {
    async read(log) {
      try {
        return await readFile(pathOf(log), "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    async write(log, checkpoint) {
      await mkdir(folder, { recursive: true });
      const written = `${pathOf(log)}.${process.pid}-${number++}`;
      const file = await open(written, "w");
      try {
        await file.writeFile(checkpoint);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(written, pathOf(log));
    },
  };
}
