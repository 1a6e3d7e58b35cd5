import type { Finding } from "./report.ts";
import type { InternalOrganisations } from "./world.ts";

const namedMost = 10;

/**
 * Whether the organisations of the operator's own group are there by the names that the settings have: a slip would make what they pay
 * external revenue. One may still be made later, so that nothing stands in a start's way. None where none is named.
 */
export async function checkInternal({ named, known }: InternalOrganisations): Promise<readonly Finding[]> {
  if (named.length === 0) return [];
  const name = "own group";
  const all = await known();
  if (all === undefined) {
    const detail = `billing.internal names ${fewOf(named)}: no cloud that runs on the data folder says whether they are there`;
    return [{ name, status: "unknown", detail, next: "Ask again while the cloud runs." }];
  }
  const unknown = [...new Set(named)].filter((each) => !all.has(each));
  if (unknown.length === 0) return [{ name, status: "ok", detail: `billing.internal names ${fewOf(named)}` }];
  const detail = `billing.internal names ${fewOf(unknown)}: no organisation is called so, or has that id`;
  const next =
    "Correct the settings, or make the organisation before it uses anything: what it pays is external revenue where it is not named.";
  return [{ name, status: "missing", detail, next }];
}

function fewOf(names: readonly string[]): string {
  const more = names.length - namedMost;
  return `${names.slice(0, namedMost).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
