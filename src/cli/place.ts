import type { CloudStatus } from "../gateway/control/index.ts";

/** Where something stands, and under whose law. */
export function placeText({ name, jurisdiction }: CloudStatus["site"]): string {
  return `${name} (${jurisdiction ?? "no jurisdiction declared"})`;
}
