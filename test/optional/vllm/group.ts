import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The processes of a process group, on Linux. */
export function processesOf(group: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => groupOf(pid) === group);
}

/** The TCP addresses, as /proc writes them, on which a process group listens: "0100007F" is 127.0.0.1. */
export function listeningAddresses(group: number): ReadonlySet<string> {
  const sockets = new Set(processesOf(group).flatMap(socketsOf));
  const found = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readFileSync(table, "utf8").split("\n").slice(1)) {
      const [, local = "", , state, , , , , , socket = ""] = line.trim().split(/\s+/);
      if (state === "0A" && sockets.has(socket)) found.add(local.split(":")[0]!);
    }
  }
  return found;
}

function groupOf(pid: number): number {
  try {
    // Behind the program's name, which may hold anything: state, parent, group.
    const [, , group] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    return Number(group);
  } catch {
    return 0;
  }
}

function socketsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      const [, socket] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`)) ?? [];
      return socket === undefined ? [] : [socket];
    });
  } catch {
    return [];
  }
}
