import type { Kysely, Selectable, Transaction } from "kysely";
import {
  addressText,
  type Clock,
  type Ids,
  isEverywhere,
  type NetworkAddress,
  parseAddress,
  refuse,
  RefusalError,
} from "../base/index.ts";
import { hostProtocol } from "../host/index.ts";
import type { Database, HostTable, HostTokenTable } from "../store/index.ts";
import { stateOf } from "./told.ts";
import { secretDigest } from "./token.ts";
import type { JoinAnswer, JoinRequest } from "./wire.ts";

/** What is looked at before a machine becomes a host. */
export interface JoinChecks {
  /** How far its clock may be from this one's, in milliseconds. */
  readonly clockSkewMs: number;
  /**
   * Whether what answers there has this key. Why it does not is for the operator: whoever has a token names any address,
   * and would learn what there is at each.
   */
  readonly reach: (address: NetworkAddress, key: string) => Promise<boolean>;
}

interface Context extends JoinChecks {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Who asks: the key that its connection has proven to hold, and the IP address that it comes from. */
interface Asker {
  readonly key: string;
  readonly from: string;
}

type Changed = <Result>(work: (transaction: Transaction<Database>) => Promise<Result>) => Promise<Result>;
type Host = Selectable<HostTable>;
type Token = Selectable<HostTokenTable>;

/** Throws a refusal. A token is used up in the transaction that makes the host, and by nothing before it. */
export async function joining(
  request: JoinRequest,
  asker: Asker,
  context: Context,
  changed: Changed,
): Promise<JoinAnswer> {
  checkVersion(request);
  checkClock(request, context);
  const known = await knownHost(asker.key, context.db);
  const token = known === undefined ? await openToken(request, context.db, context.clock) : undefined;
  const site = known?.site ?? token!.site;
  checkClaim(request, site);
  const address = addressOf(request, asker);
  const at = addressText(address);
  if (!(await context.reach(address, asker.key))) {
    throw refused("host_unreachable", `The gateway does not reach this machine, by its key, at ${at}.`);
  }
  return changed((transaction) =>
    known === undefined
      ? inserted(transaction, { ...asker, address: at, token: token! }, context)
      : moved(transaction, known, at),
  );
}

function checkVersion({ protocol, version }: JoinRequest): void {
  if (protocol === hostProtocol) return;
  const message = `The machine (release ${version}) speaks version ${protocol} of the host protocol, this gateway version ${hostProtocol}.`;
  throw refused("version_mismatch", message);
}

function checkClock({ atMs }: JoinRequest, { clock, clockSkewMs }: Context): void {
  const aheadMs = atMs - clock.nowMs();
  if (Math.abs(aheadMs) <= clockSkewMs) return;
  const seconds = (Math.abs(aheadMs) / 1_000).toFixed(1);
  const message = `The machine's clock is ${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} the gateway's; ${clockSkewMs / 1_000} s are allowed.`;
  throw refused("clock_skew", message);
}

async function knownHost(key: string, db: Kysely<Database> | Transaction<Database>): Promise<Host | undefined> {
  const known = await db.selectFrom("hosts").selectAll().where("fingerprint", "=", key).executeTakeFirst();
  if (known === undefined || known.revokedAt === null) return known;
  throw refused("host_revoked", `The host ${known.id} was revoked on ${known.revokedAt.toISOString()}.`);
}

async function openToken({ secret }: JoinRequest, db: Kysely<Database>, clock: Clock): Promise<Token> {
  if (secret === null) throw refused("join_token_invalid", "This gateway does not know the machine's key.");
  const token = await db
    .selectFrom("hostTokens")
    .selectAll()
    .where("secretSha256", "=", secretDigest(secret))
    .executeTakeFirst();
  if (token === undefined) throw refused("join_token_invalid", "This gateway has made no such token.");
  const state = stateOf(token, clock.nowMs());
  if (state === "open") return token;
  if (state === "used") throw refused("join_token_used", "Another machine has joined with this token.");
  if (state === "revoked") throw refused("join_token_invalid", "The token was revoked.");
  throw refused("join_token_expired", `The token expired on ${token.expiresAt.toISOString()}.`);
}

/** The machine's own word of where it stands moves nothing; one that says otherwise is at the wrong place. */
function checkClaim({ site: claimed }: JoinRequest, site: string): void {
  if (claimed === null || claimed === site) return;
  const message = `The machine says that it is at site "${claimed}"; the operator has registered it for "${site}".`;
  throw refused("site_mismatch", message);
}

function addressOf({ address }: JoinRequest, { from }: Asker): NetworkAddress {
  const { host, port } = address;
  const text = addressText(host === null || isEverywhere(host) ? { host: from, port } : { host, port });
  const read = parseAddress(text);
  if (read !== undefined) return read;
  throw refused("host_unreachable", `${text} is no address that the gateway could keep.`);
}

async function inserted(
  transaction: Transaction<Database>,
  { key, address, token }: { readonly key: string; readonly address: string; readonly token: Token },
  { ids, clock }: Context,
): Promise<JoinAnswer> {
  const id = ids.mint("host");
  const joinedAt = new Date(clock.nowMs());
  // It may have become one since it was looked for, and be revoked: then it is that one, wherever this token is of.
  const before = await knownHost(key, transaction);
  if (before !== undefined) return moved(transaction, before, address);
  await transaction.insertInto("hosts").values({ id, site: token.site, fingerprint: key, address, joinedAt }).execute();
  // Of two that come with one token at once, the epoch's row has let one pass before the other.
  const used = await transaction
    .updateTable("hostTokens")
    .set({ host: id })
    .where("id", "=", token.id)
    .where("host", "is", null)
    .where("revokedAt", "is", null)
    .executeTakeFirst();
  if (used.numUpdatedRows === 1n) return { host: id, site: token.site, address, isNew: true };
  throw refused("join_token_used", "Another machine has joined with this token.");
}

async function moved(transaction: Transaction<Database>, { id, site }: Host, address: string): Promise<JoinAnswer> {
  const { numUpdatedRows } = await transaction
    .updateTable("hosts")
    .set({ address })
    .where("id", "=", id)
    .where("revokedAt", "is", null)
    .executeTakeFirst();
  if (numUpdatedRows === 1n) return { host: id, site, address, isNew: false };
  throw refused("host_revoked", `The host ${id} was revoked meanwhile.`);
}

function refused(code: Parameters<typeof refuse>[0], message: string): RefusalError {
  return new RefusalError(refuse(code, message));
}
