import { nearest, refuse, RefusalError, type Tier } from "../base/index.ts";
import {
  baseClassOf,
  checkJurisdiction,
  checkProcessing,
  type DataClass,
  type OwnGroups,
  type PolicyDocument,
  unknownClass,
} from "../policy/index.ts";
import type { ExportedFigures } from "../store/index.ts";

/** A project's rules as they are asked for: what is left out stays, null takes away what need not be said. */
export interface ProjectRules {
  /** One of the five, or one that the policy document declares. */
  readonly dataClass?: string | undefined;
  readonly processing?: readonly string[] | undefined;
  readonly storage?: readonly string[] | null | undefined;
  readonly regimes?: readonly string[] | null | undefined;
  readonly country?: string | null | undefined;
  readonly exported?: ExportedFigures | null | undefined;
  readonly unsupported?: "refuse" | "warn" | undefined;
  readonly tier?: Tier | undefined;
  readonly weight?: number | undefined;
  /** For how long content is kept; `default`: as the settings say for the data class; null: it is not. */
  readonly keepContentSeconds?: number | "default" | null | undefined;
}

/** What rules can name, by the policy in force. */
export interface KnownNames {
  readonly groups: OwnGroups;
  readonly regimes: ReadonlySet<string>;
  readonly document: Pick<PolicyDocument, "dataClasses">;
  readonly retention: Retention;
}

/** How long content of a class is kept where its project asks, in seconds: as a rule, and at most; 0: never. */
export interface Retention {
  readonly usualSeconds: Readonly<Record<DataClass, number>>;
  readonly mostSeconds: Readonly<Record<DataClass, number>>;
}

interface RulesBefore {
  readonly dataClass: string;
  readonly processing: readonly string[];
  readonly storage: readonly string[] | null;
  readonly regimes: readonly string[] | null;
  readonly country: string | null;
  readonly exported: ExportedFigures | null;
  readonly unsupported: "refuse" | "warn";
  readonly tier: Tier;
  readonly weight: number;
  readonly keepContentSeconds: string | number | null;
}

/** What holds for a new project that says nothing. */
export const firstRules: RulesBefore = {
  dataClass: "public",
  processing: [],
  storage: null,
  regimes: null,
  country: null,
  exported: null,
  unsupported: "refuse",
  tier: "standard",
  weight: 1,
  keepContentSeconds: null,
};

/** The columns of a project's rules. A name that nobody knows is refused: it may be a slip of one that was to protect. */
export function rulesOf(rules: ProjectRules, before: RulesBefore, known: KnownNames) {
  const { storage, regimes, country, exported } = rules;
  const figures = exported === undefined ? before.exported : exported;
  return {
    dataClass: rules.dataClass === undefined ? before.dataClass : classOf(rules.dataClass, known),
    // What stands there already may name a group that is gone: only what is asked for is checked.
    processing: rules.processing === undefined ? before.processing : placesOf(rules.processing, "processing", known),
    storage: storage == null ? kept(storage, before.storage) : placesOf(storage, "storage", known),
    regimes: regimes == null ? kept(regimes, before.regimes) : regimesOf(regimes, known),
    country: country == null ? kept(country, before.country) : countryOf(country),
    exported: figures === null ? null : JSON.stringify(figures),
    unsupported: rules.unsupported ?? before.unsupported,
    tier: rules.tier ?? before.tier,
    weight: rules.weight ?? before.weight,
    keepContentSeconds: keepingOf(rules, before, known),
  };
}

/** What stands there already may be longer than the settings allow by now: requests are held to both. */
function keepingOf(rules: ProjectRules, before: RulesBefore, { retention, document }: KnownNames): number | null {
  const asked = rules.keepContentSeconds;
  if (asked === undefined) return before.keepContentSeconds === null ? null : Number(before.keepContentSeconds);
  if (asked === null) return null;
  const dataClass = baseClassOf(rules.dataClass ?? before.dataClass, document);
  const most = retention.mostSeconds[dataClass];
  const seconds = asked === "default" ? Math.min(retention.usualSeconds[dataClass], most) : asked;
  if (most === 0) throw wrong("keepContentSeconds", `The settings keep no content of ${dataClass} data.`);
  if (seconds <= most && seconds > 0) return seconds;
  throw wrong("keepContentSeconds", `The settings keep content of ${dataClass} data for ${most} seconds at most.`);
}

function kept<Value>(asked: null | undefined, before: Value | null): Value | null {
  return asked === null ? null : before;
}

function placesOf(places: readonly string[], param: string, { groups }: KnownNames): readonly string[] {
  const codes = places.map((text) => {
    const checked = checkProcessing(text, groups);
    if (checked.outcome === "known") return checked.code;
    const own = Object.keys(groups);
    const example =
      checked.nearest === undefined ? `, such as ${["DE", "DE-BE", "EU", ...own].slice(0, 9).join(", ")} or EEA.` : "";
    throw wrong(param, `${checked.message}${example}`);
  });
  return [...new Set(codes)];
}

function classOf(name: string, { document }: KnownNames): string {
  const problem = unknownClass(name, document);
  if (problem !== undefined) throw wrong("dataClass", problem);
  return name;
}

function regimesOf(names: readonly string[], { regimes }: KnownNames): readonly string[] {
  for (const name of names) {
    if (regimes.has(name)) continue;
    const meant = nearest(name, regimes);
    const hint = meant === undefined ? `There are ${[...regimes].sort().join(", ")}.` : `Did you mean "${meant}"?`;
    throw wrong("regimes", `There is no regime "${name.slice(0, 100)}". ${hint}`);
  }
  return [...new Set(names)];
}

function countryOf(text: string): string {
  const checked = checkJurisdiction(text);
  if (checked.outcome === "known") return checked.code;
  throw wrong("country", `${checked.message}${checked.nearest === undefined ? ", such as DE or DE-BE." : ""}`);
}

function wrong(param: string, message: string): RefusalError {
  return new RefusalError(refuse("invalid_request", message, { param }));
}
