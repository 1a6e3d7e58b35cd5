import { adequacyFor, type Candidate, type Place, placeOf, placesOf, type Standing } from "../policy/index.ts";
import { type About, aboutReport, periodText } from "./about.ts";
import type { LiveState, Period, PlacedSum, Recorded } from "./live-state.ts";
import { sceneOf } from "./scene.ts";

/**
 * How data can be beyond an area: `place`: it was processed there; `undeclared`: nobody has declared where; `access`: the
 * site is inside, and reached from outside; `law`: the site is inside, and a law from outside reaches who runs it.
 */
export type Way = "place" | "undeclared" | "access" | "law";

/** An adequacy decision that holds for a jurisdiction to which data went, and for who receives it there. */
export interface AdequacyFound {
  readonly country: string;
  readonly decidedOn: string;
  readonly source: string;
  /** Where it covers some recipients only: the certificate that the importer has in force. */
  readonly scheme: string | null;
}

/** What is on record of why data may be there. */
export interface LegalBasis {
  readonly adequacy: readonly AdequacyFound[];
  /** Jurisdictions in play (of the place, of laws, of access) that none of these decisions covers. */
  readonly notCovered: readonly string[];
  /** As the tenant asserted it with the request; null: it did not. */
  readonly asserted: string | null;
}

export interface Transfer {
  readonly project: { readonly id: string; readonly name: string };
  readonly organisation: { readonly id: string; readonly name: string };
  /** null: an earlier release did not record it. */
  readonly dataClass: string | null;
  readonly way: Way;
  readonly destination: {
    readonly kind: "host" | "upstream" | "unknown";
    readonly name: string | null;
    readonly site: string;
    readonly jurisdiction: string | null;
  };
  /** Who receives the data. */
  readonly importer: { readonly name: string | null; readonly seat: string | null; readonly laws: readonly string[] };
  /** From where the importer's staff reach the site; null: not declared. */
  readonly reachedFrom: readonly string[] | null;
  readonly basis: LegalBasis;
  readonly models: readonly string[];
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly unrated: number;
}

export interface TransfersReport {
  readonly report: "transfers";
  readonly about: About;
  readonly area: string;
  /** null: all of them. */
  readonly organisation: { readonly id: string; readonly name: string } | null;
  /** One sentence. */
  readonly summary: string;
  readonly lookedAt: Period & { readonly requests: number };
  /** Requests that were processed outside the area, or nobody has declared where. */
  readonly made: readonly Transfer[];
  /** Requests that were processed inside, at places that are reached from outside. */
  readonly reachable: readonly Transfer[];
  readonly notSeen: readonly string[];
}

export interface TransfersQuestion {
  /** A country, EU, EEA or an own group, upper case. */
  readonly area: string;
  readonly organisation: { readonly id: string; readonly name: string } | null;
}

/** What was placed outside an area in a period, to whom, under which law, on which basis. */
export function transfersReport(state: LiveState, recorded: Recorded, question: TransfersQuestion): TransfersReport {
  const { organisation, area } = question;
  const sums = recorded.sums.filter((sum) => organisation === null || sum.organisation.id === organisation.id);
  const { standing } = sceneOf(state);
  const all = merged(sums.flatMap((sum) => transferOf(sum, area, standing, state)));
  const made = all.filter(({ way }) => way === "place" || way === "undeclared");
  const requests = total(sums);
  const { from, to } = recorded;
  return {
    report: "transfers",
    about: aboutReport(state, recorded),
    area,
    organisation,
    summary: summaryOf(made, area, requests, recorded),
    lookedAt: { from, to, requests },
    made,
    reachable: all.filter(({ way }) => way === "access" || way === "law"),
    notSeen: notSeen(sums, recorded),
  };
}

function summaryOf(made: readonly Transfer[], area: string, requests: number, times: Period): string {
  const period = periodText(times);
  const outside = `outside ${areaText(area)}`;
  if (made.length === 0) return `None: ${requests} requests ${period} were looked at, and none of them ran ${outside}.`;
  const places = [...new Set(made.map(({ destination }) => destination.jurisdiction ?? "no declared place"))].sort();
  return `${total(made)} of ${requests} requests ${period} ran ${outside}, or at a place that nobody has declared: ${places.join(", ")}.`;
}

/** "the EEA", "DE". */
export function areaText(area: string): string {
  return area === "EU" || area === "EEA" ? `the ${area}` : area;
}

function total(sums: readonly { readonly requests: number }[]): number {
  return sums.reduce((sum, { requests }) => sum + requests, 0);
}

