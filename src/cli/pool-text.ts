import type { DevicePool, PooledHost, PooledModel, PoolStatus } from "../gateway/control/index.ts";
import type { Line, Tone } from "./line.ts";
import { placeText } from "./place.ts";
import { countText, durationText, shareText, sizeOfText, sizeText } from "./quantities.ts";
import { whatOf } from "./reserved-text.ts";
import { type Column, formatFacts, formatTable, printable } from "./table.ts";

const blank: Line = { text: "" };
/** A host says what it does every second or so. */
const silentMs = 10_000;

/** What goes on in the hosts, for people. `before`: an earlier answer, for what happened since. */
export function poolLines(status: PoolStatus, before?: PoolStatus): readonly Line[] {
  const earlier = new Map(before?.hosts.map((host) => [host.name, host]));
  const hosts = status.hosts.map((host) => hostLines(host, earlier.get(host.name)));
  const upstreams = status.upstreams.length === 0 ? [] : [upstreamLines(status.upstreams)];
  const reserved = status.reserved.length === 0 ? [] : [reservedLines(status.reserved)];
  return [...hosts, ...upstreams, ...reserved].flatMap((lines, at) => (at === 0 ? lines : [blank, ...lines]));
}

function hostLines(host: PooledHost, before: PooledHost | undefined): readonly Line[] {
  const heading = headingOf(host);
  const { pool } = host;
  const faults = faultLines(host);
  if (pool === null) return [heading, { text: "It has not said yet what it does." }, ...faults];
  const facts = linesOf(formatFacts([...deviceFacts(pool, host), ...totalFacts(pool, host, before)]));
  return [heading, ...facts, ...(pool.models.length === 0 ? [] : [blank, ...modelLines(pool.models)]), ...faults];
}

/** What it was to serve and cannot. */
function faultLines({ faults }: PooledHost): readonly Line[] {
  if (faults.length === 0) return [];
  const lines = faults.flatMap(({ model, code, message, next }) => [
    { text: printable(`${model} is not served: ${message} (${code})`), tone: "alarm" as const },
    { text: printable(`  next: ${next}`) },
  ]);
  return [blank, ...lines];
}

function headingOf({ name, site, ready, reason, ageMs }: PooledHost): Line {
  const isSilent = ready && (ageMs ?? 0) >= silentMs;
  const silence = isSilent ? `, but has said nothing for ${durationText(ageMs ?? 0)}` : "";
  const state = ready ? `ready${silence}` : `not ready: ${reason ?? "unknown"}`;
  return { text: printable(`${name}, ${placeText(site)}: ${state}`), tone: ready && !isSilent ? "strong" : "alarm" };
}

type Fact = readonly [string, string];

function deviceFacts({ device, pending }: DevicePool, { ageMs }: PooledHost): readonly Fact[] {
  const { turn, loading } = device;
  return [
    ["device", device.name],
    ["memory", `${sizeOfText(device.usedBytes, device.memoryBytes)} used by models`],
    [
      "turn",
      turn === null
        ? "none"
        : `${turn.model}: ${turn.kind} of ${countText(turn.sequences, "sequence")} for ${durationText(turn.forMs)}`,
    ],
    ["copying", loading === null ? "nothing" : `${loading.model} for ${durationText(loading.forMs)}`],
    ["pending", `${countText(pending, "request")} without a place`],
    ["figures", `${durationText(ageMs ?? 0)} old`],
  ];
}

function totalFacts(pool: DevicePool, host: PooledHost, before: PooledHost | undefined): readonly Fact[] {
  const { totals } = pool;
  const loads = `${countText(totals.loads, "load")} (${sizeText(totals.loadedBytes)}), ${countText(totals.failedLoads, "failed load")}`;
  return [
    ["busy", busyText(host, before)],
    ["in time", inTimeText(totals)],
    [
      "totals",
      `${countText(totals.turns, "turn")}, ${loads}, ${countText(totals.evictions, "eviction")}, ${totals.refused.toLocaleString("en")} refused`,
    ],
  ];
}

function inTimeText({ ended, inTime, firstTokensInTime }: DevicePool["totals"]): string {
  if (ended === 0) return "no request has ended yet";
  const all = `${shareText(inTime, ended, 1)} of ${countText(ended, "request")}`;
  return `${all}, the first token ${shareText(firstTokensInTime, ended, 1)}`;
}

