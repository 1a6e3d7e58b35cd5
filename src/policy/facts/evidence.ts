import { z } from "zod";
import { moment, type Span } from "./moments.ts";

/** Who says so: our own measurement, the operator, somebody independent, or the hardware of a trusted environment. */
const evidenceClasses = ["measured", "operator-attested", "third-party-attested", "tee-attested"] as const;

/** What a fact rests on. It counts from its date on, and no longer than to its expiry: after that the fact is none. */
export const evidence = z.strictObject({
  class: z.enum(evidenceClasses).describe("Who says so."),
  on: moment.describe("When it was said or measured; before that it counts as none."),
  expires: moment.optional().describe("The last day on which it counts; left out: it does not expire."),
  source: z.string().min(1).max(1000).optional().describe("Where it can be looked up: an address, a document, a name."),
});

export type Evidence = z.output<typeof evidence>;

export function spanOf({ on, expires }: Evidence): Span {
  return { from: on, until: expires };
}
