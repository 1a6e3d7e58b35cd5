import { backingOf, counts, type Fact, measured } from "../evidence.ts";
import type { LiveDestination } from "../live-state.ts";
import { engineOf, type Scene, siteBacking } from "../scene.ts";
import { decided, distinct, listed, open, type Outcome } from "./finding.ts";

/** Engines that this release starts or contains, by the licences in their own repositories (SPDX): what the facts say counts first. */
const engineLicences: ReadonlyMap<string, string> = new Map([
  ["llamacpp", "llama.cpp and node-llama-cpp, MIT"],
  ["vllm", "vLLM, Apache-2.0"],
  ["fake", "a script of this release, Apache-2.0"],
]);

/** Licences that the Open Source Initiative has approved, of those that engines have (SPDX). */
const openLicences: ReadonlySet<string> = new Set(
  (
    "0BSD AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 BSD-2-Clause BSD-3-Clause BSL-1.0 EPL-2.0 EUPL-1.2 GPL-2.0-only " +
    "GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later ISC LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later " +
    "MIT MPL-2.0 UPL-1.0 Zlib"
  ).split(" "),
);

/** SOV-6.1. */
export function interfaces({ state, destinations }: Scene): Outcome {
  const endpoints = destinations.flatMap(({ destination }) => destination.models.flatMap((model) => model.endpoints));
  const offered = [...new Set(endpoints)].sort();
  if (offered.length === 0) return open([]);
  const evidence = measured(state.atMs);
  const because = "the API's shapes are OpenAI's: documented and much implemented, but one vendor's";
  const facts = [
    { text: `endpoints that are offered: ${offered.join(", ")}`, evidence },
    {
      text: "receipts are DSSE envelopes with in-toto statements, the log follows C2SP, the API is described as OpenAPI 3.1",
      evidence,
    },
  ];
  return decided(`Documented throughout; ${because}.`, facts, { level: 3, because });
}

/** SOV-6.3. */
export function openSource(scene: Scene): Outcome {
  const { destinations, state } = scene;
  if (destinations.length === 0) return open([]);
  const engines = destinations.map(({ destination }) => ({ destination, ...engineAt(destination, scene) }));
  const facts = distinct([
    { text: "this release is under Apache-2.0", evidence: measured(state.atMs) },
    ...engines.flatMap(({ facts: said }) => said),
  ]);
  const closed = engines.filter(({ isOpen }) => !isOpen);
  if (closed.length === 0) return decided("This release and the engines of all destinations are open source.", facts);
  const because = `what answers at ${listed(closed.map(({ destination }) => destination.name))} is of no licence that is known here to be open source`;
  return decided(`Open source in part: ${because}.`, facts, { level: 2, because });
}

/** The engine of a destination: by the facts, else by what this release knows of the engines that it has. */
function engineAt(
  destination: LiveDestination,
  { state }: Scene,
): { readonly isOpen: boolean; readonly facts: readonly Fact[] } {
  const { name, kind, engine } = destination;
  const evidence = measured(state.atMs);
  const declared = engineOf(name, state);
  const doubt = declared === undefined ? undefined : doubtOfBuild(declared.build, engine.build);
  if (declared !== undefined && doubt === undefined) {
    const { developer, developerCountry, licence, build } = declared;
    const what = build === undefined ? declared.name : `${declared.name} ${build}`;
    const text = `${kind} ${name} computes by ${what} of ${developer} (${developerCountry}), ${licence}`;
    return { isOpen: isOpenSource(licence), facts: [{ text, evidence: backingOf(declared.evidence) }] };
  }
  const licence = engineLicences.get(engine.name);
  const text = `${kind} ${name} computes by ${licence ?? `"${engine.name}", of a licence that is not known here`}`;
  const doubted =
    doubt === undefined ? [] : [{ text: `the engine of ${kind} ${name} is in doubt: ${doubt}`, evidence }];
  return { isOpen: licence !== undefined, facts: [{ text, evidence }, ...doubted] };
}

/** Upstreams report no build: of them the facts alone speak. */
function doubtOfBuild(declared: string | undefined, reported: string): string | undefined {
  if (declared === undefined || reported === "" || reported.includes(declared)) return undefined;
  return `it reports the build "${reported}", and the facts say "${declared}"`;
}

/** Of several, all that hold together have to be, or one of those to choose from. */
function isOpenSource(licence: string): boolean {
  return licence
    .split(" AND ")
    .every((all) => all.split(" OR ").some((one) => openLicences.has(one.replaceAll(/[()]/g, "").trim())));
}

/** SOV-7.1. */
export function certificates(scene: Scene): Outcome {
  const { destinations, state, standing } = scene;
  const names = [...new Set(destinations.map(({ destination }) => destination.site.name))].sort();
  if (names.length === 0 || names.some((name) => standing.sites.get(name)?.jurisdiction === undefined)) return open([]);
  const sites = state.facts.sites.filter(({ name }) => names.includes(name));
  const operators = state.facts.operators.filter(({ name }) => sites.some(({ operator }) => operator === name));
  const held = [
    ...sites.map(({ name, certificates: all }) => ({ of: `site ${name}`, all })),
    ...operators.map(({ name, certificates: all }) => ({ of: name, all })),
  ].flatMap(({ of, all }) =>
    all
      .filter(({ issuedOn, expiresOn, evidence }) => {
        return counts(evidence, state.atMs) && counts({ on: issuedOn, expires: expiresOn }, state.atMs);
      })
      .map((certificate) => ({ of, ...certificate })),
  );
  const facts = distinct(
    held.map(({ of, scheme, scope, expiresOn, evidence }) => ({
      text: `${scheme} of ${of}, ${scope}, in force until ${expiresOn}`,
      evidence: backingOf(evidence),
    })),
  );
  if (facts.length > 0) return decided(`In force: ${listed(held.map(({ scheme }) => scheme).sort())}.`, facts);
  const because = "no certificate is in force";
  return decided("No certificate is in force at any site, or of who runs it.", facts, { level: 1, because });
}

/** SOV-8.4. */
export function energy(scene: Scene): Outcome {
  const { destinations, state, standing } = scene;
  const names = [...new Set(destinations.map(({ destination }) => destination.site.name))].sort();
  const known = names.map((name) => ({
    name,
    power: standing.sites.get(name)?.jurisdiction === undefined ? undefined : powerOf(name, scene),
  }));
  const facts = known.flatMap(({ name, power }): Fact[] => {
    if (power === undefined) return [];
    const { supplier, country, renewablePercent } = power;
    const said = `${supplier ?? "a supplier that is not named"} (${country ?? "country not declared"}), ${renewablePercent ?? "an unknown part of"} % renewable`;
    return [{ text: `site ${name}: ${said}`, evidence: siteBacking(name, state) }];
  });
  const isComplete = known.every(
    ({ power }) => power?.supplier !== undefined && power.country !== undefined && power.renewablePercent !== undefined,
  );
  if (names.length === 0 || !isComplete) return open(facts);
  return decided(`Declared for each site: ${listed(facts.map(({ text }) => text))}.`, facts);
}

function powerOf(site: string, { state }: Scene) {
  return state.facts.sites.find(({ name }) => name === site)?.power;
}
