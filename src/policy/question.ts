/** What somebody would do with data. */
export type Action = "infer" | "embed" | "train" | "store" | "log" | "cache" | "export" | "support-access";

/** What a Chinese exporter has of the three mechanisms (Provisions of 22 March 2024, Art. 7 and 8). */
type ExportMechanism = "security-assessment" | "standard-contract" | "certification";

/** What a tenant declares to have exported from China since 1 January, the request included: its own assertion. */
export interface ExportDeclaration {
  /** The calendar year, in China, that the figures are of; those of another year say nothing. */
  readonly year: number;
  /** Individuals whose information left, sensitive information not counted. */
  readonly individuals: number;
  /** Individuals whose sensitive information left. */
  readonly sensitiveIndividuals: number;
  readonly mechanisms: readonly ExportMechanism[];
  readonly isCriticalInfrastructure?: boolean;
  readonly hasImportantData?: boolean;
}

/** Whose data it is, what it is, and what its owner allows. */
export interface DataOwner {
  readonly id: string;
  /** One of the five, or an operator's own; one that nobody knows counts as the most protected. */
  readonly dataClass: string;
  /** Where it may be processed: ISO 3166 codes or groups, upper case; empty: wherever the data class may be. */
  readonly processing: readonly string[];
  /** Where it may rest; left out: where it may be processed. */
  readonly storage?: readonly string[];
  /** Names of regimes; left out: those of its data class in the policy document. */
  readonly regimes?: readonly string[];
  /** The one country of the regime "national". */
  readonly country?: string;
  readonly organisation?: string;
  readonly exported?: ExportDeclaration;
}

/** What a request's headers ask for. It can only take away: a place has to be permitted with it and without it. */
export interface Narrowing {
  readonly dataClass?: string;
  readonly processing?: readonly string[];
  readonly purpose?: string;
  /** As the tenant asserts it. */
  readonly legalBasis?: string;
  readonly regimes?: readonly string[];
}

/** A named member of the operator's staff who would look at a project's data. */
export interface StaffMember {
  readonly name: string;
  /** Where this person is: ISO 3166; undefined where that is not known. */
  readonly from: string | undefined;
  /** Whether a grant that the tenant sees holds now. */
  readonly isGranted: boolean;
}

export interface Question {
  readonly action: Action;
  readonly project: DataOwner;
  /** The key's id, where a key asks. */
  readonly key?: string;
  /** Who asks, where the action is support-access. */
  readonly staff?: StaffMember;
  /** The model's name, as the request has it. */
  readonly model: string;
  readonly purpose?: string;
  /** As the tenant asserts it. */
  readonly legalBasis?: string;
  readonly narrowing?: Narrowing;
}

/** Where data could go. */
export interface Candidate {
  readonly kind: "host" | "upstream" | "site";
  /** A host's id, an upstream's name, or a site's. */
  readonly name: string;
  /** As the settings have it: where no facts speak of the site, this counts, attested by the operator without an end. */
  readonly site: {
    readonly name: string;
    readonly jurisdiction: string | undefined;
    readonly operator?: string | undefined;
  };
}
