/** Finds where a JSON object or array that arrives in pieces ends. */
export class JsonEnd {
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** The length of `text` up to and with the value's last character; undefined: it goes on. */
  push(text: string): number | undefined {
    for (let index = 0; index < text.length; index++) {
      const character = text[index]!;
      if (this.#escaped) this.#escaped = false;
      else if (this.#inString) {
        if (character === "\\") this.#escaped = true;
        else if (character === '"') this.#inString = false;
      } else if (character === '"') this.#inString = true;
      else if (character === "{" || character === "[") this.#depth++;
      else if ((character === "}" || character === "]") && --this.#depth <= 0) return index + 1;
    }
    return undefined;
  }
}
