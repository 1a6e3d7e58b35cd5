import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { type GatewayId, type Ids, type InstallationId, isId } from "../base/index.ts";
import { lockFolder } from "./folder-lock.ts";
import { folderMode, makeFolder } from "./make-folder.ts";
import { readIfThere } from "./read-if-there.ts";
import { restoringName } from "./restoring.ts";
import { removeServerNote, type ServerNote, writeServerNote } from "./server-note.ts";
import { writeWhole } from "./write-whole.ts";

/** The data folder of one installation, locked by this process. */
export interface DataFolder {
  readonly path: string;
  readonly installation: InstallationId;
  readonly gateway: GatewayId;
  /** What commands on this machine show to be the operator: whoever can read the file is. */
  readonly operatorToken: string;
  /** Whether this process made the folder. */
  readonly isNew: boolean;
  announce(note: ServerNote): void;
  close(): Promise<void>;
}

export type OpenedFolder =
  | { readonly outcome: "opened"; readonly folder: DataFolder }
  | { readonly outcome: "taken"; readonly path: string }
  /** A restore into it was cut off: it holds a part of an installation. */
  | { readonly outcome: "half-restored"; readonly path: string }
  /** The file that says which installation this is says something else. */
  | { readonly outcome: "damaged"; readonly path: string };

interface Identity {
  readonly installation: InstallationId;
  readonly gateway: GatewayId;
}

/**
 * Opens the data folder, making it at the first run. Throws where the folder cannot be written.
 */
export async function openDataFolder(options: {
  readonly path: string;
  readonly ids: Ids;
  readonly randomBytes: (count: number) => Buffer;
  readonly temporaryFolder: string;
  readonly platform: NodeJS.Platform;
  /** Whether it is opened by the restore that fills it. */
  readonly isRestoring?: boolean;
}): Promise<OpenedFolder> {
  makeFolder(options.path, folderMode());
  const path = realpathSync(options.path);
  if (options.isRestoring !== true && existsSync(join(path, restoringName))) return { outcome: "half-restored", path };
  const known = readIdentity(path);
  if (known === "damaged") return { outcome: "damaged", path: join(path, identityName) };
  const identity = known ?? { installation: options.ids.mint("inst"), gateway: options.ids.mint("gw") };
  if (known === undefined) writeWhole(join(path, identityName), `${JSON.stringify(identity)}\n`, 0o600);
  // Two first runs at once: whoever's identity stands in the file now is locked by one of them only.
  const written = readIdentity(path) ?? identity;
  if (written === "damaged") return { outcome: "damaged", path: join(path, identityName) };
  const { installation, gateway } = written;
  const lock = await lockFolder(installation, options.temporaryFolder, options.platform);
  if (lock === undefined) return { outcome: "taken", path };
  return {
    outcome: "opened",
    folder: {
      path,
      installation,
      gateway,
      operatorToken: operatorToken(path, options.randomBytes),
      isNew: known === undefined,
      announce: (note) => writeServerNote(path, note),
      close: () => {
        removeServerNote(path);
        return lock.release();
      },
    },
  };
}

const identityName = "installation.json";

/** Undefined where the folder has none yet. */
function readIdentity(path: string): Identity | "damaged" | undefined {
  const text = readIfThere(join(path, identityName));
  if (text === undefined) return undefined;
  try {
    const { installation, gateway } = JSON.parse(text) as { installation?: unknown; gateway?: unknown };
    if (typeof installation !== "string" || !isId("inst", installation)) return "damaged";
    if (typeof gateway !== "string" || !isId("gw", gateway)) return "damaged";
    return { installation, gateway };
  } catch {
    // Not JSON, so not what was written here.
    return "damaged";
  }
}

function operatorToken(path: string, randomBytes: (count: number) => Buffer): string {
  const file = join(path, "operator-token");
  const found = readIfThere(file)?.trim();
  if (found !== undefined && found.length >= 32) return found;
  const token = `bwo_${randomBytes(32).toString("base64url")}`;
  writeWhole(file, `${token}\n`, 0o600);
  return token;
}
