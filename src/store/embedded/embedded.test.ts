import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { Client } from "pg";
import { sleep, systemClock } from "../../base/index.ts";
import { mayRun, unprivilegedAccount } from "./account.ts";
import { findBinaries, runnableBinaries } from "./binaries.ts";
import { type EmbeddedOptions, type EmbeddedPostgres, type PostgresState, startEmbeddedPostgres } from "./index.ts";
import { makeSocketFolder } from "./placement.ts";
import { readPostmasterFile } from "./stale.ts";

const isRoot = process.getuid?.() === 0;
const onlyAsRoot = { skip: isRoot ? false : "needs root" };
const scratch: string[] = [];

/** A folder that the database's account may enter, as a data folder under /srv or a home would be. */
async function folder(mode = 0o711): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "bailiwick-store-"));
  await chmod(path, mode);
  scratch.push(path);
  return path;
}

const running: EmbeddedPostgres[] = [];

async function bringUp(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres(options);
  running.push(postgres);
  return postgres;
}

after(async () => {
  // A test that failed half-way leaves its PostgreSQL running; stopping one twice changes nothing.
  for (const postgres of running) await postgres.stop();
  for (const path of scratch) await rm(path, { recursive: true, force: true });
});

function options(dataFolder: string, more: Partial<EmbeddedOptions> = {}): EmbeddedOptions {
  return {
    dataFolder,
    installation: "inst_TEST",
    clock: systemClock,
    randomBytes: (count) => randomBytes(count),
    log: () => {},
    socketParents: [tmpdir(), "/tmp"],
    systemFolder: join(dataFolder, "unused-system-folder"),
    ...more,
  };
}

async function ask(postgres: Pick<EmbeddedPostgres, "connection">, statement: string): Promise<string> {
  const client = new Client({ ...postgres.connection, ssl: false });
  client.on("error", () => {}); // The server may be killed under it; the query then rejects.
  await client.connect();
  try {
    const result = await client.query<{ value: string }>(statement);
    return result.rows[0]?.value ?? "";
  } finally {
    await client.end();
  }
}

