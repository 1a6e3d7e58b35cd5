/** What no XML 1.0 document can hold (section 2.2), and halves of characters, which no encoding can. */
const illegal = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

/** The first character of a text that no invoice can show, as "U+0007"; undefined where there is none. */
export function unshowable(text: string): string | undefined {
  const found = illegal.exec(text)?.[0].codePointAt(0);
  return found === undefined ? undefined : `U+${found.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** A text of others that has to be shown whatever is in it, such as a SKU's name. */
export function showable(text: string): string {
  return text.replaceAll(new RegExp(illegal, "gu"), "\uFFFD");
}
