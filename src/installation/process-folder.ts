import { lstatSync, type Dirent, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { opendir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { listen } from "./folder-lock.ts";

/** A folder of one process's own, gone with it: by its own hand, or at another's start. */
interface ProcessFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** In such a folder, a socket that its process listens on for as long as it lives; whatever its id, and whoever has it next. */
const ownerName = "owner";

/** How much of the folder for temporary files a start looks at, and how much it removes there. */
const entriesMax = 10_000;
const removedMax = 100;
/** More than this lies in none of ours. */
const filesMax = 100;

/** Makes a folder whose name begins with `prefix`. */
export async function makeProcessFolder(parent: string, prefix: string): Promise<ProcessFolder> {
  const path = mkdtempSync(join(parent, prefix));
  const unheard = join(path, `${ownerName}.new`);
  const server = await listen(unheard);
  // Under its name it has been listened on from the first moment: who asks there meanwhile takes nobody for gone.
  renameSync(unheard, join(path, ownerName));
  return {
    path,
    async remove() {
      await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/**
 * Removes what processes that were killed have left in a folder that everybody uses. A folder stays where its owner or
 * anybody else in it answers, where no owner ever stood in it, and where it is another user's. Throws where `parent`
 * cannot be read.
 */
export async function removeAbandoned(parent: string, prefix: string): Promise<readonly string[]> {
  const removed: string[] = [];
  let looked = 0;
  for await (const entry of await opendir(parent)) {
    if (++looked > entriesMax || removed.length >= removedMax) break;
    const path = join(parent, entry.name);
    if (!entry.name.startsWith(prefix) || !isOwn(entry, path) || !(await isAbandoned(path))) continue;
    rmSync(path, { recursive: true, force: true });
    removed.push(path);
  }
  return removed;
}

/** Another user's may change under our hands, and is none of ours anyway. */
function isOwn(entry: Dirent, path: string): boolean {
  if (!entry.isDirectory()) return false;
  const { uid } = lstatSync(path, { throwIfNoEntry: false }) ?? {};
  return uid !== undefined && uid === (process.getuid?.() ?? uid);
}

async function isAbandoned(folder: string): Promise<boolean> {
  if ((await answersAt(join(folder, ownerName))) !== false) return false;
  const others = readdirSync(folder).filter((name) => name !== ownerName);
  if (others.length > filesMax) return false;
  // What it had started may live on for a moment, and is asked there whether it does.
  for (const name of others) if ((await answersAt(join(folder, name))) === true) return false;
  return true;
}

/** Whether anybody listens there; undefined: there is no such socket. */
function answersAt(path: string): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (answers: boolean | undefined): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.once("connect", () => done(true));
    // Whatever else is in the way says nothing of who is there.
    socket.once("error", ({ code }: NodeJS.ErrnoException) =>
      done(code === "ECONNREFUSED" ? false : code === "ENOENT" || code === "ENOTSOCK" ? undefined : true),
    );
  });
}
