import { type Kysely, sql } from "kysely";
import {
  type Cancel,
  type Clock,
  type ContentKeyId,
  DiskFullError,
  type Ids,
  refuse,
  RefusalError,
  type RequestId,
} from "../base/index.ts";
import { behind, type Database, type List, type Page } from "../store/index.ts";
import type { KeyEncryption } from "./key-encryption.ts";
import { ProjectErased, ProjectKeys } from "./project-keys.ts";
import {
  openRecord,
  parseRecordLine,
  type RecordContent,
  type RecordHead,
  recordLine,
  rewrapped,
  sealRecord,
  type SealedRecord,
} from "./record.ts";
import { readListing, readSealed, type StoredFilter, type StoredListing } from "./reading.ts";
import { Spool } from "./spool.ts";

export type { StoredListing } from "./reading.ts";

/** Why content was not kept. */
export type NotKept = "too_long" | "no_room" | "no_key" | "not_written";

export interface Lost {
  readonly organisation: string;
  readonly project: string;
  readonly reason: NotKept;
  readonly requests: number;
}

export interface StoredContent extends StoredListing {
  readonly subject: string | null;
  readonly complete: boolean;
  readonly input: Buffer;
  readonly output: Buffer;
}

export interface ContentsOptions {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomBytes: (count: number) => Buffer;
  /** Of projects' keys, a folder each. */
  readonly keysFolder: string;
  /** Of what waits for the database. */
  readonly spoolFolder: string;
  readonly encryptionOf: (organisation: string) => KeyEncryption;
  readonly bytesMax: number;
  readonly waitingBytesMax: number;
  /** Hears of what was not kept, until it resolves. */
  readonly onLost: (lost: readonly Lost[]) => Promise<void>;
  readonly onFailure: (error: unknown) => void;
}

const shipEveryMs = 1_000;
/** What is due is read by nobody from that moment on; how soon its row goes is a matter of room. */
const expireEveryMs = 300_000;
/** Rows that one statement takes away or writes anew. */
const rowsAtOnce = 500;

/** Opens what is kept, and from then on takes away what is due, by the clock. */
export async function openContents(options: ContentsOptions): Promise<Contents> {
  const spool = await Spool.open(options.spoolFolder, options.waitingBytesMax);
  const contents = new Contents(options, spool);
  await contents.expire();
  contents.start();
  return contents;
}

export class Contents {
  readonly keys: ProjectKeys;
  readonly #options: ContentsOptions;
  readonly #spool: Spool;
  readonly #lost = new Map<string, Lost>();
  readonly #sealing = new Set<Promise<void>>();
  #shipping: Promise<void> | undefined;
  #expiring: Promise<number> | undefined;
  #storedBytes = 0;
  #cancels: Cancel[] = [];

  constructor(options: ContentsOptions, spool: Spool) {
    this.#options = options;
    this.#spool = spool;
    this.keys = new ProjectKeys({ ...options, folder: options.keysFolder });
  }

