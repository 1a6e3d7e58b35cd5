import type { Kysely } from "kysely";
import { type Clock, refuse, type Refusal, RefusalError } from "../base/index.ts";
import {
  createPolicy,
  type DataClass,
  type Facts,
  factsDigest,
  noFacts,
  type Policy,
  type PolicyDocument,
} from "../policy/index.ts";
import { type Database, Following, readEpochs } from "../store/index.ts";
import {
  checkedFacts,
  keptPolicies,
  noPolicies,
  type Policies,
  policiesDigest,
  type PoliciesInput,
} from "./documents.ts";
import { readNewest, type Version } from "./versions.ts";

export interface InForceOptions {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  /** What goes on while the database is away, by data class, and from when on it counts as away. */
  readonly whenAway: { readonly afterMs: number } & Readonly<Record<DataClass, "serve" | "stop">>;
  /** Hears of each policy that takes the place of another. */
  readonly onChange: (policy: Policy) => void;
  readonly onFailure: (error: unknown) => void;
}

/** What decisions are made by now: from memory, a request asks nobody. */
export interface InForce {
  readonly policy: Policy;
  readonly facts: Facts;
  readonly document: PolicyDocument;
  /** Numbers of the documents' versions; 0: none was ever applied. */
  readonly versions: { readonly facts: number; readonly policies: number };
  /** Their digests, lower-case hex. */
  readonly digests: { readonly facts: string; readonly policies: string };
  /** Why this class of data is not served at the moment; undefined: it is. */
  mayServe(dataClass: DataClass): Refusal | undefined;
  /** Milliseconds since the policy was last confirmed with the database. */
  readonly confirmedAgoMs: number;
  /**
   * Reads anew what has changed, after a change of our own, which has compiled its policies already. Rejects where the
   * database is away.
   */
  refresh(compiled?: Compiled): Promise<void>;
  close(): void;
}

/** Policies under the digest of the version that they were compiled from. */
export interface Compiled extends Policies {
  readonly sha256: string;
}

/** The documents that hold cannot be used by this release: another one has written them. */
export class DocumentsUnusable extends Error {}

const pollEveryMs = 250;

/** Reads what holds, then keeps up with its epoch. Rejects where the first reading fails. */
export async function createInForce(options: InForceOptions): Promise<InForce> {
  const follower = new Follower(options);
  await follower.start();
  return follower;
}

interface Held extends Policies {
  readonly policy: Policy;
  readonly facts: Facts;
  readonly versions: InForce["versions"];
  readonly digests: InForce["digests"];
}

class Follower implements InForce {
  readonly #options: InForceOptions;
  readonly #following: Following;
  #held: Held | undefined;
  #compiled: Compiled | undefined;
  #confirmedAtMs = -Infinity;

  constructor(options: InForceOptions) {
    this.#options = options;
    const { clock, onFailure } = options;
    this.#following = new Following({ clock, everyMs: pollEveryMs, read: () => this.#read(), onFailure });
  }

  get policy(): Policy {
    return this.#held!.policy;
  }
  get facts(): Facts {
    return this.#held!.facts;
  }
  get document(): PolicyDocument {
    return this.#held!.document;
  }
  get versions(): InForce["versions"] {
    return this.#held!.versions;
  }
  get digests(): InForce["digests"] {
    return this.#held!.digests;
  }
  get confirmedAgoMs(): number {
    return this.#options.clock.monotonicMs() - this.#confirmedAtMs;
  }

  mayServe(dataClass: DataClass): Refusal | undefined {
    const { whenAway } = this.#options;
    if (whenAway[dataClass] === "serve" || this.confirmedAgoMs <= whenAway.afterMs) return undefined;
    const message = `The policy cannot be confirmed with the database, and ${dataClass} data is not served meanwhile.`;
    return refuse("directory_stale", message, { retryAfterSeconds: 2 });
  }

  start(): Promise<void> {
    return this.#following.start();
  }

  async refresh(compiled?: Compiled): Promise<void> {
    this.#compiled = compiled;
    await this.#following.refresh();
  }

  close(): void {
    this.#following.stop();
  }

  /**
   * What is confirmed is confirmed as of when it was asked. A document that cannot be used is none that is confirmed. To
   * make a new one ready may take longer than that counts: it is asked once more whether it is still the newest.
   */
  async #read(): Promise<void> {
    const { clock, db } = this.#options;
    for (let changed = true, asked = 0; changed && asked < 2; asked++) {
      const askedAtMs = clock.monotonicMs();
      const { policy } = await readEpochs(db);
      changed = policy !== this.#held?.policy.epoch;
      if (changed) await this.#hold(await readNewest(db));
      this.#confirmedAtMs = askedAtMs;
    }
  }

  /** What holds goes on until all of the new one is ready: others are answered by it meanwhile. */
  async #hold({ epoch, facts, policies }: Awaited<ReturnType<typeof readNewest>>): Promise<void> {
    const before = this.#held;
    const nowMs = (): number => this.#options.clock.nowMs();
    const versions = { facts: facts?.version ?? 0, policies: policies?.version ?? 0 };
    // What has not changed is not compiled again.
    const known = this.#compiled?.sha256 === policies?.sha256 ? this.#compiled : undefined;
    const isSame = before?.versions.policies === versions.policies;
    const compiled = isSame ? before : (known ?? (await usable(policies, "policies", policiesIn)));
    const read = before?.versions.facts === versions.facts ? before.facts : await usable(facts, "facts", factsIn);
    const policy = createPolicy({
      epoch,
      policies: compiled.policies,
      document: compiled.document,
      facts: read,
      nowMs,
    });
    if (before !== undefined) await policy.prepare(before.policy.met);
    const digests = {
      facts: facts?.sha256 ?? factsDigest(noFacts),
      policies: policies?.sha256 ?? policiesDigest(noPolicies),
    };
    this.#held = { policies: compiled.policies, document: compiled.document, policy, facts: read, versions, digests };
    if (before !== undefined) this.#options.onChange(policy);
  }
}

function factsIn(version: Version | undefined): Facts {
  return version === undefined ? noFacts : checkedFacts(JSON.parse(version.body)).facts;
}

function policiesIn(version: Version | undefined): Promise<Policies> {
  return keptPolicies(version === undefined ? noPolicies : (JSON.parse(version.body) as PoliciesInput));
}

async function usable<Read>(
  version: Version | undefined,
  kind: string,
  read: (version: Version | undefined) => Read | Promise<Read>,
): Promise<Read> {
  try {
    return await read(version);
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error;
    throw new DocumentsUnusable(`Version ${version?.version} of the ${kind} cannot be used: ${error.message}`);
  }
}
