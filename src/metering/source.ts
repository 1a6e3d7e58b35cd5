/** What a CloudEvent's source is where a record has none: it is never empty (CloudEvents 1.0.2, section 3.1.1). */
const noSource = "urn:bailiwick:no-source";

export function eventSource(source: string): string {
  return source === "" ? noSource : source;
}

/** The source that is meant, in whatever form it was told. */
export function meantSource(source: string): string {
  return source === noSource ? "" : source;
}
