import { hash } from "node:crypto";
import type { Kysely } from "kysely";
import type { Clock, Refusal } from "../base/index.ts";
import { refuse } from "../base/index.ts";
import type { DataClass } from "../policy/index.ts";
import { type Database, Following, readEpochs } from "../store/index.ts";
import { type Holder, readHolders } from "./holder.ts";

export interface DirectoryOptions {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  /** What goes on while the database is away, by data class, and from when on it counts as away. */
  readonly whenAway: { readonly afterMs: number } & Readonly<Record<DataClass, "serve" | "stop">>;
  readonly onFailure: (error: unknown) => void;
}

/** All keys in memory: a request asks nobody. */
export interface Directory {
  /** Whose secret this is, now. */
  identify(secret: string | undefined): Holder | Refusal;
  /** Why this class of data is not served at the moment; undefined: it is. */
  mayServe(dataClass: DataClass): Refusal | undefined;
  /** Milliseconds since the keys were last confirmed with the database. */
  readonly confirmedAgoMs: number;
  readonly epoch: number;
  /** Reads anew what has changed, after a change of our own. Rejects where the database is away. */
  refresh(): Promise<void>;
  close(): void;
}

const pollEveryMs = 250;
/** How long a revoked key is told that it was revoked; after that it is a key that nobody knows. */
const revokedKnownMs = 30 * 86_400_000;

/** Reads all keys, then keeps up with their epoch. Rejects where the first reading fails. */
export async function createDirectory(options: DirectoryOptions): Promise<Directory> {
  const directory = new KeyDirectory(options);
  await directory.start();
  return directory;
}

class KeyDirectory implements Directory {
  readonly #options: DirectoryOptions;
  #holders: ReadonlyMap<string, Holder> = new Map();
  #epoch = -1;
  #confirmedAtMs = -Infinity;
  readonly #following: Following;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    const { clock, onFailure } = options;
    this.#following = new Following({ clock, everyMs: pollEveryMs, read: () => this.#read(), onFailure });
  }

  get epoch(): number {
    return this.#epoch;
  }
  get confirmedAgoMs(): number {
    return this.#options.clock.monotonicMs() - this.#confirmedAtMs;
  }

  /** Secrets are compared by their digests, so that the time taken tells nothing about any of them. */
  identify(secret: string | undefined): Holder | Refusal {
    if (secret === undefined) return refuse("missing_key", "No key was sent.");
    const holder = this.#holders.get(hash("sha256", secret, "hex"));
    if (holder === undefined) return refuse("invalid_key", "This key is not known.");
    if (holder.isRevoked) return refuse("revoked_key", "This key was revoked.");
    if (holder.expiresAtMs !== undefined && holder.expiresAtMs <= this.#options.clock.nowMs()) {
      return refuse("expired_key", "This key, its project or its organisation has expired.");
    }
    return holder;
  }

  mayServe(dataClass: DataClass): Refusal | undefined {
    const { whenAway } = this.#options;
    if (whenAway[dataClass] === "serve" || this.confirmedAgoMs <= whenAway.afterMs) return undefined;
    const message = `The database is away, and ${dataClass} data is not served meanwhile.`;
    return refuse("directory_stale", message, { retryAfterSeconds: 2 });
  }

  start(): Promise<void> {
    return this.#following.start();
  }

  refresh(): Promise<void> {
    return this.#following.refresh();
  }

  close(): void {
    this.#following.stop();
  }

  /**
   * What is confirmed is confirmed as of when it was asked. To read many keys may take longer than that counts: it is
   * asked once more whether they are still the newest.
   */
  async #read(): Promise<void> {
    const { clock, db } = this.#options;
    for (let changed = true, asked = 0; changed && asked < 2; asked++) {
      const askedAtMs = clock.monotonicMs();
      const { keys } = await readEpochs(db);
      changed = keys !== this.#epoch;
      if (changed) {
        const { epoch, holders } = await readHolders(db, new Date(clock.nowMs() - revokedKnownMs));
        this.#holders = holders;
        this.#epoch = epoch;
      }
      this.#confirmedAtMs = askedAtMs;
    }
  }
}
