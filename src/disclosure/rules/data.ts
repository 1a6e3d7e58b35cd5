import { periodText } from "../about.ts";
import { backingOf, bySettings, counts, type Fact, measured } from "../evidence.ts";
import type { Recorded } from "../live-state.ts";
import { isEuropean, nameOf, type Scene } from "../scene.ts";
import { decided, distinct, listed, open, type Outcome } from "./finding.ts";
import { foreignParts, machineFacts } from "./hardware.ts";

/** SOV-3.1: who holds keys. */
export function keys({ state }: Scene): Outcome {
  const { content, tenantKeys } = state.keeping;
  const evidence = measured(state.atMs);
  const kept = content
    ? "prompts and answers can be kept where a project asks for it"
    : "prompts and answers are not kept beyond their request";
  const facts = [
    { text: kept, evidence },
    { text: "usage and receipts, which hold neither, are readable to the operator", evidence },
    { text: "the host that computes an answer reads its prompt", evidence },
  ];
  if (tenantKeys) {
    const because = "whoever operates a host can read what it computes";
    return decided(`A tenant can hold the key over what is kept; ${because}.`, facts, { level: 3, because });
  }
  const because = "no tenant holds a key of its own: the operator alone does";
  return decided(`${capital(kept)}; ${because}.`, facts, { level: 0, because });
}

/** SOV-3.2: what can be seen of flows. */
export function transparency({ state }: Scene): Outcome {
  const { log } = state;
  const evidence = measured(state.atMs);
  const cosigned = log.witnesses.filter(({ hasCosigned }) => hasCosigned).map(({ name }) => name);
  const facts = [
    {
      text: "every settled request has a receipt with model, places and decision, which its tenant fetches by its id",
      evidence,
    },
    { text: `the transparency log of receipts is ${log.state}, with ${log.entries} entries`, evidence },
    { text: `witnesses that have cosigned it: ${cosigned.length === 0 ? "none" : listed(cosigned)}`, evidence },
  ];
  if (log.state !== "open") {
    const because = `the transparency log is ${log.state}`;
    return decided(`Receipts are made, but ${because}.`, facts, { level: 2, because });
  }
  if (cosigned.length > 0)
    return decided("Each request's places are told at once, in a log that witnesses cosign.", facts);
  const because = "no witness has cosigned the log: nobody independent watches it";
  return decided(`Each request's places are told at once; ${because}.`, facts, { level: 3, because });
}

/** SOV-3.4: whether anything is, or can go, outside. */
export function location(scene: Scene, recorded: Recorded): Outcome {
  const { destinations, gateway, state } = scene;
  if (destinations.length === 0) return open([]);
  const out = destinations.filter(({ place }) => place.jurisdiction === undefined || !isEuropean(place.jurisdiction));
  const elsewhere = requestsOutside(scene, recorded);
  const evidence = measured(state.atMs);
  const all = recorded.sums.reduce((sum, { requests }) => sum + requests, 0);
  const database = `the database is ${state.database === "embedded" ? "on the gateway's machine" : "elsewhere: where it stands is not seen"}`;
  const facts = distinct([
    ...destinations.map((each) => ({ text: nameOf(each), evidence: each.siteBacking })),
    {
      text: `the gateway stands at site ${state.gatewaySite.name} (${gateway.jurisdiction ?? "no jurisdiction declared"})`,
      evidence: bySettings,
    },
    {
      text: `${elsewhere} of ${all} requests ${periodText(recorded)} ran outside the EEA or at no declared place`,
      evidence,
    },
    { text: database, evidence },
  ]);
  const isGatewayOut = gateway.jurisdiction === undefined || !isEuropean(gateway.jurisdiction);
  const names = [...out.map(nameOf), ...(isGatewayOut ? ["the gateway's own site"] : [])];
  if (names.length > 0) {
    const because = `${listed(names)} ${names.length === 1 ? "is" : "are"} not declared within the EEA`;
    return decided(`Not confined: ${because}; ${elsewhere} of ${all} requests ran there.`, facts, {
      level: 1,
      because,
    });
  }
  if (elsewhere > 0) {
    const because = `${elsewhere} requests of the period ran outside the EEA`;
    return decided(`Confined by now; ${because}.`, facts, { level: 1, because });
  }
  if (state.database === "external") return open(facts);
  return decided("All sites are in the EEA, and all requests of the period ran there.", facts);
}

