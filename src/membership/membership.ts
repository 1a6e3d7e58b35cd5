import type { Kysely, Transaction } from "kysely";
import {
  type Clock,
  type HostId,
  type Ids,
  nearest,
  refuse,
  type Refusal,
  RefusalError,
  refusing,
} from "../base/index.ts";
import { behind, change, type Database, type List, type Page, pageOf } from "../store/index.ts";
import { type JoinChecks, joining } from "./joining.ts";
import { type HostTold, hostTold, type HostTokenMade, type HostTokenTold, tokenTold } from "./told.ts";
import { formatJoinToken, secretBytes, secretDigest } from "./token.ts";
import type { JoinAnswer, JoinRequest } from "./wire.ts";

export interface MembershipOptions extends JoinChecks {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomBytes: (count: number) => Buffer;
  /** Of the gateway's own key: it goes into every token. */
  readonly gateway: string;
  /** The sites that are declared now, by the settings or the facts. */
  readonly sites: () => ReadonlySet<string>;
  /** Whether other machines can join at all: whether this gateway listens for them. */
  readonly isOpen: () => boolean;
  /** Called after every change that was committed, which stands whatever comes of it. */
  readonly onChange: () => Promise<void>;
  /** What `onChange` rejected with. */
  readonly onFailure: (error: unknown) => void;
}

export type Membership = ReturnType<typeof createMembership>;

/** Tokens and hosts over the store. */
export function createMembership(options: MembershipOptions) {
  const { db, clock } = options;
  const changed = async <Result>(work: (transaction: Transaction<Database>) => Promise<Result>): Promise<Result> => {
    const result = await change(db, "hosts", work);
    await options.onChange().catch(options.onFailure);
    return result;
  };
  return {
    createToken: (site: string, lastsSeconds: number): Promise<HostTokenMade | Refusal> =>
      refusing(async () => {
        checkSite(site, options);
        const nowMs = clock.nowMs();
        const secret = options.randomBytes(secretBytes).toString("base64url");
        const row = {
          id: options.ids.mint("htk"),
          secretSha256: secretDigest(secret),
          site,
          createdAt: new Date(nowMs),
          expiresAt: new Date(nowMs + lastsSeconds * 1_000),
        };
        const made = await db.insertInto("hostTokens").values(row).returningAll().executeTakeFirstOrThrow();
        return { ...tokenTold(made, nowMs), token: formatJoinToken({ secret, gateway: options.gateway }) };
      }),
    listTokens: (page: Page): Promise<List<HostTokenTold> | Refusal> =>
      refusing(async () => {
        const rows = await db
          .selectFrom("hostTokens")
          .selectAll()
          .where("id", ">", behind("htk", page))
          .orderBy("id")
          .limit(page.limit + 1)
          .execute();
        return pageOf(rows, page, (row) => tokenTold(row, clock.nowMs()));
      }),
    /** Revoking one that is used, expired or revoked changes nothing. */
    revokeToken: (reference: string): Promise<HostTokenTold | Refusal> =>
      refusing(async () => {
        const nowMs = clock.nowMs();
        await db
          .updateTable("hostTokens")
          .set({ revokedAt: new Date(nowMs) })
          .where("id", "=", reference as `htk_${string}`)
          .where("host", "is", null)
          .where("revokedAt", "is", null)
          .execute();
        const row = await db
          .selectFrom("hostTokens")
          .selectAll()
          .where("id", "=", reference as `htk_${string}`)
          .executeTakeFirst();
        if (row === undefined) throw unknown("join token", "token", reference);
        return tokenTold(row, nowMs);
      }),
    listHosts: (page: Page): Promise<List<HostTold> | Refusal> =>
      refusing(async () => {
        const rows = await db
          .selectFrom("hosts")
          .selectAll()
          .where("id", ">", behind("host", page))
          .orderBy("id")
          .limit(page.limit + 1)
          .execute();
        return pageOf(rows, page, hostTold);
      }),
    /** Keeps what a host says that it is and has, for the next start. Nobody has to hear of it. */
    keepTold: async (host: HostId, told: string): Promise<void> => {
      await db.updateTable("hosts").set({ told }).where("id", "=", host).execute();
    },
    /** For ever: the same key cannot join again. Revoking one that is revoked changes nothing. */
    revokeHost: (reference: string): Promise<HostTold | Refusal> =>
      refusing(() =>
        changed(async (transaction) => {
          const revokedAt = new Date(clock.nowMs());
          const host = reference as HostId;
          await transaction
            .updateTable("hosts")
            .set({ revokedAt })
            .where("id", "=", host)
            .where("revokedAt", "is", null)
            .execute();
          const row = await transaction.selectFrom("hosts").selectAll().where("id", "=", host).executeTakeFirst();
          if (row === undefined) throw unknown("joined host", "host", reference);
          return hostTold(row);
        }),
      ),
    /** A machine asks to be a host, or to go on as the one that it is. `key`: what its connection has proven to hold. */
    join: (request: JoinRequest, key: string, from: string): Promise<JoinAnswer | Refusal> =>
      refusing(() => joining(request, { key, from }, options, changed)),
  };
}

function checkSite(site: string, { sites, isOpen }: MembershipOptions): void {
  if (!isOpen()) {
    throw new RefusalError(refuse("joining_closed", "This gateway does not listen for other machines."));
  }
  const declared = sites();
  if (declared.has(site)) return;
  const meant = nearest(site, declared);
  const hint = meant === undefined ? "" : ` Did you mean "${meant}"?`;
  const message = `No site "${site.slice(0, 64)}" is declared.${hint}`;
  throw new RefusalError(refuse("site_not_declared", message, { param: "site" }));
}

function unknown(what: string, param: string, reference: string): RefusalError {
  return new RefusalError(refuse("not_found", `There is no ${what} "${reference.slice(0, 200)}".`, { param }));
}
