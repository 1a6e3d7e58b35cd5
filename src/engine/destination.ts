import type { Ending, Refusal, RequestId, Usage } from "../base/index.ts";
import type { ModelFault } from "./model-fault.ts";
import type { PoolFigures } from "./pool-figures.ts";
import type { Exchange, Reader } from "./upstream/exchange.ts";

/** The place where a destination stands. No jurisdiction: undeclared, and it is never guessed. */
export interface DestinationSite {
  readonly name: string;
  readonly jurisdiction: string | undefined;
  /** The company or body that runs it; left out: nobody has said. */
  readonly operator?: string | undefined;
}

/** A model as one destination offers it. */
export interface Offer {
  /** The name that requests use here. */
  readonly model: string;
  /** The name that the destination knows it by. */
  readonly upstreamName: string;
  /** Lower-case hex digest of the weights, where this machine can know it. */
  readonly sha256: string | undefined;
  readonly contextTokens: number | undefined;
  /** Names of the endpoint table's rows. */
  readonly endpoints: ReadonlySet<string>;
}

export interface Counted {
  readonly usage: Usage;
  readonly ending: Ending;
}

/** What became of the order to forget a tenant's prompts. */
export type Forgotten =
  /** `running`: answers whose state goes when they end. */
  | { readonly outcome: "forgotten"; readonly running: number }
  /** It was not reached, and its lease has run out meanwhile: it forgets by itself before it takes anything again. */
  | { readonly outcome: "away" }
  /** It takes no such order. */
  | { readonly outcome: "unable" };

/** What is promised to a request, and whether it may be set aside for others meanwhile. */
export interface ServiceLevel {
  /** Until the first token at the latest. */
  readonly ttftMs: number;
  /** From token to token at the latest. */
  readonly tpotMs: number;
  readonly isPreemptible: boolean;
  /** What OpenAI's `service_tier` calls it in an answer. */
  readonly serviceTier: string;
}

/** What the gateway sends with a request besides its bytes. */
export interface Dispatch {
  readonly request: RequestId;
  /** The project, whose prompt cache is its own. */
  readonly tenant: string;
  readonly path: string;
  readonly body: Buffer;
  readonly warnUnsupported: boolean;
  /** It was sent there before, and what became of that is lost: nobody has seen any of it. */
  readonly isAgain: boolean;
  readonly promised: ServiceLevel;
  /** What its project has of what is scarce, beside one of weight 1. */
  readonly weight: number;
  /** Request headers that the endpoint's protocol needs (anthropic-version), name and value in turn. */
  readonly headers: readonly string[];
}

/** Somewhere a request can run, reached over the OpenAI API: a host of ours, or a server that the operator has. */
export interface Destination {
  readonly kind: "host" | "upstream";
  /** A host's id, or the upstream's name in the settings. */
  readonly name: string;
  readonly site: DestinationSite;
  readonly engine: { readonly name: string; readonly build: string };
  /** Whether its prompt caches are kept apart by a `cache_salt` in the body. */
  readonly cacheSalt: boolean;
  readonly ready: boolean;
  /** Another number each time that it has come back from its end; what it ran before is gone. */
  readonly incarnation: number;
  /** Why it is not ready, in words for the operator. */
  readonly why: string | undefined;
  /** Requests sent and not yet ended. */
  readonly running: number;
  /** What its device did when it last said so; undefined: it has not, or never does. */
  readonly pool: PoolFigures | undefined;
  offer(model: string): Offer | undefined;
  offers(): Iterable<Offer>;
  /** What it was to offer besides, and cannot, as it says itself. */
  readonly faults: readonly ModelFault[];
  /** `reader` gets the answer as it comes. */
  send(dispatch: Dispatch, reader: Reader): Exchange;
  ended(): void;
  /** Why it takes nothing new for the moment, as it has just said itself; undefined: it has not. */
  readonly declines: Refusal | undefined;
  /** It has refused a request for a reason that holds for all: none is sent there for a moment. */
  decline(refusal: Refusal): void;
  /** Ends every exchange that runs there; its reader hears the reason. */
  cut(reason: Error): void;
  /** What a request used, as the engine counted it, once it has ended there; undefined: it cannot be known; "unreadable": what is said cannot be. */
  counts(request: RequestId, waitMs: number): Promise<Counted | "unreadable" | undefined>;
  /** The settlement is durable: the destination may forget the request's counts. */
  acknowledge(request: RequestId): void;
  /** Makes it forget what this tenant's prompts have left in its caches. `leaseMs`: how long it keeps them unheard. */
  forget(tenant: string, leaseMs: number): Promise<Forgotten>;
}
