import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { alive, commandFails, descendants, eventually, type RunningCloud, signal } from "./cloud.ts";
import { control } from "./asking.ts";
import { program } from "./up.ts";

export interface HostToken {
  readonly id: string;
  readonly token: string;
  readonly url: string;
  readonly state: string;
  readonly host: string | null;
}

export interface HostRow {
  readonly id: string;
  readonly site: { readonly name: string; readonly jurisdiction: string | null };
  readonly state: "ready" | "away" | "revoked";
  readonly reason: string | null;
  readonly key: string;
  readonly address: string;
  readonly clockSkewMs: number | null;
  readonly models: readonly string[];
}

/** Another machine of the cloud, as far as this one can be another. */
export interface Machine {
  readonly process: ChildProcess;
  readonly data: string;
  /** What `join --json` printed. */
  readonly host: string;
  readonly site: string;
  readonly address: string;
  readonly isNew: boolean;
  output(): string;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL to it and every process below it. */
  kill(): Promise<void>;
}

export interface JoinOptions {
  readonly data: string;
  readonly url: string;
  readonly token?: string;
  readonly arguments?: readonly string[];
  readonly listen?: string;
  /** Left out: the fake one; null: as the settings in its arguments say. */
  readonly engine?: string | null;
}

export const newToken = (cloud: RunningCloud, site: string, expiresInSeconds = 600): Promise<HostToken> =>
  control<HostToken>(cloud, "POST", "/hosts/tokens", { site, expiresInSeconds });

export const hostsOf = async (cloud: RunningCloud): Promise<readonly HostRow[]> =>
  (await control<{ items: readonly HostRow[] }>(cloud, "GET", "/hosts")).items;

export async function hostIs(
  cloud: RunningCloud,
  host: string,
  state: HostRow["state"],
  withinMs?: number,
): Promise<void> {
  const holds = async (): Promise<boolean> =>
    (await hostsOf(cloud)).some(({ id, state: is }) => id === host && is === state);
  await eventually(`${host} is ${state}`, holds, withinMs);
}

function argumentsOf({
  data,
  url,
  token,
  listen = "127.0.0.1:0",
  engine = "fake",
  arguments: more = [],
}: JoinOptions): readonly string[] {
  const common = ["--listen", listen, "--data", data, "--json", ...(engine === null ? [] : ["--engine", engine])];
  return ["join", url, ...(token === undefined ? [] : ["--token", token]), ...common, ...more];
}

/** Runs `join` until it has said that it is a host. */
export async function startMachine(options: JoinOptions): Promise<Machine> {
  const child = spawn(process.execPath, [program, ...argumentsOf(options)], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let said = "";
  child.stdout.on("data", (part: Buffer) => (said += part.toString()));
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part.toString()));
  // Its last words come after its end.
  let isOver = false;
  child.once("close", () => (isOver = true));
  await eventually("a host", () => said.includes("\n") || isOver);
  if (isOver) throw new Error(`join ended with ${child.exitCode}:\n${output}`);
  const joined = JSON.parse(said) as Pick<Machine, "host" | "site" | "address" | "isNew">;
  return {
    ...joined,
    process: child,
    data: options.data,
    output: () => output,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill("SIGTERM");
      const [code] = (await once(child, "exit")) as [number | null];
      return code;
    },
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const all = [child.pid!, ...(await descendants(child.pid!))];
      for (const pid of all) signal(pid, "SIGKILL");
      await eventually("the machine's end", () => !all.some(alive));
    },
  };
}

export interface JoinError {
  readonly code: string;
  readonly message: string;
  readonly next: string;
}

/** A `join` that is turned away: the error that it printed, having ended with 2. */
export async function joinFails(
  options: JoinOptions,
  environment: Readonly<Record<string, string>> = {},
): Promise<JoinError> {
  const { code, stderr } = await commandFails(argumentsOf(options), environment);
  const line = stderr.split("\n").find((text) => text.startsWith('{"error"'));
  if (code !== 2 || line === undefined) throw new Error(`join ended with ${code}:\n${stderr}`);
  return (JSON.parse(line) as { error: JoinError }).error;
}

/** The key that a machine holds, with its certificate, as PEM. */
export const identityIn = (data: string): string => readFileSync(join(data, "tls", "identity.pem"), "utf8");