/** A candidate as it was asked of policy; of what an earlier release recorded, what is known of its site by now. */
function candidateOf({ asked, destination, site }: PlacedSum, { destinations, gatewaySite }: LiveState): Candidate {
  const then = asked?.candidates.find(({ name }) => name === destination);
  const now = destinations.find((each) => each.name === destination || each.site.name === site);
  const known = now?.site ?? (gatewaySite.name === site ? gatewaySite : { name: site, jurisdiction: undefined });
  return then ?? { kind: now?.kind ?? "site", name: destination ?? site, site: known };
}

function transferOf(sum: PlacedSum, area: string, standing: Standing, state: LiveState): readonly Transfer[] {
  const candidate = candidateOf(sum, state);
  const place = placeOf(candidate, standing);
  const way = wayOf(place, area, standing);
  if (way === undefined) return [];
  const { importer } = place;
  const { project, organisation, asked, requests, inputTokens, outputTokens, unrated } = sum;
  const kind = candidate.kind === "site" ? "unknown" : candidate.kind;
  return [
    {
      project,
      organisation,
      dataClass: asked?.dataClass ?? null,
      way,
      destination: { kind, name: sum.destination, site: sum.site, jurisdiction: place.jurisdiction ?? null },
      importer: { name: importer.operator ?? null, seat: importer.seat ?? null, laws: importer.law },
      reachedFrom: importer.access ?? null,
      basis: basisOf(place, asked?.legalBasis ?? null, area, standing),
      models: [sum.model],
      requests,
      inputTokens,
      outputTokens,
      unrated,
    },
  ];
}

function wayOf({ jurisdiction, within, importer }: Place, area: string, standing: Standing): Way | undefined {
  if (jurisdiction === undefined) return "undeclared";
  if (!within.includes(area)) return "place";
  const isOutside = (each: string): boolean => !placesOf(each, standing).includes(area);
  if (importer.access?.some(isOutside) === true) return "access";
  return [...importer.law, ...importer.establishments].some(isOutside) ? "law" : undefined;
}

/** Adequacy is the EU's and the EEA's to find: for another area nothing here knows a basis but the tenant's. */
function basisOf(place: Place, asserted: string | null, area: string, standing: Standing): LegalBasis {
  const { jurisdiction, importer } = place;
  const inPlay = [...(jurisdiction === undefined ? [] : [jurisdiction]), ...importer.law, ...(importer.access ?? [])];
  const outside = [...new Set(inPlay)].filter((each) => !placesOf(each, standing).includes(area)).sort();
  const isFoundHere = area === "EU" || area === "EEA";
  const found = outside.map((each) => ({
    each,
    decision: isFoundHere ? adequacyFor(each, importer.certificates, standing) : undefined,
  }));
  const decisions = found.flatMap(({ decision }) => (decision === undefined ? [] : [decision]));
  return {
    adequacy: [...new Set(decisions)].map(({ to, decidedOn, source, scheme }) => {
      return { country: to, decidedOn, source, scheme: scheme ?? null };
    }),
    notCovered: found.filter(({ decision }) => decision === undefined).map(({ each }) => each),
    asserted,
  };
}

/** Rows that differ in models and counts alone are one. */
function merged(transfers: readonly Transfer[]): readonly Transfer[] {
  const rows = new Map<string, Transfer>();
  for (const each of transfers) {
    const { models, requests, inputTokens, outputTokens, unrated, ...same } = each;
    const key = JSON.stringify(same);
    const before = rows.get(key);
    rows.set(key, {
      ...same,
      models: [...new Set([...(before?.models ?? []), ...models])].sort(),
      requests: (before?.requests ?? 0) + requests,
      inputTokens: (before?.inputTokens ?? 0) + inputTokens,
      outputTokens: (before?.outputTokens ?? 0) + outputTokens,
      unrated: (before?.unrated ?? 0) + unrated,
    });
  }
  return [...rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function notSeen(sums: readonly PlacedSum[], { leftOut, isComplete }: Recorded): readonly string[] {
  const unasked = total(sums.filter(({ asked }) => asked === null));
  return [
    ...(unasked === 0
      ? []
      : [
          `Of ${unasked} requests nothing was kept of what was asked of policy: their data class and any asserted basis are not known, and their place is taken from the site that was recorded.`,
        ]),
    ...(leftOut === 0
      ? []
      : [`${leftOut} requests are in more groups than one report holds; ask for a shorter period.`]),
    ...(isComplete ? [] : ["Some requests that have ended were not in the books yet when they were read."]),
    "Importers, laws, access and adequacy are those that hold at the moment of this report, not at that of each request.",
    "What a tenant does with an answer, and where its own clients are, is not known here. Nor is the way of packets between networks.",
    "Refused requests went nowhere, and are not counted.",
  ];
}
