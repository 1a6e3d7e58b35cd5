import assert from "node:assert/strict";
import { test } from "node:test";
import { read, roomOf, sourceFiles, withoutComments } from "./source.ts";

const files = sourceFiles();
const apart = ["policy", "pool", "journal", "receipt", "ledger"];

test("there are files to look at", () => {
  assert.ok(files.length > 20, `only ${files.length} source files found`);
  assert.ok(files.filter((file) => file.imports.length > 0).length > 10, "no imports were read");
});

test("base imports nothing of ours", () => {
  const crossing = files.filter(({ path }) => roomOf(path) === "base").flatMap(outward);
  assert.deepEqual(crossing, []);
});

test("a folder is entered only through its index.ts", () => {
  const crossing = files.flatMap(outward).filter(({ to }) => to.split("/").length > 2 && !to.endsWith("/index.ts"));
  assert.deepEqual(crossing, []);
});

test("policy, pool, journal, receipt and ledger never import one another or the gateway", () => {
  const crossing = files
    .filter(({ path }) => apart.includes(roomOf(path)))
    .flatMap(outward)
    .filter(({ to }) => [...apart, "gateway", "stages"].includes(roomOf(to)));
  assert.deepEqual(crossing, []);
});

test("pool, policy and log import base only, the simulator pool too, reservations store and tenancy, residency policy and store, books the ledger and its documents, disclosure policy and ledger, invoicing the ledger, clients nothing of a server", () => {
  for (const [room, allowed] of [
    ["pool", ["base"]],
    ["policy", ["base"]],
    ["log", ["base"]],
    ["sim", ["base", "pool"]],
    ["reservations", ["base", "store", "tenancy"]],
    ["residency", ["base", "policy", "store"]],
    ["books", ["base", "invoicing", "ledger", "metering", "residency", "store"]],
    ["disclosure", ["base", "ledger", "policy", "typeface"]],
    ["invoicing", ["base", "ledger", "typeface"]],
    ["focus", ["base", "invoicing", "ledger"]],
    ["meaning", ["base"]],
    ["fetch", ["base", "log", "meaning", "receipt", "verification"]],
  ] as const) {
    const mine = files.filter(({ path }) => roomOf(path) === room);
    assert.ok(mine.length > 5, `${room} was looked at`);
    const crossing = mine.flatMap(outward).filter(({ to }) => !(allowed as readonly string[]).includes(roomOf(to)));
    assert.deepEqual(crossing, []);
  }
});

test("staff, the audit log, stored content, erasures and exits each reach the store, and one another only downwards", () => {
  for (const [room, allowed] of [
    ["staff", ["base", "policy", "store"]],
    ["audit", ["base", "store"]],
    ["contents", ["base", "installation", "store"]],
    ["erasure", ["base", "contents", "receipt", "store"]],
    ["exits", ["base", "store"]],
    ["alerts", ["base", "store"]],
  ] as const) {
    const mine = files.filter(({ path }) => roomOf(path) === room);
    assert.ok(mine.length > 2, `${room} was looked at`);
    const crossing = mine.flatMap(outward).filter(({ to }) => !(allowed as readonly string[]).includes(roomOf(to)));
    assert.deepEqual(crossing, []);
  }
});

test("only the composition root and the command line put rooms together", () => {
  const crossing = files
    .filter(({ path }) => !["main.ts", "boot", "cli"].includes(roomOf(path)))
    .flatMap(outward)
    .filter(({ to }) => ["main.ts", "boot", "cli"].includes(roomOf(to)));
  assert.deepEqual(crossing, []);
});

test("a receipt is verified by code that stands alone", () => {
  const reached = reachableFrom("src/receipt/verify.ts").filter(
    (path) => !path.startsWith("src/base/") && !path.startsWith("src/receipt/"),
  );
  assert.deepEqual(reached, []);
});

test("no file imports itself by a detour", () => {
  const imports = new Map(files.map((file) => [file.path, file.imports]));
  const cycles = files.flatMap(({ path }) => cycleThrough(path, imports));
  assert.deepEqual(cycles, []);
});

