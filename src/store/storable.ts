/** PostgreSQL's text holds no NUL and no half surrogate; a client's text may, and must not stop the books. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", "\uFFFD");
}
