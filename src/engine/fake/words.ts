const vocabulary = (
  "the border keeps each answer where its question was asked and a record of what it cost so that nobody has to take " +
  "our word for anything here since every token is counted once by whoever made it then signed with care under one key " +
  "while models come and go among few machines without losing their place"
).split(" ");

export interface Scanned {
  /** Words between white space. */
  readonly tokens: number;
  /** FNV-1a, 32 bits, over UTF-16 code units. */
  readonly hash: number;
}

/** Counts a text's tokens and hashes it, in one pass. */
export function scan(text: string): Scanned {
  let tokens = 0;
  let hash = 0x811c9dc5;
  let inWord = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    hash = Math.imul(hash ^ code, 0x01000193);
    const isSpace = code <= 0x20;
    if (!isSpace && !inWord) tokens++;
    inWord = !isSpace;
  }
  return { tokens, hash: hash >>> 0 };
}

/** How many whole tokens two texts have in common from their beginning. */
export function commonTokens(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let at = 0;
  let tokens = 0;
  let inWord = false;
  for (; at < end; at++) {
    const code = a.charCodeAt(at);
    if (code !== b.charCodeAt(at)) break;
    const isSpace = code <= 0x20;
    if (isSpace && inWord) tokens++;
    inWord = !isSpace;
  }
  // The last word is whole where both texts end it here.
  const endsBoth =
    inWord && (at === a.length || a.charCodeAt(at) <= 0x20) && (at === b.length || b.charCodeAt(at) <= 0x20);
  return endsBoth ? tokens + 1 : tokens;
}

/** Token `index` of the answer that follows from a prompt's hash. */
export function wordAt(hash: number, index: number): string {
  const mixed = Math.imul(hash ^ Math.imul(index + 1, 0x9e3779b1), 0x85ebca6b);
  const word = vocabulary[((mixed ^ (mixed >>> 15)) >>> 0) % vocabulary.length]!;
  return index === 0 ? word : ` ${word}`;
}

/** Cuts a text into tokens of a few characters, words with the space before them; surrogate pairs stay whole. */
export function cut(text: string): readonly string[] {
  return text.match(/\s?[^\s]{1,6}|\s/gu) ?? [];
}
