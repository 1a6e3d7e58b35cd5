import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { run, type Ran } from "../../src/cli/testing.ts";
import { ask } from "./asking.ts";
import { eventually, pause, type RunningCloud } from "./cloud.ts";
import { program } from "./up.ts";

/** What the tests of the transparency log share: the command line in this process, a witness, receipts with their files. */

export interface AboutLog {
  readonly origin: string;
  readonly keys: readonly string[];
  readonly keyStatement: number;
  readonly ended: readonly string[];
}

export async function aboutLog({ url }: Pick<RunningCloud, "url">): Promise<AboutLog> {
  return (await (await fetch(`${url}/.well-known/bailiwick/log`)).json()) as AboutLog;
}

/** The real command line, in this process: its verdict as JSON, and its exit code. */
export async function judged(
  ...argv: readonly string[]
): Promise<{ readonly code: number; readonly reason: string } & Record<string, unknown>> {
  const ran: Ran = await run([...argv, "--json"], tmpdir());
  if (ran.stdout === "") throw new Error(ran.stderr);
  return { ...(JSON.parse(ran.stdout) as { reason: string }), code: ran.code };
}

/** A receipt with the files that `receipt get` saves. */
export interface Kept {
  readonly id: string;
  readonly receipt: string;
  readonly proof: string;
  readonly keyStatement: string;
  readonly keys: string;
  readonly digestKey: string;
}

export async function keep(cloud: RunningCloud, key: string, id: string, to: string): Promise<Kept> {
  const folder = join(to, id);
  const ran = await run(["receipt", "get", id, "--url", cloud.url, "--to", folder, "--json"], to, {
    BAILIWICK_KEY: key,
  });
  if (ran.code !== 0) throw new Error(ran.stderr);
  return { id, ...(JSON.parse(ran.stdout) as Omit<Kept, "id">) };
}

export async function receiptIdOf(cloud: RunningCloud, key: string, content?: string): Promise<string> {
  const seen = await ask({ url: cloud.url, key, ...(content === undefined ? {} : { content }) });
  if (seen.status !== 200) throw new Error(`${seen.status}: ${seen.text}`);
  return String(seen.headers["bailiwick-receipt"]);
}

/** How long after an answer its receipt's proof can be had. */
export async function proofOf(
  { url }: Pick<RunningCloud, "url">,
  key: string,
  id: string,
): Promise<{ readonly proof: string; readonly afterMs: number }> {
  const startedMs = performance.now();
  for (;;) {
    const got = await fetch(`${url}/v1/receipts/${id}/proof`, { headers: { authorization: `Bearer ${key}` } });
    const proof = await got.text();
    if (got.status === 200) return { proof, afterMs: performance.now() - startedMs };
    if (got.status !== 404 || got.headers.get("retry-after") === null) throw new Error(`${got.status}: ${proof}`);
    await pause(20);
  }
}

export interface RunningWitness {
  readonly key: string;
  readonly url: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/** An auditor's witness as a program of its own. */
export async function startWitness(data: string, logKeys: readonly string[]): Promise<RunningWitness> {
  const args = ["witness", "--listen", "127.0.0.1:0", "--data", data, "--log", ...logKeys];
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (part: Buffer) => (stdout += part.toString()));
  child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
  await eventually("the witness", () => child.exitCode !== null || (/\n/.test(stdout) && / at http/.test(stderr)));
  const url = / at (http:\S+)/.exec(stderr)?.[1];
  if (url === undefined) throw new Error(`the witness ended: ${stderr}`);
  return {
    key: stdout.trim(),
    url,
    process: child,
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