function requestsOutside({ state, standing }: Scene, { sums }: Recorded): number {
  const known = new Map(state.destinations.map((each) => [each.site.name, each.site.jurisdiction]));
  return sums
    .filter(({ site, asked, destination }) => {
      const then = asked?.candidates.find(({ name }) => name === destination)?.site.jurisdiction;
      const jurisdiction = standing.sites.get(site)?.jurisdiction ?? then ?? known.get(site);
      return jurisdiction === undefined || !isEuropean(jurisdiction);
    })
    .reduce((sum, { requests }) => sum + requests, 0);
}

interface ModelOrigins {
  readonly facts: readonly Fact[];
  readonly unknown: readonly string[];
  /** "SmolLM2 by Hugging Face (US)". */
  readonly foreign: readonly string[];
}

function originsOf({ models, state }: Scene): ModelOrigins {
  const found = models.map((name) => ({ name, declared: state.facts.models.find((model) => model.name === name) }));
  const known = found.filter(({ declared }) => declared !== undefined && counts(declared.evidence, state.atMs));
  return {
    facts: known.map(({ name, declared }) => {
      const { developer, developerCountry, licence, evidence } = declared!;
      return {
        text: `model ${name}: by ${developer} (${developerCountry}), ${licence}`,
        evidence: backingOf(evidence),
      };
    }),
    unknown: found.filter((each) => !known.includes(each)).map(({ name }) => name),
    foreign: known
      .filter(({ declared }) => !isEuropean(declared!.developerCountry))
      .map(({ name, declared }) => `${name} by ${declared!.developer} (${declared!.developerCountry})`),
  };
}

/** SOV-2.5. */
export function intellectualProperty(scene: Scene): Outcome {
  const origins = originsOf(scene);
  const parts = foreignParts(scene);
  const facts = distinct([...origins.facts, ...machineFacts(scene)]);
  const foreign = [
    ...(origins.foreign.length === 0 ? [] : [`models are ${listed(origins.foreign)}`]),
    ...(parts.because === undefined ? [] : [parts.because]),
  ];
  return foreign.length === 0 ? open(facts) : decided(`Not in the EU alone: ${foreign.join(" and ")}.`, facts);
}

/** SOV-3.5. */
export function models(scene: Scene): Outcome {
  const origins = originsOf(scene);
  const facts = distinct([...origins.facts, ...machineFacts(scene)]);
  if (origins.facts.length === 0) return open(facts);
  const parts = foreignParts(scene);
  if (origins.foreign.length > 0) {
    const because = `models are developed elsewhere: ${listed(origins.foreign)}`;
    return decided(`Mixed: ${because}.`, facts, { level: 2, because });
  }
  if (origins.unknown.length > 0) {
    const because = `nobody says who developed ${listed(origins.unknown)}`;
    return decided(`Undetermined in part: ${because}.`, facts, { level: 2, because });
  }
  const because = parts.because ?? (parts.isKnown ? undefined : "the facts do not know the accelerators of each host");
  if (because === undefined) return decided("Models and accelerators are of European origin.", facts);
  return decided(`Models are developed in the EEA; ${because}.`, facts, { level: 3, because });
}

/** SOV-4.6. */
export function subcontractors(scene: Scene): Outcome {
  const { state } = scene;
  const inForce = state.facts.subprocessors.filter(
    ({ evidence, since, until }) => counts(evidence, state.atMs) && counts({ on: since, expires: until }, state.atMs),
  );
  const upstreams = scene.destinations.filter(({ destination }) => destination.kind === "upstream");
  const facts = distinct([
    ...inForce.map(({ name, country, purpose, evidence }) => ({
      text: `sub-processor ${name} (${country}): ${purpose}`,
      evidence: backingOf(evidence),
    })),
    ...upstreams.map((each) => ({ text: nameOf(each), evidence: each.siteBacking })),
  ]);
  if (facts.length === 0) return open([]);
  const abroad = [
    ...inForce.filter(({ country }) => !isEuropean(country)).map(({ name, country }) => `${name} (${country})`),
    ...upstreams.filter(({ place }) => place.jurisdiction === undefined || !isEuropean(place.jurisdiction)).map(nameOf),
  ];
  if (abroad.length === 0) return decided("All of those that are listed are in the EEA.", facts);
  const because = `outside the EEA, or of no declared place: ${listed(abroad)}`;
  return decided(`Partly abroad: ${because}.`, facts, { level: 3, because });
}

export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
