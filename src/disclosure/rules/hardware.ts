import { backingOf, type Fact, measured } from "../evidence.ts";
import { type Accelerator, acceleratorsOf, hostsOf, isEuropean, nameOf, outside, type Scene } from "../scene.ts";
import { decided, distinct, listed, open, type Outcome } from "./finding.ts";

/** Makers whose name is in what their drivers call a device, and the country of their seats. */
const namedByDrivers: readonly (readonly [RegExp, string, string])[] = [
  [/\bNVIDIA\b/i, "NVIDIA", "US"],
  [/\b(AMD|Radeon|Instinct)\b/i, "AMD", "US"],
  [/\bIntel\b/i, "Intel", "US"],
  [/\bApple\b/i, "Apple", "US"],
];

/** "NVIDIA (US)": by the name that a host reports of its device; undefined: the name holds no maker's. */
export function reportedMaker(device: string | undefined): string | undefined {
  const found = namedByDrivers.find(([name]) => device !== undefined && name.test(device));
  return found === undefined ? undefined : `${found[1]} (${found[2]})`;
}

/** Names of kinds: they say of what a device is nothing. */
const kindsOfDevices: ReadonlySet<string> = new Set(["gpu", "cuda", "vulkan", "metal", "fake"]);

/** Why what a host reports does not go with what the facts say; undefined: it does, or says nothing of it. */
export function doubtAbout(device: string | undefined, parts: readonly Accelerator[] | undefined): string | undefined {
  if (device === undefined || parts === undefined || kindsOfDevices.has(device)) return undefined;
  const told = device.toLowerCase();
  const isNamed = parts.some(
    ({ name, maker }) => told.includes(name.toLowerCase()) || told.includes(maker.toLowerCase()),
  );
  if (isNamed) return undefined;
  const names = listed(parts.map(({ name, maker }) => `${name} by ${maker}`));
  return `it reports "${device}", and the facts say ${names}`;
}

/** What is known of the machines here. */
interface Machines {
  readonly parts: readonly Accelerator[];
  readonly facts: readonly Fact[];
  /** Hosts whose accelerators the facts do not know. */
  readonly unknown: readonly string[];
  readonly hosts: number;
  /** "NVIDIA (US)": of hosts of which the facts say nothing, by what they report. */
  readonly reported: readonly string[];
}

function machinesOf(scene: Scene): Machines {
  const hosts = hostsOf(scene).map(({ destination }) => ({
    destination,
    parts: acceleratorsOf(destination.name, scene.state),
  }));
  const known = hosts.flatMap(({ destination, parts }) =>
    (parts ?? []).map((part): Fact => ({
      text: `host ${destination.name}: ${partText(part)}`,
      evidence: backingOf(part.evidence),
    })),
  );
  const told = hosts.flatMap(({ destination, parts }): Fact[] => {
    const { name, device } = destination;
    if (device === undefined) return [];
    const doubt = doubtAbout(device, parts);
    const text =
      doubt === undefined ? `host ${name} reports the device "${device}"` : `host ${name} is in doubt: ${doubt}`;
    return [{ text, evidence: measured(scene.state.atMs) }];
  });
  return {
    parts: hosts.flatMap(({ parts }) => parts ?? []),
    facts: distinct([...known, ...told]),
    unknown: hosts.filter(({ parts }) => parts === undefined).map(({ destination }) => destination.name),
    hosts: hosts.length,
    reported: hosts.flatMap(({ destination, parts }) => {
      const maker = parts === undefined ? reportedMaker(destination.device) : undefined;
      return maker === undefined ? [] : [maker];
    }),
  };
}

function partText({ name, maker, makerCountry, madeIn, exportClassification }: Accelerator): string {
  const made = madeIn === undefined ? "" : `, made in ${madeIn}`;
  const control = exportClassification === undefined ? "" : `, ${exportClassification}`;
  return `${name} by ${maker} (${makerCountry})${made}${control}`;
}

function isForeign({ makerCountry }: Accelerator): boolean {
  return !isEuropean(makerCountry);
}

/** "accelerators are made by NVIDIA (US)". */
function madeAbroad(parts: readonly Accelerator[], reported: readonly string[] = []): string {
  const declared = parts.filter(isForeign).map(({ maker, makerCountry }) => `${maker} (${makerCountry})`);
  const makers = [...declared, ...reported];
  return `accelerators are made by ${listed(makers.sort())}`;
}