test("no folder imports itself by a detour", () => {
  const rooms = new Map<string, string[]>();
  for (const file of files) {
    // Types may point back: they are gone when the code runs.
    const values = valueImports(file.text);
    for (const { from, to } of outward(file)) {
      if (values.some((specifier) => to.endsWith(specifier.replace(/^(\.\.?\/)+/, "")))) {
        rooms.set(roomOf(from), [...(rooms.get(roomOf(from)) ?? []), roomOf(to)]);
      }
    }
  }
  assert.deepEqual(
    [...rooms.keys()].flatMap((room) => cycleThrough(room, rooms)),
    [],
  );
});

test("time, chance, environment and arguments are read in base and main.ts only", () => {
  const banned =
    /\bDate\.now\b|\bnew Date\(\)|\bperformance\b|\bMath\.random\b|\bprocess\.(env|argv|hrtime)\b|\bset(Timeout|Interval)\b|\bgetRandomValues\b|node:timers|node:perf_hooks/;
  const drawn = /import\s*\{[^}]*\brandom[A-Z]\w*[^}]*\}\s*from\s*"node:crypto"/;
  // A host is a program of its own, and its process.ts that program's main.
  const programs = ["src/main.ts", "src/host/process.ts"];
  const found = files
    .filter(({ path }) => roomOf(path) !== "base" && !programs.includes(path))
    .flatMap(({ path, text }) => {
      const code = withoutComments(text);
      const lines = code.split("\n").filter((line) => banned.test(line));
      return [...lines, ...(drawn.exec(code) ?? [])].map((line) => `${path}: ${line.trim()}`);
    });
  assert.deepEqual(found, []);
});

test("each folder's index.ts opens with what it owns", () => {
  const rooms = new Set(files.filter(({ path }) => path.split("/").length > 2).map(({ path }) => roomOf(path)));
  const silent = [...rooms].filter((room) => !/^\/\*\*\n \* \S/.test(read(`src/${room}/index.ts`) ?? ""));
  assert.deepEqual(silent, []);
});

interface Crossing {
  readonly from: string;
  readonly to: string;
}

/** Imports that leave the file's own folder. */
function outward({ path, imports }: { path: string; imports: readonly string[] }): readonly Crossing[] {
  return imports.filter((to) => roomOf(to) !== roomOf(path)).map((to) => ({ from: path, to }));
}

function valueImports(text: string): readonly string[] {
  const statements = withoutComments(text).matchAll(
    /\b(import|export)\s+(type\s)?([^;]*?)\s*from\s*["'](\.[^"']*)["']/g,
  );
  return [...statements]
    .filter(([, , type, names = ""]) => type === undefined && !onlyTypes(names))
    .map((match) => match[4]!);
}

function onlyTypes(names: string): boolean {
  const inner = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1];
  if (inner === undefined) return false;
  const parts = inner.split(",").map((name) => name.trim());
  return parts.filter((name) => name !== "").every((name) => name.startsWith("type "));
}

function reachableFrom(start: string): readonly string[] {
  const imports = new Map(files.map((file) => [file.path, file.imports]));
  const seen = new Set<string>([start]);
  for (const path of seen) for (const next of imports.get(path) ?? []) seen.add(next);
  return [...seen];
}

/** The shortest way from `start` back to itself, as a list of one text; empty where there is none. */
function cycleThrough(start: string, edges: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const at of queue) {
    for (const next of edges.get(at) ?? []) {
      if (next === start) return [wayBack(start, at, cameFrom)];
      if (!cameFrom.has(next)) {
        cameFrom.set(next, at);
        queue.push(next);
      }
    }
  }
  return [];
}

function wayBack(start: string, end: string, cameFrom: ReadonlyMap<string, string>): string {
  const way = [start];
  for (let at: string | undefined = end; at !== undefined && at !== start; at = cameFrom.get(at)) way.unshift(at);
  return [start, ...way].join(" -> ");
}
