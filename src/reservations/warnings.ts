import { sql } from "kysely";
import type { ProjectId } from "../base/index.ts";
import { heldPeriod, overlap, type Period } from "./metering.ts";
import { agreedOf, holdsIn, type Reader, reservationRows, type ReservationRow } from "./rows.ts";
import { type Held, type Serving, type ShutOut, shutOuts } from "./shut-out.ts";
import { isoOf, nameOf } from "./told.ts";
import { peakOf, roundShare } from "./vacancy.ts";

/** Where less of the pool than this is left to those who have reserved nothing, whoever reserves is told. */
const leastLeft = 0.25;

/** Rows that are looked at to tell what else is reserved. */
const rowsCompared = 1_000;
const timesTold = 5;
const namesTold = 10;

/** Where models can be had, and where projects may be that policy does not permit everywhere. */
interface Offered {
  readonly serving: Serving;
  readonly permitted: Serving;
}

/** What a reservation that was made means for everybody else, in sentences; none where they keep enough. */
export async function warningsOf(db: Reader, made: ReservationRow, { serving, permitted }: Offered): Promise<string[]> {
  const period = heldPeriod(agreedOf(made));
  const rows = await reservationRows(db).where(holdsIn(period)).orderBy("startsAt").limit(rowsCompared).execute();
  const held = rows.flatMap((row) =>
    row.device === null ? [] : [{ ...heldPeriod(agreedOf(row)), device: row.device, holder: row.project }],
  );
  const times = shutOuts(period, held, made.device === null ? serving : modelsOf(made.device, serving));
  const told = times.slice(0, timesTold).map((time) => shutOutText(db, time, period, rows));
  const untold = Math.max(0, times.length - timesTold);
  return [
    ...(await Promise.all(told)),
    ...(untold === 0 ? [] : [`So it is at ${untold} later times.`]),
    ...(made.device === null ? [] : await nowherePermitted(db, period, held, modelsOf(made.device, permitted), rows)),
    ...(made.share === null ? [] : littleLeft(rows, period)),
  ];
}

/** The same, as if the models of one device were all that there are. */
function modelsOf(device: string, { devices, elsewhere }: Serving): Serving {
  const own = new Set(devices.find(({ name }) => name === device)?.models);
  return {
    devices: devices.map(({ name, models }) => ({ name, models: models.filter((model) => own.has(model)) })),
    elsewhere,
  };
}

/** Who has which models then, and who has them no more. */
async function shutOutText(
  db: Reader,
  time: ShutOut,
  period: Period,
  rows: readonly ReservationRow[],
): Promise<string> {
  const when = whenText(time, period);
  const names = new Map(rows.map((row) => [row.project, nameOf(row)]));
  const holders = time.holders.map((holder) => names.get(holder)!);
  const left = await leftOut(db, time, rows);
  const whose = left === "" ? ": what any other project asks for" : `. Without a device are ${left}: what they ask for`;
  return (
    `${when} every device that serves ${listText(time.models)} is reserved, for ${listText(holders)}${whose} is refused, ` +
    `except batch, which may use what is left idle.`
  );
}

function whenText(time: Period, period: Period): string {
  const isWhole = time.fromMs === period.fromMs && time.untilMs === period.untilMs;
  return isWhole ? "While it holds," : `From ${isoOf(time.fromMs)} until ${isoOf(time.untilMs)}`;
}

/** Projects that policy permits at devices only that are somebody's own then, whatever is free elsewhere. */
async function nowherePermitted(
  db: Reader,
  period: Period,
  held: readonly Held[],
  permitted: Serving,
  rows: readonly ReservationRow[],
): Promise<readonly string[]> {
  const names = new Map(rows.map((row) => [row.project, nameOf(row)]));
  const told: string[] = [];
  for (const time of shutOuts(period, held, permitted).slice(0, timesTold)) {
    const left = time.models.filter((project) => !time.holders.some((holder) => holder === project));
    if (left.length === 0) continue;
    const found = await projectsNamed(db)
      .where("projects.id", "in", left as ProjectId[])
      .execute();
    const holders = time.holders.map((holder) => names.get(holder)!);
    told.push(
      `${whenText(time, period)} every device at which policy permits ${listText(found.map(nameOf))} is reserved, for ` +
        `${listText(holders)}: what they ask for is refused, except batch, which may use what is left idle.`,
    );
  }
  return told;
}

function projectsNamed(db: Reader) {
  return db
    .selectFrom("projects")
    .innerJoin("organisations", "organisations.id", "projects.organisation")
    .select(["projects.name as projectName", "organisations.name as organisationName"])
    .orderBy("organisations.name")
    .orderBy("projects.name");
}

/** Who has no device then, those that have a share first: a share of no device is nothing. */
async function leftOut(db: Reader, time: ShutOut, rows: readonly ReservationRow[]): Promise<string> {
  const isSharing = (row: ReservationRow): boolean => row.share !== null && overlap(heldPeriod(agreedOf(row)), time);
  const sharing = rows.filter((row) => isSharing(row) && !time.holders.includes(row.project));
  const shares = sharing.map((row) => `${nameOf(row)} (with ${Number(row.share)} of the pool)`);
  const others = await projectsNamed(db)
    .select(sql<string>`count(*) OVER ()`.as("all"))
    .where("projects.id", "not in", [...time.holders, ...sharing.map(({ project }) => project)])
    .limit(namesTold)
    .execute();
  const more = Number(others[0]?.all ?? 0) - others.length;
  return listText([...shares, ...others.map(nameOf)], more);
}

/** Shares leave everybody else a part; it may be too little to be of use. */
function littleLeft(rows: readonly ReservationRow[], period: Period): readonly string[] {
  const shares = rows.flatMap((row) =>
    row.share === null ? [] : [{ ...heldPeriod(agreedOf(row)), share: Number(row.share), name: nameOf(row) }],
  );
  const { atMs, share, holders } = peakOf(shares, period);
  const left = roundShare(1 - share);
  if (left >= leastLeft) return [];
  const names = [...new Set(holders.map(({ name }) => name))];
  return [
    `At ${isoOf(atMs)} ${share} of the pool is reserved, for ${listText(names)}: all other projects have the ${left} that ` +
      `is left, and are refused what has no room in it.`,
  ];
}

/** "a, b and c", or "a, b and 3 more". */
function listText(names: readonly string[], more = 0): string {
  const told = names.slice(0, namesTold);
  const untold = more + names.length - told.length;
  const parts = untold === 0 ? told : [...told, `${untold} more`];
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)!}`;
}
