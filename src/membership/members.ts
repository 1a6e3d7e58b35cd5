import type { Kysely } from "kysely";
import { type Clock, type HostId, type NetworkAddress, parseAddress } from "../base/index.ts";
import { type Database, Following, readEpochs } from "../store/index.ts";

/** A host that joined and was not revoked. */
export interface Member {
  readonly id: HostId;
  readonly site: string;
  /** Of its public key. */
  readonly key: string;
  readonly address: NetworkAddress;
  /** What was last kept of what it said. */
  readonly told: string | null;
}

export interface Members {
  /** Reads anew what has changed, after a change of our own. Rejects where the database is away. */
  refresh(): Promise<void>;
  /** Resolves once the question that may be under way is over. */
  close(): Promise<void>;
}

/** A quarter of the second within which a revocation holds. */
const pollEveryMs = 250;

/**
 * Reads which hosts there are, then keeps up with their epoch; `onChange` hears of all of them each time that something
 * about them has changed. Rejects where the first reading fails.
 */
export async function createMembers(options: {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly onChange: (members: readonly Member[]) => void;
  readonly onFailure: (error: unknown) => void;
}): Promise<Members> {
  const { db, clock, onChange, onFailure } = options;
  let epoch = -1;
  const read = async (): Promise<void> => {
    const { hosts: newest } = await readEpochs(db);
    if (newest === epoch) return;
    // Whoever changes a host later moves the epoch on again: what is read here is of this epoch or newer.
    const rows = await db.selectFrom("hosts").selectAll().where("revokedAt", "is", null).orderBy("id").execute();
    epoch = newest;
    onChange(
      rows.flatMap(({ id, site, fingerprint, address: text, told }) => {
        const address = parseAddress(text);
        return address === undefined ? [] : [{ id, site, key: fingerprint, address, told }];
      }),
    );
  };
  const following = new Following({ clock, everyMs: pollEveryMs, read, onFailure });
  await following.start();
  return {
    refresh: () => following.refresh(),
    close: async () => {
      following.stop();
      await following.settled();
    },
  };
}
