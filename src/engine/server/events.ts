const frameBytesMax = 4 << 20;

/** Takes an event stream's bytes apart: the data of each event, in order. */
export class EventReader {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #text = "";

  /** The data of the events that are whole now. Throws where one never ends. */
  push(bytes: Buffer): readonly string[] {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    const frames = this.#text.split(/\r?\n\r?\n/);
    this.#text = frames.pop()!;
    if (this.#text.length > frameBytesMax) throw new Error("an event of the answer does not end");
    return frames.map(dataOf).filter((data) => data !== "");
  }
}

function dataOf(frame: string): string {
  return frame
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).trim())
    .join("\n");
}
