import { nearest } from "../base/index.ts";
import { classesOf, type PolicyDocument } from "./document.ts";
import { checkProcessing, type OwnGroups } from "./jurisdictions.ts";
import type { Narrowing } from "./question.ts";

/** Header values as a client sent them; undefined where it sent none. Lists are separated by commas. */
export interface NarrowingHeaders {
  readonly dataClass?: string | undefined;
  readonly processing?: string | undefined;
  readonly purpose?: string | undefined;
  readonly legalBasis?: string | undefined;
  readonly regimes?: string | undefined;
}

export type ParsedNarrowing =
  | { readonly outcome: "parsed"; readonly narrowing: Narrowing | undefined }
  /** `header` is a member of the headers; the message a sentence. */
  | { readonly outcome: "invalid"; readonly header: keyof NarrowingHeaders; readonly message: string };

/** What headers can name. */
interface Known {
  readonly document: PolicyDocument;
  readonly regimes: ReadonlySet<string>;
  readonly groups: OwnGroups;
}

const listedMost = 50;
const wordsLetters = 200;

/** Reads the headers by which a request narrows where it may run. A name that nobody knows is refused, not skipped. */
export function parseNarrowing(headers: NarrowingHeaders, known: Known): ParsedNarrowing {
  const { dataClass, processing, purpose, legalBasis, regimes } = headers;
  const places = listOf(processing)?.map((place) => place.toUpperCase());
  const names = listOf(regimes);
  const problem =
    wrongClass(dataClass, known.document) ??
    wrongPlaces(places, known.groups) ??
    wrongRegimes(names, known.regimes) ??
    wrongWords("purpose", "The purpose", purpose) ??
    wrongWords("legalBasis", "The legal basis", legalBasis);
  if (problem !== undefined) return { outcome: "invalid", ...problem };
  const narrowing = {
    ...(dataClass !== undefined && { dataClass }),
    ...(places !== undefined && { processing: places }),
    ...(purpose !== undefined && { purpose }),
    ...(legalBasis !== undefined && { legalBasis }),
    ...(names !== undefined && { regimes: names }),
  };
  return { outcome: "parsed", narrowing: Object.keys(narrowing).length === 0 ? undefined : narrowing };
}

interface Wrong {
  readonly header: keyof NarrowingHeaders;
  readonly message: string;
}

function wrongClass(dataClass: string | undefined, document: PolicyDocument): Wrong | undefined {
  if (dataClass === undefined) return undefined;
  return notAmong("dataClass", "data class", dataClass, classesOf(document));
}

function wrongPlaces(places: readonly string[] | undefined, groups: OwnGroups): Wrong | undefined {
  if (places === undefined) return undefined;
  if (places.length === 0) return { header: "processing", message: "An empty list of places names none." };
  if (places.length > listedMost) return tooMany("processing");
  for (const place of places) {
    const checked = checkProcessing(place, groups);
    if (checked.outcome === "unknown") {
      return { header: "processing", message: `${checked.message}.`.replace("?.", "?") };
    }
  }
  return undefined;
}

function wrongRegimes(names: readonly string[] | undefined, regimes: ReadonlySet<string>): Wrong | undefined {
  if (names === undefined) return undefined;
  if (names.length > listedMost) return tooMany("regimes");
  return names.map((name) => notAmong("regimes", "regime", name, regimes)).find((wrong) => wrong !== undefined);
}

function wrongWords(header: Wrong["header"], what: string, words: string | undefined): Wrong | undefined {
  if (words === undefined) return undefined;
  if (words.length > wordsLetters) return { header, message: `${what} has at most ${wordsLetters} characters.` };
  return /^[\x20-\x7e]*$/.test(words) ? undefined : { header, message: `${what} is printable ASCII.` };
}

function notAmong(header: Wrong["header"], what: string, name: string, known: ReadonlySet<string>): Wrong | undefined {
  if (known.has(name)) return undefined;
  const meant = nearest(name, known);
  const hint = meant === undefined ? `There are ${[...known].join(", ")}.` : `Did you mean "${meant}"?`;
  return { header, message: `There is no ${what} "${name.slice(0, 100)}". ${hint}` };
}

function tooMany(header: Wrong["header"]): Wrong {
  return { header, message: `At most ${listedMost} can be named.` };
}

function listOf(header: string | undefined): readonly string[] | undefined {
  return header
    ?.split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
