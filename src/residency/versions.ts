import type { Kysely, Transaction } from "kysely";
import { type Database, type DocumentKind, readEpochs } from "../store/index.ts";

type Reader = Kysely<Database> | Transaction<Database>;

/** A version of a document as it was applied. */
export interface Version {
  readonly version: number;
  /** JSON. */
  readonly body: string;
  readonly sha256: string;
  readonly author: string;
  readonly createdAt: Date;
  readonly note: string | null;
}

/** A version by its number, or the newest one; undefined where there is none. */
export async function findVersion(db: Reader, kind: DocumentKind, version?: number): Promise<Version | undefined> {
  const row = await db
    .selectFrom("documents")
    .selectAll()
    .where("kind", "=", kind)
    .$if(version !== undefined, (query) => query.where("version", "=", String(version)))
    .orderBy("version", "desc")
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : { ...row, version: Number(row.version) };
}

/** The version that was the newest one just before a moment; undefined where none was applied by then. */
export async function findVersionBefore(db: Reader, kind: DocumentKind, atMs: number): Promise<Version | undefined> {
  const row = await db
    .selectFrom("documents")
    .selectAll()
    .where("kind", "=", kind)
    .where("createdAt", "<", new Date(atMs))
    .orderBy("version", "desc")
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : { ...row, version: Number(row.version) };
}

/** The newest of both kinds with the epoch of policy, in one snapshot. */
export async function readNewest(db: Kysely<Database>) {
  return db
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute(async (transaction) => {
      const { policy: epoch } = await readEpochs(transaction);
      const facts = await findVersion(transaction, "facts");
      return { epoch, facts, policies: await findVersion(transaction, "policies") };
    });
}
