/** Values by their paths: those of a request, as Cedar was given them. */
export type RequestValues = Readonly<Record<"principal" | "resource" | "context", Readonly<Record<string, unknown>>>>;

const known = new Set(
  (
    "principal.dataClass principal.processing principal.storage principal.country principal.from " +
    "resource.jurisdiction resource.country resource.within resource.certificates resource.evidence resource.makers " +
    "resource.makerCountries resource.engine.name resource.engine.developer resource.engine.developerCountry " +
    "resource.engine.licence context.dataClass context.baseClass context.purpose context.legalBasis " +
    "context.importer.operator context.importer.seat context.importer.establishments context.importer.law " +
    "context.importer.access context.importer.adequate context.importer.certificates " +
    "context.ownership.largestVotesPercent context.ownership.largestCapitalPercent context.ownership.votesPercent " +
    "context.ownership.capitalPercent context.model.name context.model.developer context.model.developerCountry " +
    "context.model.licence context.exported.individuals context.exported.sensitiveIndividuals context.exported.mechanisms"
  ).split(" "),
);

const placeholders = /\{([^{}]*)\}/g;

/** The first `{...}` of a text that stands for no value of a request; undefined where there is none. */
export function unknownPlaceholder(text: string): string | undefined {
  return [...text.matchAll(placeholders)].map((match) => match[1]!).find((path) => !known.has(path));
}

/** The text with what its placeholders stand for. */
export function fillIn(text: string, values: RequestValues): string {
  return text.replaceAll(placeholders, (_, path: string) => wordsFor(valueAt(path, values), path));
}

function valueAt(path: string, values: RequestValues): unknown {
  let value: unknown = values;
  for (const step of path.split(".")) {
    value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[step] : undefined;
  }
  return value;
}

const ofPlaces = /(jurisdiction|country|Country|from|seat|access)$/;

function wordsFor(value: unknown, path: string): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
  if (typeof value === "string" || typeof value === "number") return String(value);
  // A decimal of Cedar's, as it was given one.
  const decimal = (value as { readonly __extn?: { readonly arg: unknown } } | undefined)?.__extn?.arg;
  if (typeof decimal === "string") return decimal;
  return ofPlaces.test(path) ? "a place that nobody has declared" : "(not declared)";
}
