/** Writes one line of JSON. No prompt, no answer, no secret is ever among the fields. */
export type Log = (
  level: "info" | "warn" | "error",
  message: string,
  fields?: Readonly<Record<string, string | number>>,
) => void;
