/** In the place of src/receipt/statement.ts: a request has no statement, and so no receipt. */
export * from "../../src/receipt/statement.ts";

export function buildStatement(): undefined {
  return undefined;
}
