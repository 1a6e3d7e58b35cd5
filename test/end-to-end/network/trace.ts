import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** System calls that reach out or that write, as strace (1) names them; the last ones say where a relative path begins. */
const calls =
  "connect sendto sendmsg sendmmsg open openat openat2 creat mkdir mkdirat mknod mknodat truncate rename renameat " +
  "renameat2 unlink unlinkat link linkat symlink symlinkat rmdir chdir fchdir clone clone3 fork vfork";

/** A command before which this stands is traced with all that it starts, while it stays its caller's own child. */
export function traced(file: string): readonly string[] {
  const options = ["-D", "-f", "-qq", "-y", "--seccomp-bpf", "-s", "0", "-e", "signal=none"];
  return ["strace", ...options, "-e", `trace=${calls.replaceAll(/\w+/g, "?$&").replaceAll(" ", ",")}`, "-o", file];
}

export interface Trace {
  /** "127.0.0.1:80", "[::1]:80", each once. */
  readonly addresses: ReadonlySet<string>;
  /** Sockets on this machine. */
  readonly sockets: ReadonlySet<string>;
  /** Files and folders that were made, opened for writing, renamed or removed, by their absolute paths. */
  readonly written: ReadonlySet<string>;
  /** System calls that were looked at. */
  readonly count: number;
}

const line = /^(\d+) +(?:<\.\.\. )?(\w+)(?: resumed>|\()(.*)$/;
const quoted = /"((?:[^"\\]|\\.)*)"/g;
const forks = new Set(["clone", "clone3", "fork", "vfork"]);

/** Reads what strace has written. Throws where a line's path cannot be told: then nothing would be proven. */
export function readTrace(file: string, startedIn: string): Trace {
  const lines = readFileSync(file, "utf8").split("\n");
  const parents = parentsIn(lines);
  const folders = new Map<string, string>();
  const trace = { addresses: new Set<string>(), sockets: new Set<string>(), written: new Set<string>(), count: 0 };
  for (const text of lines) {
    const [, pid, call, rest] = line.exec(text) ?? [];
    if (pid === undefined || call === undefined || rest === undefined) continue;
    trace.count++;
    const folder = folders.get(pid) ?? folders.get(parents.get(pid) ?? "") ?? startedIn;
    folders.set(pid, folder);
    if (forks.has(call)) continue;
    // Where another process's call came between, its end stands in a line of its own.
    if (call === "chdir" && rest.includes('"')) {
      if (!/ = -1/.test(rest)) folders.set(pid, resolve(folder, firstPath(rest)));
    } else if (call === "chdir" && / = -1/.test(rest))
      throw new Error(`a chdir failed where it cannot be told: ${text}`);
    else if (call === "chdir") continue;
    else if (call === "fchdir") folders.set(pid, /<([^>]*)>/.exec(rest)?.[1] ?? folder);
    else if (/^(connect|send)/.test(call)) noteAddress(rest, trace);
    else if (writes(call, rest)) for (const path of pathsOf(rest, folder)) trace.written.add(path);
  }
  return trace;
}

/** By each process's id: a child may be seen before the call that made it has returned. */
function parentsIn(lines: readonly string[]): ReadonlyMap<string, string> {
  const parents = new Map<string, string>();
  for (const text of lines) {
    const [, pid, call, rest] = line.exec(text) ?? [];
    const child = call !== undefined && forks.has(call) ? / = (\d+)(?:<[^>]*>)?$/.exec(rest!)?.[1] : undefined;
    if (child !== undefined) parents.set(child, pid!);
  }
  return parents;
}

function writes(call: string, rest: string): boolean {
  return !call.startsWith("open") || /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(rest);
}

function firstPath(rest: string): string {
  return unquoted(rest.match(quoted)?.[0] ?? "");
}

/** A path may begin at a folder that is open (`AT_FDCWD</folder>, "path"`), else where the process is. */
function pathsOf(rest: string, folder: string): string[] {
  const found = [];
  for (const [, at, path] of rest.matchAll(/(?:<([^>]*)>, )?("(?:[^"\\]|\\.)*")/g)) {
    found.push(resolve(at ?? folder, unquoted(path!)));
  }
  return found;
}

function unquoted(text: string): string {
  if (text.includes("\\")) throw new Error(`strace wrote a path with an escape: ${text}`);
  return text.slice(1, -1);
}

function noteAddress(rest: string, trace: { addresses: Set<string>; sockets: Set<string> }): void {
  const four = /sa_family=AF_INET, sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)/g;
  const six = /sa_family=AF_INET6, sin6_port=htons\((\d+)\).*?inet_pton\(AF_INET6, "([^"]+)"/g;
  for (const [, port, host] of rest.matchAll(four)) trace.addresses.add(`${host}:${port}`);
  for (const [, port, host] of rest.matchAll(six)) trace.addresses.add(`[${host}]:${port}`);
  for (const [, path] of rest.matchAll(/sa_family=AF_UNIX, sun_path="([^"]+)"/g)) trace.sockets.add(path!);
}
