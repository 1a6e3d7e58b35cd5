import { type Clock, refuse, RefusalError } from "../base/index.ts";
import { change, type Database, type DocumentKind } from "../store/index.ts";
import type { Kysely, Transaction } from "kysely";
import { findVersion, type Version } from "./versions.ts";

/** A version on its way in. */
export interface Wanted {
  readonly kind: DocumentKind;
  readonly body: string;
  readonly sha256: string;
  readonly note: string | undefined;
  /** The version that it was made from; refused where another one is the newest by now. */
  readonly basedOn: number;
  /** The operator's name. */
  readonly author: string;
  /** Refuses by throwing what the rest of the database does not go with; nothing has changed then. */
  readonly check?: (transaction: Transaction<Database>) => Promise<void>;
}

/**
 * Adds a version, with the epoch of policy, or of prices, in the same transaction. What says the same as the newest is that one: an answer
 * that was lost can be asked for again. The epoch's row makes two operators wait for one another.
 */
export async function applyVersion(db: Kysely<Database>, clock: Clock, wanted: Wanted): Promise<Version> {
  const { kind, body, sha256, basedOn, author, note = null } = wanted;
  const newest = await findVersion(db, kind);
  if (newest?.sha256 === sha256) return newest;
  return change(db, kind === "prices" ? "prices" : "policy", async (transaction) => {
    const before = (await findVersion(transaction, kind))?.version ?? 0;
    if (before !== basedOn) throw new RefusalError(conflict(kind, before, basedOn));
    await wanted.check?.(transaction);
    const version = { version: before + 1, body, sha256, author, createdAt: new Date(clock.nowMs()), note };
    await transaction
      .insertInto("documents")
      .values({ kind, ...version })
      .execute();
    return version;
  });
}

function conflict(kind: DocumentKind, newest: number, basedOn: number) {
  const message =
    newest < basedOn
      ? `There is no version ${basedOn} of the ${kind} yet; the newest is ${newest}.`
      : `Version ${newest} of the ${kind} has been applied since ${basedOn === 0 ? "there was none" : `version ${basedOn}`}.`;
  return refuse("version_conflict", message, { param: "basedOn" });
}