/** Since the host started; and since the answer before, unless it is of another start or of the same telling. */
function busyText(host: PooledHost, before: PooledHost | undefined): string {
  const [busyMs, upForMs] = busyOf(host);
  const sinceStart = `${shareText(busyMs, upForMs, 0)} of the ${durationText(upForMs)} since it started`;
  if (before === undefined) return sinceStart;
  const [busyBeforeMs, upForBeforeMs] = busyOf(before);
  const lastMs = upForMs - upForBeforeMs;
  if (lastMs <= 0 || busyMs < busyBeforeMs) return sinceStart;
  return `${sinceStart}, ${shareText(busyMs - busyBeforeMs, lastMs, 0)} of the last ${durationText(lastMs)}`;
}

function busyOf({ pool, upForMs }: PooledHost): readonly [busyMs: number, upForMs: number] {
  return [pool?.totals.busyMs ?? 0, upForMs ?? 0];
}

/** What changes comes first: a narrow terminal cuts off the rest. */
const modelColumns: readonly Column<PooledModel>[] = [
  { title: "MODEL", text: ({ name }) => name },
  { title: "STATE", text: ({ state }) => state.replace("_", " ") },
  { title: "WAITING", text: ({ waiting }) => String(waiting), align: "right" },
  { title: "RUNNING", text: ({ running }) => String(running), align: "right" },
  { title: "SLACK", text: ({ slackMs }) => (slackMs === null ? "–" : durationText(slackMs)), align: "right" },
  { title: "IDLE", text: ({ idleMs }) => (idleMs === null ? "–" : durationText(idleMs)), align: "right" },
  { title: "SIZE", text: ({ loadedBytes }) => sizeText(loadedBytes), align: "right" },
  { title: "STAYS", text: stayText },
];

/** What the settings say of a model's stay in memory. */
function stayText({ isPinned, keepWarmMs, unloadAfterMs }: PooledModel): string {
  if (isPinned) return "pinned";
  const warm = keepWarmMs === null ? [] : [`warm ${durationText(keepWarmMs)}`];
  const gone = unloadAfterMs === null ? [] : [`gone after ${durationText(unloadAfterMs)}`];
  return [...warm, ...gone].join(", ") || "–";
}

function modelLines(models: readonly PooledModel[]): readonly Line[] {
  const sorted = models.toSorted(
    (a, b) => rankOf(a) - rankOf(b) || a.name.localeCompare(b.name, "en", { numeric: true }),
  );
  return linesOf(formatTable(modelColumns, sorted)).map(({ text }, at) => ({
    text,
    tone: at === 0 ? "faint" : toneOf(sorted[at - 1]!),
  }));
}

/** Those with work first, then those that could begin at once. */
function rankOf(model: PooledModel): number {
  return (hasWork(model) ? 0 : 2) + (model.state === "resident" ? 0 : 1);
}

function hasWork({ waiting, running }: PooledModel): boolean {
  return waiting + running > 0;
}

function toneOf(model: PooledModel): Tone | undefined {
  if (model.state === "failed" || (model.slackMs ?? 0) < 0) return "alarm";
  return hasWork(model) || model.state === "resident" || model.state === "loading" ? undefined : "faint";
}

function upstreamLines(upstreams: PoolStatus["upstreams"]): readonly Line[] {
  const columns: readonly Column<PoolStatus["upstreams"][number]>[] = [
    { title: "UPSTREAM", text: ({ name }) => name },
    { title: "STATE", text: ({ ready }) => (ready ? "ready" : "not ready") },
    { title: "RUNNING", text: ({ running }) => String(running), align: "right" },
  ];
  return linesOf(formatTable(columns, upstreams)).map(({ text }, at) => ({
    text,
    tone: at === 0 ? "faint" : upstreams[at - 1]!.ready ? undefined : "alarm",
  }));
}

/** What is somebody's own: who wonders why a request is refused finds it here. */
function reservedLines(reserved: PoolStatus["reserved"]): readonly Line[] {
  const columns: readonly Column<PoolStatus["reserved"][number]>[] = [
    { title: "RESERVED", text: whatOf },
    { title: "PROJECT", text: ({ project }) => project },
    { title: "UNTIL", text: ({ until }) => until },
  ];
  return linesOf(formatTable(columns, reserved)).map(({ text }, at) => ({
    text,
    tone: at === 0 ? "faint" : undefined,
  }));
}

function linesOf(text: string): readonly Line[] {
  return text
    .trimEnd()
    .split("\n")
    .map((text) => ({ text }));
}