/** A dead process that nobody has waited for counts as gone: some containers' first process never waits. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const startMs = systemClock.monotonicMs();
  while (!(await condition())) {
    assert.ok(systemClock.monotonicMs() - startMs < 60_000, `waited in vain: ${what}`);
    await sleep(systemClock, 20);
  }
}

test("the first start makes a cluster, the next ones find it; nothing is left behind", async () => {
  const data = await folder();
  const first = await bringUp(options(data));
  assert.equal(first.made, true);
  await ask(first, "CREATE TABLE kept AS SELECT 'still here'::text AS value");
  assert.equal(await ask(first, "SELECT setting AS value FROM pg_settings WHERE name = 'listen_addresses'"), "");
  assert.equal(await ask(first, "SELECT current_setting('fsync') AS value"), "on");
  assert.equal(await ask(first, "SELECT 'Ä' < 'z' AS value").then(String), "false");
  await assert.rejects(ask({ connection: { ...first.connection, password: "wrong" } }, "SELECT 1"), { code: "28P01" });
  assert.equal((await stat(join(data, "postgres-password"))).mode & 0o777, 0o600);
  assert.equal((await stat(first.connection.host)).mode & 0o777, 0o700);
  const pid = (await readPostmasterFile(first.cluster))?.pid ?? 0;
  assert.ok(isRunning(pid));
  assert.equal(getPriority(pid), Math.min(19, getPriority() + 5), "it gives way to who answers requests");
  await first.stop();
  assert.equal(first.state().phase, "stopped");
  assert.equal(isRunning(pid), false);
  assert.equal(existsSync(first.connection.host), false);

  const second = await bringUp(options(data));
  assert.equal(second.made, false);
  assert.equal(await ask(second, "SELECT value FROM kept"), "still here");
  await second.stop();
});

test("a stop does not wait for a client that holds a transaction open", async () => {
  const data = await folder();
  const postgres = await bringUp(options(data));
  const client = new Client({ ...postgres.connection, ssl: false });
  client.on("error", () => {});
  await client.connect();
  await client.query("BEGIN; CREATE TABLE half (value text)");
  const startMs = systemClock.monotonicMs();
  await postgres.stop();
  assert.ok(systemClock.monotonicMs() - startMs < 9_000, "the fast shutdown was enough");
});

test("a PostgreSQL that is killed is started again, at the same address", async () => {
  const data = await folder();
  const states: PostgresState["phase"][] = [];
  const postgres = await bringUp(options(data, { onState: (state) => states.push(state.phase) }));
  await ask(postgres, "CREATE TABLE kept AS SELECT 'committed'::text AS value");
  for (let round = 1; round <= 2; round++) {
    process.kill((await readPostmasterFile(postgres.cluster))?.pid ?? 0, "SIGKILL");
    await until("a restart", () => states.filter((phase) => phase === "ready").length === round + 1);
    assert.equal(await ask(postgres, "SELECT value FROM kept"), "committed");
  }
  assert.deepEqual(states, ["ready", "restarting", "ready", "restarting", "ready"]);
  await postgres.stop();
});

test("stopping during a pause before a restart ends it", async () => {
  const data = await folder();
  const phases: string[] = [];
  const postgres = await bringUp(options(data, { onState: (state) => phases.push(state.phase) }));
  const pid = (await readPostmasterFile(postgres.cluster))?.pid ?? 0;
  process.kill(pid, "SIGKILL");
  await until("the crash is seen", () => phases.includes("restarting"));
  await postgres.stop();
  assert.equal(phases.at(-1), "stopped");
  assert.equal(isRunning((await readPostmasterFile(postgres.cluster))?.pid ?? 0), false);
});

/** Another Node process that brings PostgreSQL up on a data folder, and says where. */
async function startElsewhere(
  dataFolder: string,
  identity: { uid?: number; gid?: number } = {},
): Promise<{ child: ChildProcessWithoutNullStreams; said: { pid: number; uid: number; cluster: string } }> {
  const code = `
    import { randomBytes } from "node:crypto";
    import { readFileSync, statSync } from "node:fs";
    import { startEmbeddedPostgres } from ${JSON.stringify(new URL("index.ts", import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL("../../base/index.ts", import.meta.url).href)};
    const dataFolder = ${JSON.stringify(dataFolder)};
    const postgres = await startEmbeddedPostgres({
      dataFolder, installation: "inst_TEST", clock: systemClock, randomBytes, log: () => {},
      socketParents: [${JSON.stringify(tmpdir())}, "/tmp"], systemFolder: dataFolder + "/system",
    });
    const pid = Number(readFileSync(postgres.cluster + "/postmaster.pid", "utf8").split("\\n")[0]);
    console.log(JSON.stringify({ pid, uid: statSync(postgres.cluster).uid, cluster: postgres.cluster }));
    process.stdin.on("end", () => void postgres.stop()).resume();`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], { cwd: "/", ...identity });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, said: JSON.parse(line) as { pid: number; uid: number; cluster: string } };
  }
  throw new Error(`it ended without a word: ${errors}`);
}

/** Ids of all processes, PostgreSQL's and their wrapper, that have to do with a cluster. */
async function processesOf(cluster: string): Promise<number[]> {
  const pids = (await readdir("/proc")).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  return pids.filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return isRunning(pid) && (words.includes(cluster) || readlinkSync(`/proc/${pid}/cwd`) === cluster);
    } catch {
      return false; // It ended while we looked.
    }
  });
}

test("kill -9 of the parent leaves no process, and the next start finds everything", async () => {
  const data = await folder();
  const { child, said } = await startElsewhere(data);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  await until("PostgreSQL notices", () => !isRunning(said.pid));
  if (process.platform === "linux") {
    await until("the wrapper ends too", async () => (await processesOf(said.cluster)).length === 0);
  }
  const socketFolder = (await readFile(join(data, "postgres.socket"), "utf8")).trim();
  const again = await bringUp(options(data));
  assert.equal(again.made, false);
  assert.equal(existsSync(socketFolder), false, "the killed run's socket folder is cleared away");
  assert.equal(await ask(again, "SELECT 'well' AS value"), "well");
  await again.stop();
});

