import { backingOf, type Fact, measured } from "../evidence.ts";
import { type Accelerator, acceleratorsOf, hostsOf, isEuropean, nameOf, outside, type Scene } from "../scene.ts";
import { decided, distinct, listed, open, type Outcome } from "./finding.ts";

/** What is known of the machines here. */
interface Machines {
  readonly parts: readonly Accelerator[];
  readonly facts: readonly Fact[];
  /** Hosts whose accelerators the facts do not know. */
  readonly unknown: readonly string[];
  readonly hosts: number;
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
  const told = hosts.flatMap(({ destination }): Fact[] =>
    destination.device === undefined
      ? []
      : [
          {
            text: `host ${destination.name} reports the device "${destination.device}"`,
            evidence: measured(scene.state.atMs),
          },
        ],
  );
  return {
    parts: hosts.flatMap(({ parts }) => parts ?? []),
    facts: distinct([...known, ...told]),
    unknown: hosts.filter(({ parts }) => parts === undefined).map(({ destination }) => destination.name),
    hosts: hosts.length,
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
function madeAbroad(parts: readonly Accelerator[]): string {
  const makers = parts.filter(isForeign).map(({ maker, makerCountry }) => `${maker} (${makerCountry})`);
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
  const { parts, facts: machines, unknown } = machinesOf(scene);
  const away = scene.destinations.filter(
    ({ destination, place }) =>
      destination.kind === "upstream" && (place.jurisdiction === undefined || !isEuropean(place.jurisdiction)),
  );
  const facts = distinct([
    ...machines,
    ...away.map((each) => ({ text: `${nameOf(each)} answers requests`, evidence: each.siteBacking })),
  ]);
  const foreign = parts.filter(isForeign);
  if (foreign.length === 0 && away.length === 0) {
    if (parts.length === 0 || unknown.length > 0) return open(facts);
    return decided("No accelerator's maker and no upstream is outside the EEA.", facts);
  }
  const because = [
    ...(foreign.length === 0 ? [] : [madeAbroad(foreign)]),
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
