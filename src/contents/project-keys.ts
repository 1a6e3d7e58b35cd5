import { createHmac } from "node:crypto";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Clock, type ContentKeyId, type Ids, isId } from "../base/index.ts";
import { writeWhole } from "../installation/index.ts";
import type { KeyEncryption } from "./key-encryption.ts";

/** A project's key, as it lies in its file: nothing in it opens anything without what it was wrapped by. */
interface KeyFile {
  readonly v: 1;
  readonly id: ContentKeyId;
  readonly project: string;
  readonly createdAt: string;
  readonly wrappedBy: string;
  /** Base64. */
  readonly wrapped: string;
}

export interface ProjectKey {
  readonly id: ContentKeyId;
  /** 32 bytes. */
  readonly secret: Buffer;
}

/** The project is erased: it gets no key any more. */
export class ProjectErased extends Error {
  constructor() {
    super("the project is erased");
  }
}

export interface ProjectKeysOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomBytes: (count: number) => Buffer;
  /** What wraps the keys of an organisation's projects. */
  readonly encryptionOf: (organisation: string) => KeyEncryption;
}

/** A key seals for so long: what it sealed goes at about one time, and then the key goes too. */
const keyPeriodMs = 86_400_000;
/** Keys are held open for so many projects at once. */
const openMax = 1_000;
const erasedName = "erased";
const subjectsName = "subjects.json";

/**
 * The keys of projects, a folder each. They lie in files and not in the database so that destroying one destroys it: a
 * backup copies the database, and holds no key.
 */
export class ProjectKeys {
  readonly #options: ProjectKeysOptions;
  readonly #open = new Map<string, Buffer>();
  readonly #madeAtMs = new Map<string, number>();

  constructor(options: ProjectKeysOptions) {
    this.#options = options;
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  }

  /** The projects that have keys. */
  projects(): readonly string[] {
    return readdirSync(this.#options.folder).filter((name) => isId("prj", name));
  }

  /** The ids of a project's keys, the newest first. */
  list(project: string): readonly ContentKeyId[] {
    const folder = this.#folderOf(project);
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const ids = names.map((name) => name.replace(/\.json$/, "")).filter((id) => isId("cky", id));
    return ids.sort().toReversed();
  }

  /** The one that seals now, made where there is none. Rejects with `ProjectErased`, or where it cannot be unwrapped. */
  async current(project: string, organisation: string): Promise<ProjectKey> {
    this.#refuseErased(project);
    const [newest] = this.list(project);
    if (newest === undefined || this.#isOver(project, newest)) return this.make(project, organisation);
    return { id: newest, secret: await this.get(project, organisation, newest) };
  }

  async get(project: string, organisation: string, id: ContentKeyId): Promise<Buffer> {
    return this.#read(project, organisation, `${id}.json`);
  }

  has(project: string, id: ContentKeyId): boolean {
    return existsSync(join(this.#folderOf(project), `${id}.json`));
  }

  /** A new key, which seals from now on. */
  async make(project: string, organisation: string): Promise<ProjectKey> {
    this.#refuseErased(project);
    const id = this.#options.ids.mint("cky");
    const secret = await this.#write(project, organisation, `${id}.json`, id);
    return { id, secret };
  }

  /** Destroys a key and everything that only it opens; what is gone already stays gone. */
  destroy(project: string, id: ContentKeyId): void {
    this.#remove(project, `${id}.json`);
  }

  /** Destroys all keys of a project, for ever: it gets none any more. Returns how many there were. */
  destroyAll(project: string): number {
    const folder = this.#folderOf(project);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!existsSync(join(folder, erasedName))) writeWhole(join(folder, erasedName), "", 0o600);
    const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
    for (const name of names) this.#remove(project, name);
    return names.length;
  }

  /** What a person's records are found by: it says nothing to whoever has not the project's key for it. */
  async subjectTag(project: string, organisation: string, subject: string): Promise<string> {
    this.#refuseErased(project);
    const isThere = existsSync(join(this.#folderOf(project), subjectsName));
    const secret = isThere
      ? await this.#read(project, organisation, subjectsName)
      : await this.#write(project, organisation, subjectsName, this.#options.ids.mint("cky"));
    return createHmac("sha256", secret).update(subject).digest("hex");
  }

  async #read(project: string, organisation: string, name: string): Promise<Buffer> {
    const path = join(this.#folderOf(project), name);
    const known = this.#open.get(path);
    if (known !== undefined) return known;
    const { id, wrapped } = JSON.parse(readFileSync(path, "utf8")) as KeyFile;
    const encryption = this.#options.encryptionOf(organisation);
    const secret = await encryption.unwrap(Buffer.from(wrapped, "base64"), contextOf(project, id));
    // It may have been destroyed while it was unwrapped.
    if (existsSync(path)) this.#keep(path, secret);
    return secret;
  }

  async #write(project: string, organisation: string, name: string, id: ContentKeyId): Promise<Buffer> {
    const encryption = this.#options.encryptionOf(organisation);
    const secret = this.#options.randomBytes(32);
    const wrapped = (await encryption.wrap(secret, contextOf(project, id))).toString("base64");
    const createdAt = new Date(this.#options.clock.nowMs()).toISOString();
    const file: KeyFile = { v: 1, id, project, createdAt, wrappedBy: encryption.name, wrapped };
    const folder = this.#folderOf(project);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, name);
    this.#refuseErased(project);
    // Whoever was first has written what both use.
    if (existsSync(path)) return this.#read(project, organisation, name);
    writeWhole(path, `${JSON.stringify(file)}\n`, 0o600);
    this.#keep(path, secret);
    return secret;
  }

  #remove(project: string, name: string): void {
    const folder = this.#folderOf(project);
    const path = join(folder, name);
    this.#open.get(path)?.fill(0);
    this.#open.delete(path);
    if (!existsSync(folder)) return;
    rmSync(path, { force: true });
    const handle = openSync(folder, "r");
    fsyncSync(handle);
    closeSync(handle);
  }

  #isOver(project: string, id: ContentKeyId): boolean {
    const path = join(this.#folderOf(project), `${id}.json`);
    let madeAtMs = this.#madeAtMs.get(path);
    if (madeAtMs === undefined) {
      madeAtMs = Date.parse((JSON.parse(readFileSync(path, "utf8")) as KeyFile).createdAt);
      if (this.#madeAtMs.size >= openMax) this.#madeAtMs.clear();
      this.#madeAtMs.set(path, madeAtMs);
    }
    return this.#options.clock.nowMs() - madeAtMs >= keyPeriodMs;
  }

  #keep(path: string, secret: Buffer): void {
    this.#open.set(path, secret);
    const [oldest] = this.#open.keys();
    if (this.#open.size > openMax && oldest !== undefined) this.#open.delete(oldest);
  }

  #folderOf(project: string): string {
    if (!isId("prj", project)) throw new RangeError("no project has such an id");
    return join(this.#options.folder, project);
  }

  #refuseErased(project: string): void {
    if (existsSync(join(this.#folderOf(project), erasedName))) throw new ProjectErased();
  }
}

function contextOf(project: string, id: string): string {
  return `bailiwick content key ${id} of ${project}`;
}
