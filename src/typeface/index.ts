/**
 * typeface: the letters of what is printed. Owns which font a text of a PDF is set in, so that none has an empty box.
 * Does not own: what is written where (invoicing, disclosure), laying it out. Invariant: a font is in a PDF only where a text
 * needs it, and only the characters that are there; the same texts are set in the same fonts.
 */
export { type Typeface, typefaceOf } from "./typeface.ts";
