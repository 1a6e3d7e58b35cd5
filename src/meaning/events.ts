import type { Said } from "./said.ts";

/** The JSON objects that whole frames of an event stream carry, in their order; what is no such object is passed over. */
export function* eventsOf(text: string): Generator<Said> {
  for (const frame of text.split(/\r?\n\r?\n/)) {
    const event = parsed(dataOf(frame));
    if (event !== undefined) yield event;
  }
}

/** A frame's data: its lines of data, joined by line feeds (HTML, section 9.2.6). Most frames have one. */
export function dataOf(frame: string): string {
  const only = frame.startsWith("data: ") && !frame.trimEnd().includes("\n") ? frame.slice(6) : undefined;
  if (only !== undefined) return only.trimEnd();
  return frame
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).trim())
    .join("\n");
}

function parsed(data: string): Said | undefined {
  if (!data.startsWith("{")) return undefined;
  try {
    return JSON.parse(data) as Said;
  } catch {
    // Not an event of an endpoint that is known here.
    return undefined;
  }
}
