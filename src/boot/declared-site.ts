import type { Settings } from "../config/index.ts";
import type { DestinationSite } from "../engine/index.ts";

/** A site as the settings declare it, with no member for what they leave out. */
export function declaredSite({ name, jurisdiction, operator }: Settings["site"]): DestinationSite {
  return { name, jurisdiction, ...(operator === undefined ? {} : { operator }) };
}
