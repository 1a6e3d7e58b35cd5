/**
 * What processes have used: CPU time and resident memory, read from outside. CPU time counts all threads of a process,
 * ended ones too, at the resolution of a clock tick (10 ms on Linux), so a round must be long against that.
 */
import { execFile, execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";

export interface ProcessUse {
  readonly pid: number;
  readonly parentPid: number;
  readonly cpuMs: number;
  readonly residentBytes: number;
}

/** Every process of this machine that can be read, by pid. */
export async function readProcesses(): Promise<Map<number, ProcessUse>> {
  return process.platform === "linux" ? readProc() : readPs();
}

/** The use of one process; throws where it has ended. */
export async function useOf(pid: number): Promise<ProcessUse> {
  const use = process.platform === "linux" ? readProcStat(pid) : (await readPs()).get(pid);
  if (use === undefined) throw new Error(`process ${pid} has ended`);
  return use;
}

/** The pids of all processes below `pid`, without itself. */
export function descendantsOf(pid: number, processes: ReadonlyMap<number, ProcessUse>): number[] {
  const found: number[] = [];
  const waiting = [pid];
  for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
    for (const child of processes.values()) {
      if (child.parentPid !== parent || child.pid === pid || found.includes(child.pid)) continue;
      found.push(child.pid);
      waiting.push(child.pid);
    }
  }
  return found;
}

/**
 * proc_pid_stat(5): the command (field 2) stands in parentheses and may hold any character, so the fields are counted
 * from the last ")": ppid is field 4, utime 14, stime 15, rss 24 (in pages).
 */
export function parseProcStat(
  text: string,
  { ticksPerSecond, pageBytes }: { readonly ticksPerSecond: number; readonly pageBytes: number },
): ProcessUse {
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .trim()
    .split(" ");
  const field = (number: number): number => {
    const value = Number(fields[number - 3]);
    if (!Number.isFinite(value)) throw new Error(`field ${number} of a process's stat is not a number: ${text}`);
    return value;
  };
  return {
    pid: Number.parseInt(text, 10),
    parentPid: field(4),
    cpuMs: ((field(14) + field(15)) * 1000) / ticksPerSecond,
    residentBytes: field(24) * pageBytes,
  };
}

/** One line of `ps -axo pid=,ppid=,rss=,time=`: resident kilobytes, then [[days-]hours:]minutes:seconds[.hundredths]. */
export function parsePsLine(line: string): ProcessUse {
  const [pid, parentPid, residentKilobytes, time] = line.trim().split(/\s+/);
  const [clock = "", days = "0"] = (time ?? "").split("-").toReversed();
  const seconds = clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0) + Number(days) * 86_400;
  const use = {
    pid: Number(pid),
    parentPid: Number(parentPid),
    cpuMs: seconds * 1000,
    residentBytes: Number(residentKilobytes) * 1024,
  };
  if (!Object.values(use).every((value) => Number.isFinite(value))) throw new Error(`not a line of ps: ${line}`);
  return use;
}

let units: { ticksPerSecond: number; pageBytes: number } | undefined;

function readProcStat(pid: number): ProcessUse | undefined {
  units ??= { ticksPerSecond: systemValue("CLK_TCK"), pageBytes: systemValue("PAGESIZE") };
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, "utf8"), units);
  } catch (error) {
    // A process may end at any moment; every other error is a real one.
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH"))
      return undefined;
    throw error;
  }
}

function readProc(): Map<number, ProcessUse> {
  const processes = new Map<number, ProcessUse>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const use = readProcStat(Number(name));
    if (use !== undefined) processes.set(use.pid, use);
  }
  return processes;
}

async function readPs(): Promise<Map<number, ProcessUse>> {
  const { stdout } = await promisify(execFile)("ps", ["-axo", "pid=,ppid=,rss=,time="]);
  const lines = stdout.split("\n").filter((line) => line.trim() !== "");
  return new Map(lines.map((line) => parsePsLine(line)).map((use) => [use.pid, use]));
}

function systemValue(name: string): number {
  return Number(execFileSync("getconf", [name], { encoding: "utf8" }));
}
