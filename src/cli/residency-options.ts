import { type Command, InvalidArgumentError } from "commander";
import type { Project } from "../gateway/control/index.ts";

/** What a project says of where its data may be, beside its data class and where it is processed. */
export interface ResidencyOptions {
  readonly storage?: string[] | "as-processing";
  readonly regimes?: string[] | "by-class";
  readonly country?: string;
  readonly exported?: NonNullable<Project["exported"]> | "none";
}

/** Gives a command the options by which a project says where its data may be. */
export function withResidency(command: Command): Command {
  return command
    .option(
      "--storage <places>",
      "where its data may rest, as --processing; `as-processing`: where it may be processed",
      (text) => (text === "as-processing" ? text : placesOf(text)),
    )
    .option(
      "--regimes <regimes>",
      "what holds for its data, such as eu-personal-data,eu-operated; `by-class`: what the policy document says of its class",
      (text) => (text === "by-class" ? text : listOf(text)),
    )
    .option("--country <country>", "the one country of the regime national; `none`")
    .option(
      "--exported <figures>",
      "what it declares to have exported from China: year=2026,individuals=120000,sensitive=300, and further standard-contract, certification, security-assessment, critical-infrastructure, important-data; `none`",
      (text) => (text === "none" ? text : exportedOf(text)),
    );
}

/** Those of the options that were given, as the API takes them: null takes away what need not be said. */
export function residencyOf({ storage, regimes, country, exported }: ResidencyOptions) {
  return {
    ...(storage === undefined ? {} : { storage: storage === "as-processing" ? null : storage }),
    ...(regimes === undefined ? {} : { regimes: regimes === "by-class" ? null : regimes }),
    ...(country === undefined ? {} : { country: country === "none" ? null : country }),
    ...(exported === undefined ? {} : { exported: exported === "none" ? null : exported }),
  };
}

export function residencyFacts(project: Project): readonly (readonly [string, string])[] {
  const { storage, regimes, country, exported } = project;
  return [
    ["storage", storage === null ? "where it is processed" : storage.join(" ") || "anywhere"],
    ["regimes", regimes?.join(" ") ?? "those of its data class"],
    ...(country === null ? [] : [["country", country] as const]),
    ...(exported === null ? [] : [["exported", exportedText(exported)] as const]),
  ];
}

/** `anywhere` is the empty list, which restricts nothing. */
export function placesOf(text: string): string[] {
  return text === "anywhere" ? [] : listOf(text);
}

function listOf(text: string): string[] {
  return text.split(",").map((part) => part.trim());
}

const mechanisms = ["security-assessment", "standard-contract", "certification"] as const;
const remarks = ["critical-infrastructure", "important-data"] as const;
const figures = ["year", "individuals", "sensitive"] as const;

function exportedOf(text: string): NonNullable<Project["exported"]> {
  const parts = listOf(text);
  const figure = (name: (typeof figures)[number]): number => {
    const found = parts.find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
    if (/^\d{1,11}$/.test(found)) return Number(found);
    throw new InvalidArgumentError(
      `It needs ${name} as a whole number, such as year=2026,individuals=120000,sensitive=0.`,
    );
  };
  const words: readonly string[] = [...mechanisms, ...remarks];
  const unknown = parts.find((part) => !words.includes(part) && !figures.some((name) => part.startsWith(`${name}=`)));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`"${unknown}" is none of year=, individuals=, sensitive=, ${words.join(", ")}.`);
  }
  return {
    year: figure("year"),
    individuals: figure("individuals"),
    sensitiveIndividuals: figure("sensitive"),
    mechanisms: mechanisms.filter((name) => parts.includes(name)),
    isCriticalInfrastructure: parts.includes("critical-infrastructure"),
    hasImportantData: parts.includes("important-data"),
  };
}

function exportedText(exported: NonNullable<Project["exported"]>): string {
  const { year, individuals, sensitiveIndividuals, isCriticalInfrastructure, hasImportantData } = exported;
  const more = [
    ...exported.mechanisms,
    ...(isCriticalInfrastructure ? ["critical infrastructure"] : []),
    ...(hasImportantData ? ["important data"] : []),
  ];
  const counts = `${individuals} individuals, ${sensitiveIndividuals} with sensitive information`;
  return [`${year}: ${counts}`, ...more].join(", ");
}
