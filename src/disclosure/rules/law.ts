import type { Fact } from "../evidence.ts";
import { companyBacking, nameOf, outside, type PlacedDestination, type Scene } from "../scene.ts";
import { decided, distinct, listed, open, type Outcome } from "./finding.ts";

/** SOV-1.1: control over the legal entity. */
export function control(scene: Scene): Outcome {
  const { destinations } = scene;
  if (destinations.length === 0 || destinations.some(({ place }) => place.importer.seat === undefined))
    return open(companies(scene));
  const facts = companies(scene);
  const abroad = destinations.filter(({ place }) => outside([place.importer.seat!]).length > 0);
  if (abroad.length > 0) {
    const because = `${listed(abroad.map(company))} has its seat outside the EEA`;
    return decided(`Not entirely: ${because}.`, facts, { level: 1, because });
  }
  const held = destinations.filter(
    ({ place }) => Number(place.ownership.votesPercent) > 0 || place.ownership.hasRights,
  );
  if (held.length === 0) {
    return decided("The seats are in the EEA, and no votes are held from outside the EU.", facts);
  }
  const isMajority = held.some(({ place }) => Number(place.ownership.votesPercent) > 50 || place.ownership.hasRights);
  const because = `votes in ${listed(held.map(company))} are held from outside the EU, or by nobody who is named`;
  return decided(`The seats are in the EEA; ${because}.`, facts, { level: isMajority ? 1 : 3, because });
}

/** Companies that run sites, with seats and holdings. */
function companies({ destinations, state }: Scene): readonly Fact[] {
  return distinct(
    destinations.flatMap(({ destination, place }): Fact[] => {
      const { operator, seat } = place.importer;
      if (operator === undefined) return [];
      const backing = companyBacking(operator, state);
      if (seat === undefined) {
        return [
          {
            text: `${operator} runs site ${destination.site.name}; no facts that count say where it has its seat`,
            evidence: backing,
          },
        ];
      }
      const { votesPercent, capitalPercent, hasRights } = place.ownership;
      const rights = hasRights ? ", with special rights" : "";
      const text = `${operator} runs site ${destination.site.name}; its seat is in ${seat}; held from outside the EU: ${votesPercent} % of votes, ${capitalPercent} % of capital${rights}`;
      return [{ text, evidence: backing }];
    }),
  );
}

/** SOV-1.4: what owners hold of the capital bears on it; loans are not known. */
export function capital(scene: Scene): Outcome {
  return open(companies(scene));
}

/** SOV-2.1: which law governs the operation. */
export function jurisdiction(scene: Scene): Outcome {
  const facts = sites(scene);
  const elsewhere = scene.destinations.filter(
    ({ place }) =>
      place.jurisdiction === undefined ||
      outside([place.jurisdiction, ...(place.importer.seat === undefined ? [] : [place.importer.seat])]).length > 0,
  );
  if (elsewhere.length === 0) return open(facts);
  const because = `EU law alone does not govern ${listed(elsewhere.map(nameOf))}`;
  return decided(`Mixed: ${because}.`, facts, { level: 1, because });
}

export function sites({ destinations }: Scene): readonly Fact[] {
  return distinct(
    destinations.map((each) => {
      const { seat, operator } = each.place.importer;
      const who =
        operator === undefined
          ? "nobody is declared to run it"
          : `run by ${operator}${seat === undefined ? "" : `, seat in ${seat}`}`;
      return { text: `${nameOf(each)}, ${who}`, evidence: each.siteBacking };
    }),
  );
}

/** SOV-2.2: laws from outside that reach a company. */
export function foreignLaw(scene: Scene): Outcome {
  const known = scene.destinations.every(({ place }) => place.importer.seat !== undefined);
  const reached = scene.destinations.filter((each) => lawsFromOutside(each).length > 0);
  const facts = distinct([...reaches(scene), ...companies(scene)]);
  if (reached.length > 0) {
    const laws = listed([...new Set(reached.flatMap(lawsFromOutside))].sort());
    const because = `laws from outside the EEA reach ${listed(reached.map(company))} (${laws})`;
    return decided(`Exposed: ${because}.`, facts, { level: 1, because });
  }
  if (scene.destinations.length === 0 || !known) return open(facts);
  return decided("No seat, establishment, declared law or majority of votes outside the EEA.", facts);
}

function reaches({ destinations, state }: Scene): readonly Fact[] {
  return destinations.flatMap((each): Fact[] => {
    const laws = lawsFromOutside(each);
    if (laws.length === 0) return [];
    const text = `${company(each)}: ${listed(laws)}`;
    return [{ text, evidence: companyBacking(each.place.importer.operator, state) }];
  });
}

/** By which ways a law from outside the EEA reaches who runs a place. */
export function lawsFromOutside({ place }: Pick<PlacedDestination, "place">): readonly string[] {
  const { seat, establishments, law } = place.importer;
  if (seat === undefined) return [];
  const named = outside([seat, ...establishments, ...law]);
  const isHeld = Number(place.ownership.votesPercent) > 50 || place.ownership.hasRights;
  return isHeld ? [...named, "owners outside the EU or whom nobody has named"] : named;
}

/** SOV-2.3: ways to the data for authorities from outside. */
export function accessPaths(scene: Scene): Outcome {
  const ways = scene.destinations.flatMap((each) => {
    const where = nameOf(each);
    const { jurisdiction: stands, importer } = each.place;
    return [
      ...(stands === undefined ? [`${where}: nobody has declared its law`] : []),
      ...(stands !== undefined && outside([stands]).length > 0 ? [`${where} stands outside the EEA`] : []),
      ...outside(importer.access ?? []).map((from) => `${where} is reached from ${from}`),
      ...lawsFromOutside(each).map((law) => `${where}: ${company(each)} is reached by ${law}`),
    ].map((text): Fact => ({ text, evidence: each.siteBacking }));
  });
  const facts = distinct(ways);
  const [first] = facts;
  if (first !== undefined) {
    const because = facts.length === 1 ? first.text : `${first.text}, and ${facts.length - 1} more ways`;
    return decided(`There are ways: ${because}.`, facts, { level: 1, because });
  }
  return open(
    distinct(
      scene.destinations.map((each) => {
        const { access } = each.place.importer;
        const from = access === undefined ? "not declared" : access.length === 0 ? "nowhere else" : access.join(", ");
        return { text: `${nameOf(each)} is reached by staff from: ${from}`, evidence: each.siteBacking };
      }),
    ),
  );
}

/** SOV-4.2: work that is done from outside. */
export function operation(scene: Scene): Outcome {
  const abroad = scene.destinations.flatMap((each): Fact[] => {
    const { jurisdiction: stands, importer } = each.place;
    const isAway = each.destination.kind === "upstream" && (stands === undefined || outside([stands]).length > 0);
    const reached = outside(importer.access ?? []);
    return [
      ...(isAway ? [{ text: `${nameOf(each)} is run elsewhere`, evidence: each.siteBacking }] : []),
      ...reached.map((from) => ({
        text: `${nameOf(each)} is reached by staff from ${from}`,
        evidence: each.siteBacking,
      })),
    ];
  });
  if (abroad.length === 0) return open(sites(scene));
  const facts = distinct(abroad);
  return decided(`A part is done from outside the EEA: ${facts[0]!.text}.`, facts, {
    level: 3,
    because: facts[0]!.text,
  });
}

function company({ destination, place }: PlacedDestination): string {
  return place.importer.operator ?? `whoever runs site ${destination.site.name}`;
}
