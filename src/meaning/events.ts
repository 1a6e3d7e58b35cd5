import type { Assembly, SaidText } from "./form.ts";
import type { Said } from "./said.ts";

/** The JSON objects that whole frames of an event stream carry, in their order; what is no such object is passed over. */
export function* eventsOf(text: string): Generator<Said> {
  for (const frame of text.split(/\r?\n\r?\n/)) {
    const event = parsed(dataOf(frame));
    if (event !== undefined) yield event;
  }
}

/** A frame's data: its lines of data, joined by line feeds (HTML, section 9.2.6). */
export function dataOf(frame: string): string {
  return frame
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).trim())
    .join("\n");
}

/** `[DONE]`, or an event whose type is one of the last ones: the text must not merely stand in the content. */
export function isLastFrame(frame: string, lastFrames: readonly string[]): boolean {
  if (!lastFrames.some((text) => frame.includes(text))) return false;
  const data = dataOf(frame);
  return data === "[DONE]" || lastFrames.includes(`"${String(parsed(data)?.["type"])}"`);
}

const begins = "data: ";
const ends = "\n\n";
/** A text as JSON has it that stands for itself. */
const plain = /^[^"\\\p{Cc}]*$/u;

/**
 * Reads a stream's frames into an assembly. One that differs from the frame before it in a text alone is not parsed: what
 * stands around the text was parsed then, and so is known to say the same again.
 */
export class EventReader {
  readonly #assembly: Assembly;
  /** What stands before and behind the text of a frame that said nothing but a text. */
  #around: readonly [before: string, behind: string] | undefined;

  constructor(assembly: Assembly) {
    this.#assembly = assembly;
  }

  /** `text`: whole frames. */
  take(text: string): void {
    if (this.#around !== undefined && this.#takeText(text, this.#around)) return;
    this.#around = undefined;
    const isOne = text.startsWith(begins) && text.indexOf("\n") === text.length - ends.length;
    if (!isOne) {
      for (const event of eventsOf(text)) this.#assembly.take(event);
      return;
    }
    const event = parsed(text.slice(begins.length, -ends.length));
    if (event === undefined) return;
    this.#assembly.take(event);
    const said = this.#assembly.textOf?.(event);
    if (said !== undefined) this.#around = aroundIn(text, said);
  }

  #takeText(text: string, [before, behind]: readonly [string, string]): boolean {
    const end = text.length - behind.length;
    if (end < before.length || !text.startsWith(before) || !text.endsWith(behind)) return false;
    const said = text.slice(before.length, end);
    if (!plain.test(said)) return false;
    this.#assembly.takeText!(said);
    return true;
  }

  get said(): Said | undefined {
    return this.#assembly.said();
  }
}

/** Undefined where the text does not stand for itself, or stands in two places. */
function aroundIn(frame: string, { name, text }: SaidText): readonly [string, string] | undefined {
  const member = `"${name}":"`;
  const at = frame.indexOf(member);
  if (at < 0 || !plain.test(text) || frame.lastIndexOf(member) !== at) return undefined;
  const start = at + member.length;
  return frame.startsWith(`${text}"`, start) ? [frame.slice(0, start), frame.slice(start + text.length)] : undefined;
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