  start(): void {
    const { clock, onFailure } = this.#options;
    const quietly = (work: () => Promise<unknown>) => () => void work().catch(onFailure);
    this.#cancels = [
      clock.every(
        shipEveryMs,
        quietly(() => this.ship()),
      ),
      clock.every(
        expireEveryMs,
        quietly(() => this.expire()),
      ),
    ];
  }

  /** Resolves once it lies in a file, sealed, or is counted as lost: it never rejects, as the answer does not depend on it. */
  async keep(head: RecordHead, content: RecordContent & { readonly isTooLong: boolean }): Promise<void> {
    const sealing = this.#keep(head, content);
    this.#sealing.add(sealing);
    await sealing.finally(() => this.#sealing.delete(sealing));
  }

  /** Everything whose answer has ended is in the database when it resolves. Rejects where that is away. */
  async caughtUp(): Promise<void> {
    await Promise.all(this.#sealing);
    await this.#shipping?.catch(() => undefined);
    await this.ship();
  }

  async list(
    filter: StoredFilter & { readonly subject?: string | undefined },
    page: Page,
  ): Promise<List<StoredListing>> {
    await this.caughtUp();
    const { subject, ...rest } = filter;
    if (subject === undefined) return readListing(this.#options.db, rest, page, behind("req", page), this.#now());
    const subjectTag = await this.subjectTag(rest, subject);
    return readListing(this.#options.db, { ...rest, subjectTag }, page, behind("req", page), this.#now());
  }

  /** Opened; undefined: there is none within the scope. Rejects where it does not open. */
  async show(request: string, scope: StoredFilter): Promise<StoredContent | undefined> {
    await this.caughtUp();
    const found = await readSealed(this.#options.db, request, scope, this.#now());
    if (found === undefined) return undefined;
    const { record, listing } = found;
    const opened = openRecord(record, await this.#secretOf(record));
    const { subject, complete } = opened;
    return { ...listing, subject, complete, input: opened.request, output: opened.response };
  }

  /** The key of a record. Refuses by throwing where it is not here, or what wraps it does not answer. */
  async #secretOf({ project, organisation, contentKey }: SealedRecord): Promise<Buffer> {
    try {
      return await this.keys.get(project, organisation, contentKey);
    } catch (error) {
      this.#options.onFailure(error);
      const message = this.keys.has(project, contentKey)
        ? "What wraps this project's keys does not answer."
        : "The key that opens it is not here: after a restore it has to be put back.";
      throw new RefusalError(refuse("content_unreadable", message));
    }
  }

  /** What a person's records of a project are found by. Refuses by throwing where the project is erased: it has none. */
  async subjectTag({ project, organisation }: StoredFilter, subject: string): Promise<string> {
    if (project === undefined || organisation === undefined) throw new RangeError("a person is one of a project");
    try {
      return await this.keys.subjectTag(project, organisation, subject);
    } catch (error) {
      if (!(error instanceof ProjectErased)) throw error;
      throw new RefusalError(refuse("erased", `${project} was erased, and what was kept of this person with it.`));
    }
  }

  /** Takes away what is due, and the keys that nothing needs any more. Returns how many records went. */
  expire(): Promise<number> {
    this.#expiring ??= this.#expire().finally(() => (this.#expiring = undefined));
    return this.#expiring;
  }

  async #expire(): Promise<number> {
    const { db } = this.#options;
    let gone = 0;
    for (;;) {
      const due = db.selectFrom("contents").select("request").where("until", "<=", this.#now()).limit(rowsAtOnce);
      const { numDeletedRows } = await db.deleteFrom("contents").where("request", "in", due).executeTakeFirstOrThrow();
      gone += Number(numDeletedRows);
      if (Number(numDeletedRows) < rowsAtOnce) break;
    }
    await this.#destroyUnused();
    const { rows } = await sql<{
      bytes: string;
    }>`SELECT coalesce(sum(length(sealed)), 0) AS bytes FROM contents`.execute(db);
    this.#storedBytes = Number(rows[0]?.bytes ?? 0);
    return gone;
  }

  /** Takes records away. Returns the ids of the keys that they lay under. */
  async remove(project: string, requests: readonly RequestId[]): Promise<readonly ContentKeyId[]> {
    if (requests.length === 0) return [];
    const rows = await this.#options.db
      .deleteFrom("contents")
      .where("project", "=", project as never)
      .where("request", "in", requests)
      .returning("contentKey")
      .execute();
    return [...new Set(rows.map(({ contentKey }) => contentKey))];
  }

  /** Puts what lies under these keys of a project under another one, and destroys them: copies elsewhere open no more. */
  async replaceKeys(project: string, organisation: string, old: readonly ContentKeyId[]): Promise<void> {
    const there = old.filter((id) => this.keys.has(project, id));
    if (there.length === 0) return;
    const [newest] = this.keys.list(project);
    const isNew = newest !== undefined && !there.includes(newest);
    const to = isNew
      ? { id: newest, secret: await this.keys.get(project, organisation, newest) }
      : await this.keys.make(project, organisation);
    // What was being sealed under an old key is in the database before that goes.
    await this.caughtUp();
    for (const id of there) {
      await this.#rewrap(project, id, await this.keys.get(project, organisation, id), to);
      this.keys.destroy(project, id);
    }
  }

  async close(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    await this.caughtUp().catch(this.#options.onFailure);
    await this.#spool.close();
  }

  /** Moves what waits into the database; one at a time. */
  ship(): Promise<void> {
    this.#shipping ??= this.#ship().finally(() => (this.#shipping = undefined));
    return this.#shipping;
  }

  async #ship(): Promise<void> {
    await this.#tellLost();
    if (this.#spool.bytes === 0) return;
    await this.#spool.drain(async (lines) => {
      const records = lines.map(parseRecordLine).filter((record) => record !== undefined);
      for (let at = 0; at < records.length; at += rowsAtOnce) await this.#insert(records.slice(at, at + rowsAtOnce));
    });
  }

  async #insert(records: readonly SealedRecord[]): Promise<void> {
    const rows = records.map(({ atMs, untilMs, ...rest }) => ({
      ...rest,
      at: new Date(atMs),
      until: new Date(untilMs),
    }));
    await this.#options.db
      .insertInto("contents")
      .values(rows as never)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    this.#storedBytes += records.reduce((sum, { sealed }) => sum + sealed.length, 0);
  }

  async #keep(head: RecordHead, content: RecordContent & { readonly isTooLong: boolean }): Promise<void> {
    if (content.isTooLong) return this.#lose(head, "too_long");
    if (this.#storedBytes + this.#spool.bytes > this.#options.bytesMax) return this.#lose(head, "no_room");
    let line: string;
    try {
      line = recordLine(await this.#seal(head, content));
    } catch (error) {
      // Nobody may keep anything for a project that is erased, and nobody misses it.
      if (error instanceof ProjectErased) return undefined;
      this.#options.onFailure(error);
      return this.#lose(head, "no_key");
    }
    try {
      if (!(await this.#spool.append(line))) this.#lose(head, "no_room");
    } catch (error) {
      if (!(error instanceof DiskFullError)) this.#options.onFailure(error);
      this.#lose(head, "not_written");
    }
  }

  async #seal(head: RecordHead, content: RecordContent): Promise<SealedRecord> {
    const { project, organisation } = head;
    const { subject } = content;
    const key = await this.keys.current(project, organisation);
    const tag = subject === null ? null : await this.keys.subjectTag(project, organisation, subject);
    return sealRecord(head, content, key, tag, this.#options.randomBytes);
  }

  async #rewrap(
    project: string,
    from: ContentKeyId,
    old: Buffer,
    to: { id: ContentKeyId; secret: Buffer },
  ): Promise<void> {
    const { db, randomBytes } = this.#options;
    for (;;) {
      const rows = await db
        .selectFrom("contents")
        .select(["request", "project", "wrappedKey"])
        .where("project", "=", project as never)
        .where("contentKey", "=", from)
        .limit(rowsAtOnce)
        .execute();
      if (rows.length === 0) return;
      await db.transaction().execute(async (transaction) => {
        for (const row of rows) {
          await transaction
            .updateTable("contents")
            .set({ contentKey: to.id, wrappedKey: rewrapped(row, old, to.secret, randomBytes) })
            .where("request", "=", row.request)
            .execute();
        }
      });
    }
  }

  /** A key under which nothing lies any more opens nothing but copies of what is gone. */
  async #destroyUnused(): Promise<void> {
    const rows = await this.#options.db.selectFrom("contents").select(["project", "contentKey"]).distinct().execute();
    const used = new Set(rows.map(({ contentKey }) => contentKey));
    // What waits for the database is not counted among the rows.
    if (this.#spool.bytes > 0 || this.#sealing.size > 0) return;
    for (const project of this.keys.projects()) {
      for (const id of this.keys.list(project).slice(1)) if (!used.has(id)) this.keys.destroy(project, id);
    }
  }

  #lose({ organisation, project }: RecordHead, reason: NotKept): void {
    const key = `${project} ${reason}`;
    const requests = (this.#lost.get(key)?.requests ?? 0) + 1;
    this.#lost.set(key, { organisation, project, reason, requests });
  }

  async #tellLost(): Promise<void> {
    if (this.#lost.size === 0) return;
    const lost = [...this.#lost.values()];
    this.#lost.clear();
    try {
      await this.#options.onLost(lost);
    } catch (error) {
      for (const each of lost) {
        const key = `${each.project} ${each.reason}`;
        this.#lost.set(key, { ...each, requests: each.requests + (this.#lost.get(key)?.requests ?? 0) });
      }
      throw error;
    }
  }

  #now(): Date {
    return new Date(this.#options.clock.nowMs());
  }
}
