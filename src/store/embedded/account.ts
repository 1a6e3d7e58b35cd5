import { spawn } from "node:child_process";

/** The operating-system account that PostgreSQL runs as, where it is not the one that this process runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

export interface CommandResult {
  readonly status: number;
  /** The end of what was written on stdout and stderr, at most 8,000 characters. */
  readonly output: string;
}

const outputLimit = 8_000;

/** What children get as environment: nothing of ours, so that no secret and no PG* variable reaches them. */
export const childEnvironment = { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" } as const;

/** The user and group to start a child with; empty where it runs as we do. */
export function identity(account: Account | undefined): { uid?: number; gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid };
}

/** Runs a short command to its end. Rejects where it cannot be started. */
export function runCommand(
  command: string,
  commandArguments: readonly string[],
  account: Account | undefined,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, commandArguments, {
      cwd: "/",
      env: childEnvironment,
      stdio: ["ignore", "pipe", "pipe"],
      ...identity(account),
    });
    let output = "";
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString("utf8")).slice(-outputLimit);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ status: code ?? -1, output: signal === null ? output : signal }));
  });
}

/** The unprivileged account for a process that runs as root: PostgreSQL refuses to run as root itself. */
export async function unprivilegedAccount(): Promise<Account> {
  for (const name of ["postgres", "nobody"]) {
    const [uid, gid] = [await idOf("-u", name), await idOf("-g", name)];
    if (uid !== undefined && gid !== undefined && uid !== 0) return { uid, gid, name };
  }
  throw new Error(
    "PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor a user `nobody`: " +
      "add one, start as a normal user, or give a database by --database-url.",
  );
}

async function idOf(flag: "-u" | "-g", name: string): Promise<number | undefined> {
  const result = await runCommand("id", [flag, name], undefined);
  const value = Number(result.output.trim());
  return result.status === 0 && Number.isInteger(value) ? value : undefined;
}

/** Whether the account may enter this folder. The kernel is asked, as that account: mode bits alone miss ACLs. */
export async function mayEnter(account: Account | undefined, folder: string): Promise<boolean> {
  const result = await runCommand("/bin/sh", ["-c", 'test -x "$1"', "sh", folder], account);
  return result.status === 0;
}

/** Whether the account may run the program. */
export async function mayRun(account: Account | undefined, program: string): Promise<boolean> {
  const result = await runCommand("/bin/sh", ["-c", '"$1" --version', "sh", program], account);
  return result.status === 0;
}