test("a postmaster whose wrapper was killed as well is stopped by the next start", async () => {
  const data = await folder();
  const { child, said } = await startElsewhere(data);
  if (process.platform === "linux") {
    // The shells first, so that nobody is left to tell PostgreSQL; the stopped parent cannot restart it meanwhile.
    child.kill("SIGSTOP");
    for (const pid of await processesOf(said.cluster)) {
      if (readlinkSync(`/proc/${pid}/exe`).includes("postgres")) continue;
      process.kill(pid, "SIGKILL");
    }
  }
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  if (process.platform === "linux") assert.ok(isRunning(said.pid), "an orphan is left to be found");
  const messages: string[] = [];
  const again = await bringUp(options(data, { log: (_level, message) => messages.push(message) }));
  assert.equal(isRunning(said.pid), false);
  if (process.platform === "linux") assert.ok(messages.some((message) => message.includes("stopped fast")));
  assert.equal(await ask(again, "SELECT 'well' AS value"), "well");
  await again.stop();
});

test("a stale file with another program's number stops nobody and nothing", async () => {
  const data = await folder();
  const first = await bringUp(options(data));
  const text = await readFile(join(first.cluster, "postmaster.pid"), "utf8");
  await first.stop();
  const bystander = spawn("sleep", ["600"], { stdio: "ignore" });
  try {
    const path = join(first.cluster, "postmaster.pid");
    await writeFile(path, text.replace(/^\d+/, String(bystander.pid)));
    const owner = await stat(first.cluster);
    await chown(path, owner.uid, owner.gid);
    const second = await bringUp(options(data));
    assert.equal(await ask(second, "SELECT 'well' AS value"), "well");
    assert.equal(bystander.exitCode ?? bystander.signalCode, null);
    await second.stop();
  } finally {
    bystander.kill("SIGKILL");
  }
});

test("an initdb that was cut off starts over; another major version's cluster is refused", async () => {
  const data = await folder();
  await mkdir(join(data, "postgres.new"));
  await writeFile(join(data, "postgres.new", "PG_VERSION"), "18\n");
  const postgres = await bringUp(options(data));
  assert.equal(await ask(postgres, "SELECT 'well' AS value"), "well");
  await postgres.stop();
  await writeFile(join(postgres.cluster, "PG_VERSION"), "17\n");
  await assert.rejects(bringUp(options(data)), /made by PostgreSQL 17/);
  await writeFile(join(postgres.cluster, "PG_VERSION"), "18\n");
  await rm(join(data, "postgres-password"));
  await assert.rejects(bringUp(options(data)), /password is missing/);
});

test("a PostgreSQL that cannot start says why, and leaves no socket folder", async () => {
  const data = await folder();
  const postgres = await bringUp(options(data));
  await postgres.stop();
  await writeFile(join(postgres.cluster, "postgresql.conf"), "shared_buffers = 'a lot'\n");
  await assert.rejects(bringUp(options(data)), /shared_buffers/);
  const socketFolder = (await readFile(join(data, "postgres.socket"), "utf8")).trim();
  assert.equal(existsSync(socketFolder), false);
});

test("a socket's folder must be short: a long parent is passed over", async () => {
  const parent = join(await folder(), "x".repeat(100));
  await mkdir(parent);
  const made = await makeSocketFolder({
    parents: [parent, "/nowhere", "/tmp"],
    account: undefined,
    make: (prefix) => Promise.resolve(`${prefix}made`),
  });
  assert.equal(made, "/tmp/bailiwick-made");
});