/** SOV-2.4. */
export function exportControls(scene: Scene): Outcome {
  const { parts, facts } = machinesOf(scene);
  const listedParts = parts.filter(({ exportClassification }) => exportClassification !== undefined);
  if (listedParts.length === 0) return open(facts);
  const which = listed(listedParts.map(({ name, exportClassification }) => `${name} (${exportClassification})`).sort());
  return decided(`Export controls apply to ${which}.`, facts);
}

/** SOV-5.1. */
export function origin(scene: Scene): Outcome {
  const { parts, facts, unknown, hosts } = machinesOf(scene);
  if (hosts === 0 || parts.length === 0) return open(facts);
  if (unknown.length > 0) {
    const because = `the accelerators of ${listed(unknown)} are not disclosed`;
    return decided(`Partly disclosed: ${because}.`, facts, { level: 1, because });
  }
  if (!parts.some(isForeign)) return decided("Disclosed for accelerators, whose makers are in the EEA.", facts);
  const because = madeAbroad(parts);
  return decided(`Disclosed for accelerators: ${because}.`, facts, { level: 3, because });
}

/** SOV-5.2. */
export function manufacture(scene: Scene): Outcome {
  const { parts, facts, unknown } = machinesOf(scene);
  if (parts.length === 0 || unknown.length > 0 || parts.some(({ madeIn }) => madeIn === undefined)) return open(facts);
  const abroad = outside(parts.map(({ madeIn }) => madeIn!));
  if (abroad.length === 0) return decided("Accelerators were made in the EEA.", facts);
  const because = `accelerators were made in ${listed(abroad)}`;
  return decided(`Not in the EEA alone: ${because}.`, facts, { level: 3, because });
}

/** SOV-5.6. */
export function dependency(scene: Scene): Outcome {
  const { parts, facts: machines, unknown, reported } = machinesOf(scene);
  const away = scene.destinations.filter(
    ({ destination, place }) =>
      destination.kind === "upstream" && (place.jurisdiction === undefined || !isEuropean(place.jurisdiction)),
  );
  const facts = distinct([
    ...machines,
    ...away.map((each) => ({ text: `${nameOf(each)} answers requests`, evidence: each.siteBacking })),
  ]);
  const foreign = parts.filter(isForeign);
  const isForeignMade = foreign.length > 0 || reported.length > 0;
  if (!isForeignMade && away.length === 0) {
    if (parts.length === 0 || unknown.length > 0) return open(facts);
    return decided("No accelerator's maker and no upstream is outside the EEA.", facts);
  }
  const because = [
    ...(isForeignMade ? [madeAbroad(foreign, reported)] : []),
    ...(away.length === 0 ? [] : [`requests are answered by ${listed(away.map(nameOf))}`]),
  ].join(" and ");
  return decided(`There are dependencies outside the EU: ${because}.`, facts, { level: 2, because });
}

/** SOV-6.5. */
export function computing(scene: Scene): Outcome {
  const { parts, facts, unknown } = machinesOf(scene);
  if (parts.length === 0 || unknown.length > 0) return open(facts);
  const foreign = parts.filter(isForeign);
  if (foreign.length > 0) {
    const because = madeAbroad(foreign);
    return decided(`Hosted here on what was designed elsewhere: ${because}.`, facts, { level: 3, because });
  }
  if (parts.every(({ madeIn }) => madeIn !== undefined && isEuropean(madeIn))) {
    return decided("Accelerators are of European design and make.", facts);
  }
  const because = "nobody says that the accelerators were also made in the EEA";
  return decided(`Accelerators are of European design; ${because}.`, facts, { level: 3, because });
}

/** SOV-2.5 and SOV-3.5 look at parts too. */
export function foreignParts(scene: Scene): { readonly because: string | undefined; readonly isKnown: boolean } {
  const { parts, unknown } = machinesOf(scene);
  const isKnown = parts.length > 0 && unknown.length === 0;
  return { because: parts.some(isForeign) ? madeAbroad(parts) : undefined, isKnown };
}

export function machineFacts(scene: Scene): readonly Fact[] {
  return machinesOf(scene).facts;
}
