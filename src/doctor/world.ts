import { access, constants, readFile, stat, statfs } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import type { Clock } from "../base/index.ts";
import { createCommandRunner, type HubSettings, type RunCommand } from "../catalog/index.ts";

/** The machine as the doctor sees it: everything that it looks at comes through here, so that tests give it others. */
export interface DoctorWorld {
  readonly clock: Clock;
  readonly platform: string;
  readonly architecture: string;
  readonly nodeVersion: string;
  /** undefined on systems without user numbers. */
  readonly userId: number | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly runCommand: RunCommand;
  readonly processors: {
    readonly model: string;
    readonly count: number;
    /** After limits on the process. */ readonly available: number;
  };
  readonly memory: {
    readonly totalBytes: number;
    readonly freeBytes: number;
    /** What a control group allows this process; undefined where it sets no limit. */
    readonly limitBytes: number | undefined;
  };
  /** A small text file; undefined where it cannot be read. */
  readText(path: string): Promise<string | undefined>;
  /** undefined where the folder is not there. */
  folder(
    path: string,
  ): Promise<{ readonly freeBytes: number; readonly mode: number; readonly ownerId: number } | undefined>;
  /** What is at a path: a program is a file that this user may run. */
  fileAt(path: string): Promise<FileKind>;
  /** The version of an installed package; undefined where it is not installed. */
  packageVersion(name: string): Promise<string | undefined>;
  readonly dataFolder: string;
  /** What relative paths start from. */
  readonly currentFolder: string;
  readonly hub: HubSettings;
  /** Whether models come from files only. */
  readonly airGapped?: boolean;
  /** What serves models instead of the engine that comes along; undefined: nothing does. */
  readonly program: ServingProgram | undefined;
  readonly internal: InternalOrganisations;
}

/** Organisations of the operator's own group. */
export interface InternalOrganisations {
  /** `billing.internal`: names or ids. */
  readonly named: readonly string[];
  /** Names and ids of all that there are, as the running cloud says; undefined: none runs, or it does not answer. */
  readonly known: () => Promise<ReadonlySet<string> | undefined>;
}

/** A program that serves models, as the settings name it. */
export interface ServingProgram {
  /** `engine.kind`. */
  readonly kind: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export type FileKind = "program" | "file" | "folder" | "absent";

const mostTextBytes = 4 * 1024 * 1024;

/** This machine. */
export function thisMachine(
  options: Pick<
    DoctorWorld,
    "clock" | "environment" | "dataFolder" | "currentFolder" | "hub" | "airGapped" | "program" | "internal"
  >,
): DoctorWorld {
  const processors = cpus();
  const totalBytes = totalmem();
  const limit = process.constrainedMemory();
  return {
    ...options,
    platform: process.platform,
    architecture: process.arch,
    nodeVersion: process.versions.node,
    userId: process.getuid?.(),
    runCommand: createCommandRunner(options.clock),
    processors: {
      model: processors[0]?.model.trim() ?? "unknown",
      count: processors.length,
      available: availableParallelism(),
    },
    memory: {
      totalBytes,
      freeBytes: freemem(),
      // Without a limit it is 0, or a number beyond any machine.
      limitBytes: limit > 0 && limit < totalBytes ? limit : undefined,
    },
    readText,
    folder: describeFolder,
    fileAt,
    packageVersion,
  };
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).slice(0, mostTextBytes);
  } catch {
    // Whatever the reason, the finding that needed the file says that it is unknown.
    return undefined;
  }
}

async function describeFolder(path: string) {
  try {
    const [{ mode, uid }, { bavail, bsize }] = await Promise.all([stat(path), statfs(path)]);
    return { freeBytes: bavail * bsize, mode, ownerId: uid };
  } catch {
    // Not there, or not for us: its parents are looked at next.
    return undefined;
  }
}

async function fileAt(path: string): Promise<FileKind> {
  try {
    if ((await stat(path)).isDirectory()) return "folder";
  } catch {
    // Not there, or not for us: nothing at that path can be run.
    return "absent";
  }
  return access(path, constants.X_OK).then(
    () => "program",
    () => "file",
  );
}

async function packageVersion(name: string): Promise<string | undefined> {
  const manifest = findManifest(name);
  const content: unknown = manifest === undefined ? undefined : JSON.parse((await readText(manifest)) ?? "{}");
  const version = typeof content === "object" && content !== null && "version" in content ? content.version : undefined;
  return typeof version === "string" ? version : undefined;
}

function findManifest(name: string): string | undefined {
  try {
    return findPackageJSON(name, import.meta.url);
  } catch {
    // Node throws for a package that is not installed.
    return undefined;
  }
}
