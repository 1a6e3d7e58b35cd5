import type { Readable } from "node:stream";

/** Calls back with each line of a child's output, cut to `maxBytes`: a native library may print anything. */
export function readLines(output: Readable, maxBytes: number, onLine: (line: string) => void): void {
  let begun = "";
  output.setEncoding("utf8");
  output.on("data", (text: string) => {
    const lines = (begun + text).split("\n");
    begun = lines.pop()!.slice(0, maxBytes);
    for (const line of lines) if (line !== "") onLine(line.slice(0, maxBytes));
  });
  output.on("end", () => {
    if (begun !== "") onLine(begun);
  });
  // The pipe of a child that was killed may break; its exit is heard of elsewhere.
  output.on("error", () => output.destroy());
}
