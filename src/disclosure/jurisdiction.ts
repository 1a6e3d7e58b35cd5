import { type About, aboutReport } from "./about.ts";
import type { Backing } from "./evidence.ts";
import type { Declared, LiveState } from "./live-state.ts";
import { measuresOf } from "./measures.ts";
import { type PlacedDestination, sceneOf } from "./scene.ts";

/** A service as customers call it, and the law of each place at which it is computed. */
export interface ServiceJurisdiction {
  readonly service: string;
  readonly endpoints: readonly string[];
  readonly places: readonly InfrastructurePlace[];
}

export interface InfrastructurePlace {
  readonly site: string;
  /** null: nobody has declared it; public data alone goes there. */
  readonly jurisdiction: string | null;
  readonly operator: string | null;
  readonly operatorSeat: string | null;
  /** Further jurisdictions whose law reaches the operator, as it declares them. */
  readonly furtherLaws: readonly string[];
  readonly evidence: Backing;
}

export interface JurisdictionReport {
  readonly report: "jurisdiction";
  readonly about: About;
  readonly law: string;
  readonly provider: Declared["processor"];
  readonly summary: string;
  readonly services: readonly ServiceJurisdiction[];
  readonly measures: ReturnType<typeof measuresOf>;
  readonly notFilledIn: readonly string[];
}

/**
 * What a provider of data processing services has to publish (Data Act, art. 28(1)): the jurisdiction to which the
 * infrastructure of each service is subject, and its measures against access by authorities of others. Nothing of a tenant
 * is in it, and no machine by its id.
 */
export function jurisdictionReport(state: LiveState): JurisdictionReport {
  const scene = sceneOf(state);
  const services = scene.models.map((service): ServiceJurisdiction => {
    const offering = scene.destinations.filter(({ destination }) =>
      destination.models.some(({ name }) => name === service),
    );
    const endpoints = offering.flatMap(({ destination }) =>
      destination.models.filter(({ name }) => name === service).flatMap((model) => model.endpoints),
    );
    return { service, endpoints: [...new Set(endpoints)].sort(), places: placesOf(offering) };
  });
  const measures = measuresOf(state);
  return {
    report: "jurisdiction",
    about: aboutReport(state, null),
    law: "Regulation (EU) 2023/2854 (Data Act), art. 28(1)",
    provider: state.declared.processor,
    summary: summaryOf(services),
    services,
    measures,
    notFilledIn: [
      ...(state.declared.processor.name === null ? ["disclosure.processor.name"] : []),
      ...(["technical", "organisational", "contractual"] as const)
        .filter((kind) => state.declared.measures[kind].length === 0)
        .map((kind) => `disclosure.measures.${kind}`),
    ],
  };
}

function placesOf(offering: readonly PlacedDestination[]): readonly InfrastructurePlace[] {
  const places = offering.map(({ destination, place, siteBacking }): InfrastructurePlace => {
    const { operator, seat, law, establishments } = place.importer;
    const further = [...law, ...establishments].filter((each) => each !== place.country && each !== seat);
    return {
      site: destination.site.name,
      jurisdiction: place.jurisdiction ?? null,
      operator: operator ?? null,
      operatorSeat: seat ?? null,
      furtherLaws: [...new Set(further)].sort(),
      evidence: siteBacking,
    };
  });
  const bySite = new Map(places.map((each) => [JSON.stringify(each), each]));
  return [...bySite.values()].sort((a, b) => (a.site < b.site ? -1 : 1));
}

function summaryOf(services: readonly ServiceJurisdiction[]): string {
  if (services.length === 0) return "No service is offered at the moment.";
  const laws = services.flatMap(({ places }) =>
    places.map(({ jurisdiction }) => jurisdiction ?? "no declared jurisdiction"),
  );
  return `${services.length} service${services.length === 1 ? "" : "s"}, computed under: ${[...new Set(laws)].sort().join(", ")}.`;
}