test("binaries whose install script did not run get their links", async () => {
  const found = await findBinaries(process.platform, process.arch);
  const copy = join(await folder(), "native");
  await cp(found.folder, copy, { recursive: true, filter: (path) => !/\.so(\.\d+)?$/.test(path) || !isLink(path) });
  const binaries = await runnableBinaries({ ...found, folder: copy }, undefined, join(copy, "..", "copies"));
  assert.equal(binaries.copied, false);
  assert.equal(binaries.folder, copy);
});

function isLink(path: string): boolean {
  try {
    readlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

test(
  "as root: a data folder of root's alone lets the database's group through, and nobody else",
  onlyAsRoot,
  async () => {
    const data = await folder(0o700);
    const postgres = await bringUp(options(data));
    assert.equal(postgres.cluster, join(data, "postgres"));
    const { uid, gid, mode } = await stat(data);
    assert.deepEqual([uid, gid, mode & 0o777], [0, (await unprivilegedAccount()).gid, 0o710]);
    await postgres.stop();
  },
);

test(
  "as root: below a folder that only root may enter a pointer stays, the cluster lies outside",
  onlyAsRoot,
  async () => {
    const data = join(await folder(0o700), "data");
    await mkdir(data, { mode: 0o700 });
    const systemFolder = await folder();
    const messages: string[] = [];
    const log = (_level: string, message: string): unknown => messages.push(message);
    const first = await bringUp(options(data, { systemFolder, log }));
    assert.equal(first.cluster, join(systemFolder, "inst_TEST", "postgres"));
    assert.equal((await readFile(join(data, "postgres.location"), "utf8")).trim(), first.cluster);
    assert.ok(messages.some((message) => message.includes("refuses root")));
    await ask(first, "CREATE TABLE kept AS SELECT 'outside'::text AS value");

    const copied = `${data}-copy`;
    scratch.push(copied);
    await cp(data, copied, { recursive: true });
    await assert.rejects(bringUp(options(copied, { systemFolder })), /looks like a copy/);
    assert.equal(await ask(first, "SELECT value FROM kept"), "outside", "the first one was not stopped");
    await first.stop();

    const moved = `${data}-moved`;
    scratch.push(moved);
    await rm(copied, { recursive: true });
    await rename(data, moved);
    const second = await bringUp(options(moved, { systemFolder }));
    assert.equal(await ask(second, "SELECT value FROM kept"), "outside");
    await second.stop();
  },
);

test("as root: binaries under a folder that only root may enter are copied", onlyAsRoot, async () => {
  const found = await findBinaries(process.platform, process.arch);
  const hidden = join(await folder(0o700), "native");
  await cp(found.folder, hidden, { recursive: true, verbatimSymlinks: true });
  const copies = join(await folder(), "binaries");
  const account = await unprivilegedAccount();
  const first = await runnableBinaries({ ...found, folder: hidden }, account, copies);
  assert.equal(first.copied, true);
  assert.equal(await mayRun(account, join(first.folder, "bin", "initdb")), true);
  assert.deepEqual(await readdir(copies), [`postgresql-${found.version}`]);
  const again = await runnableBinaries({ ...found, folder: hidden }, account, copies);
  assert.equal(again.folder, first.folder);
});

test("as a normal user PostgreSQL runs as that user; root then runs it as its owner", onlyAsRoot, async (context) => {
  const nobody = { uid: 65_534, gid: 65_534 };
  const sources = { ...nobody, name: "nobody" };
  if (!(await mayRun(sources, process.execPath))) return context.skip("this user cannot run Node here");
  const data = await folder(0o700);
  await chown(data, nobody.uid, nobody.gid);
  const { child, said } = await startElsewhere(data, nobody);
  assert.equal(said.uid, nobody.uid);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.stdin.end();
  await ended;
  assert.equal(isRunning(said.pid), false);
  const asRoot = await bringUp(options(data));
  assert.equal(await ask(asRoot, "SELECT 'well' AS value"), "well");
  await asRoot.stop();
  assert.equal((await stat(asRoot.cluster)).uid, nobody.uid);
});
