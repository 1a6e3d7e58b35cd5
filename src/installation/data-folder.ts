import { mkdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { type GatewayId, type Ids, type InstallationId, isId } from "../base/index.ts";
import { lockFolder } from "./folder-lock.ts";
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
  | { readonly outcome: "taken"; readonly path: string };

interface Identity {
  readonly installation: InstallationId;
  readonly gateway: GatewayId;
}

/**
 * Opens the data folder, making it at the first run. `taken` where another process runs on it. Throws where the folder
 * cannot be written, or its identity file holds something else.
 */
export async function openDataFolder(options: {
  readonly path: string;
  readonly ids: Ids;
  readonly randomBytes: (count: number) => Buffer;
  readonly temporaryFolder: string;
  readonly platform: NodeJS.Platform;
}): Promise<OpenedFolder> {
  // As root PostgreSQL runs as another user, who passes through to its own folder; all else here is closed by itself.
  mkdirSync(options.path, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  const path = realpathSync(options.path);
  const known = readIdentity(path);
  const identity = known ?? { installation: options.ids.mint("inst"), gateway: options.ids.mint("gw") };
  if (known === undefined) writeWhole(join(path, "installation.json"), `${JSON.stringify(identity)}\n`, 0o600);
  // Two first runs at once: whoever's identity stands in the file now is locked by one of them only.
  const { installation, gateway } = readIdentity(path) ?? identity;
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

function readIdentity(path: string): Identity | undefined {
  const text = readIfThere(join(path, "installation.json"));
  if (text === undefined) return undefined;
  const { installation, gateway } = JSON.parse(text) as { installation?: unknown; gateway?: unknown };
  if (typeof installation !== "string" || !isId("inst", installation)) throw new Error(damaged(path));
  if (typeof gateway !== "string" || !isId("gw", gateway)) throw new Error(damaged(path));
  return { installation, gateway };
}

function damaged(path: string): string {
  return `${join(path, "installation.json")} is damaged; restore it from a backup`;
}

function operatorToken(path: string, randomBytes: (count: number) => Buffer): string {
  const file = join(path, "operator-token");
  const found = readIfThere(file)?.trim();
  if (found !== undefined && found.length >= 32) return found;
  const token = `bwo_${randomBytes(32).toString("base64url")}`;
  writeWhole(file, `${token}\n`, 0o600);
  return token;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
