import { fileURLToPath } from "node:url";
import type PDFDocument from "pdfkit";

type Document = InstanceType<typeof PDFDocument>;
type Weight = "regular" | "bold";

/** The letters of one document. */
export interface Typeface {
  /** The file of the regular weight, which a document has from its beginning on. */
  readonly regular: string;
  /** Sets a document to the first font that has all of a text, and returns it. */
  set(document: Document, weight: Weight, text: string): Document;
  /** The name of that font. */
  named(document: Document, weight: Weight, text: string): string;
  /** A character that a text had and no font has, which would be an empty box where a name should be. */
  readonly missing: string | undefined;
}

/**
 * DejaVu Sans, and Noto Sans for Chinese and Japanese where that is installed and a text needs it.
 * `named`: a file (TTF, OTF) that comes before both.
 */
export function typefaceOf(named?: string): Typeface {
  const families = [...(named === undefined ? [] : [[named, named] as const]), dejaVu(), ...noto()];
  let missing: string | undefined;
  const nameOf = (document: Document, weight: Weight, text: string): string => {
    // The library keeps a font open by its file's path, and opens one with a name of its own anew each time where both are the same.
    const names = families.map(([regular, bold]) => (weight === "regular" ? regular : bold));
    const found = names.find((name) => firstMissing(document, name, text) === undefined);
    if (found === undefined) missing ??= missingEverywhere(document, names, text);
    return found ?? names[0]!;
  };
  return {
    regular: families[0]![0],
    named: nameOf,
    set: (document, weight, text) => document.font(nameOf(document, weight, text)),
    get missing() {
      return missing;
    },
  };
}

type Family = readonly [regular: string, bold: string];

function dejaVu(): Family {
  return [
    fileURLToPath(import.meta.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf")),
    fileURLToPath(import.meta.resolve("dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf")),
  ];
}

/** An installation may have left it out: it is large. */
function noto(): readonly Family[] {
  try {
    const index = import.meta.resolve("@embedpdf/fonts-sc");
    const file = (weight: string): string => fileURLToPath(new URL(`../fonts/NotoSansHans-${weight}.otf`, index));
    return [[file("Regular"), file("Bold")]];
  } catch {
    // It is not there, and a text that needs it says so.
    return [];
  }
}

/** What all fonts lack; where each has what another lacks, what the first one does. */
function missingEverywhere(document: Document, names: readonly string[], text: string): string | undefined {
  const lacked = Array.from(text).filter((character) =>
    names.every((name) => firstMissing(document, name, character) !== undefined),
  );
  return lacked[0] ?? firstMissing(document, names[0]!, text);
}

/** Lines are broken where their marks are; other marks have no letter, and need none. */
function firstMissing(document: Document, name: string, text: string): string | undefined {
  // The library has no other way to ask the font that it has opened.
  const { _font } = document.font(name) as unknown as {
    _font: { font: { hasGlyphForCodePoint(code: number): boolean } };
  };
  return [...new Set(text)].find(
    (character) => character !== "\n" && !_font.font.hasGlyphForCodePoint(character.codePointAt(0)!),
  );
}
