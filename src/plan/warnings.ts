import type { Market } from "./market.ts";
import type { Found } from "./search.ts";

/** What was published or written of the export of devices that a plan has, word for word. */
export function exportWarnings({ offers }: Market, found: readonly Found[]): readonly string[] {
  return offers.flatMap(({ type, exportClassification, note }, index) => {
    if (found.every(({ counts }) => counts[index] === 0)) return [];
    const said = [
      ...(type.exportNote === undefined ? [] : [type.exportNote]),
      ...(exportClassification === undefined ? [] : [`The price list says: ${exportClassification}.`]),
      ...(note === undefined ? [] : [`Note: ${note}.`]),
    ];
    const isExport = type.exportNote !== undefined || exportClassification !== undefined;
    return isExport ? [`${type.name}: ${said.join(" ")} As given, and not legal advice.`] : [];
  });
}
