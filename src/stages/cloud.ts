import type { Clock, GatewayId, ProjectId, ReceiptId, Refusal, Tier } from "../base/index.ts";
import type { Contents } from "../contents/index.ts";
import type { Destination, DestinationSite, ServiceLevel } from "../engine/index.ts";
import type { ByteWitness, RoutedCall, StageName } from "../gateway/index.ts";
import type { Journal, Position } from "../journal/index.ts";
import type { Budgets, PriceBook, Wallets } from "../ledger/index.ts";
import type { Prefixes } from "../pool/index.ts";
import type { InForce } from "../residency/index.ts";
import type { Placements } from "./placement.ts";
import type { EndedRequest } from "../telemetry/index.ts";
import type { Directory, RateLimits, Retention } from "../tenancy/index.ts";

/** What the stages of a request use of the cloud; boot.ts puts it together. */
export interface Cloud {
  readonly gateway: GatewayId;
  /** Where this gateway itself stands. */
  readonly site: DestinationSite;
  readonly clock: Clock;
  /** 128 random bits, base64url, each time others. */
  readonly newSalt: () => string;
  readonly directory: Directory;
  readonly rateLimits: RateLimits;
  readonly budgets: Budgets;
  /** What prepaid organisations can still use. */
  readonly wallets: Wallets;
  readonly prices: PriceBook;
  /** Where data may be, by the newest documents that were confirmed. */
  readonly inForce: InForce;
  readonly placements: Placements;
  /** What each tier's requests are promised. */
  readonly serviceLevels: Readonly<Record<Tier, ServiceLevel>>;
  readonly destinations: Destinations;
  /** Where beginnings of prompts were sent of late. */
  readonly prefixes: Prefixes;
  /** The project that has a destination to itself at the moment; undefined: nobody has. */
  readonly reservedFor: (destination: string) => ProjectId | undefined;
  /** Names of the models that the operator could serve. */
  readonly catalogued: ReadonlySet<string>;
  readonly journal: Journal;
  readonly books: Books;
  readonly transparency: Transparency;
  readonly contents: ContentKeeper;
  readonly meters: Meters;
  /** Of which answers receipts say what was meant. */
  readonly meanings: Meanings;
  /** Whether the server is stopping: running answers finish, new requests are turned away. */
  readonly draining: () => boolean;
  readonly limits: { readonly requestsInFlight: number; readonly defaultMaxTokens: number | undefined };
  /** How long an interrupted answer's counts are waited for. */
  readonly countsTimeoutMs: number;
}

/** Where requests can run: every host and upstream that the settings name. */
export interface Destinations {
  /** Those that offer the model, whether or not they are ready. */
  offering(model: string): readonly Destination[];
  /** All model names on offer. */
  models(): Iterable<string>;
  /** All of them. */
  readonly all: readonly Destination[];
}

/** What follows the journal: the shipping into PostgreSQL. */
export interface Books {
  /** Whether so much waits for the database that no more may be taken on. */
  readonly behind: boolean;
  /** A settlement is durable: there is something to ship, and its receipt can be read from the journal until then. */
  settled(receipt: ReceiptId, project: ProjectId, position: Position): void;
}

/** What follows the journal, too: the log of what was promised. */
export interface Transparency {
  /** Why this class of data is not served while the log cannot be written; undefined: it is. */
  mayServe(dataClass: string): Refusal | undefined;
}

/** Where neither is asked for, the requests' meaning is not digested either. */
export interface Meanings {
  readonly ofWhole: boolean;
  readonly ofStreams: boolean;
}

/** What is asked and answered, where a project has asked for it to be kept. */
export interface ContentKeeper {
  /** Of a request, and of its answer. */
  readonly recordBytesMax: number;
  readonly retention: Retention;
  /** Never rejects: what could not be kept is counted and told elsewhere. */
  keep: Contents["keep"];
}

/** Counters and histograms, fed at the end of every request. */
export interface Meters {
  readonly inFlight: number;
  refused(code: string): void;
  began(): void;
  ended(request: EndedRequest): void;
}

/** A request as the router hands it on. */
export type Call = RoutedCall;

/** Notes that a stage is over. */
export function passed(stage: StageName, call: Call, clock: Clock): void {
  call.stages.set(stage, clock.monotonicMs() - call.startedAtMs);
}

/** The answer as the stages see it. */
export interface Answering {
  readonly begun: boolean;
  readonly left: boolean;
  onLeft(run: () => void): void;
  onDrained(run: () => void): void;
  witness(witness: ByteWitness): void;
  header(name: string, value: string): void;
  /** Names and values in turn. */
  headers(namesAndValues: readonly string[]): void;
  begin(status: number, contentType: string, contentLength?: number): void;
  write(bytes: Buffer): boolean;
  end(bytes?: Buffer): void;
  refuse(refusal: Refusal): void;
}
