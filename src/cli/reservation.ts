import { type Command, InvalidArgumentError } from "commander";
import type { CreatedReservation, Reservation, ReservationUsageRow } from "../gateway/control/index.ts";
import { isDayOfCalendar } from "./calendar.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { pathOf } from "./control-client.ts";
import { positive, share } from "./numbers.ts";
import { whatOf } from "./reserved-text.ts";
import type { Printer } from "./printer.ts";

type Options = CloudOptions & JsonOption;

interface CreateOptions extends Options {
  readonly project: string;
  readonly device?: string;
  readonly share?: number;
  readonly from?: string;
  readonly until?: string;
  readonly hours?: number;
  readonly note?: string;
}

export function addReservationCommands(program: Command, context: CommandContext): void {
  const description = "reservations: a device, or a share of the pool, that a project has to itself for a time";
  const group = program.command("reservation").description(description);
  addCreate(group, context);
  addList(group, context);
  withJson(
    withCloud(group.command("end <reservation>").description("end a reservation now, or before it begins")),
  ).action(async (reservation: string, options: Options) => {
    const path = pathOf`/reservations/${reservation}/end`;
    show(context.printer, await client(context, options).send<Reservation>("POST", path), options);
  });
  addUsage(group, context);
}

function addCreate(group: Command, context: CommandContext): void {
  const command = withJson(withCloud(group.command("create").description("reserve a device, or a share of the pool")));
  const instants = "2026-12-01 (its first moment, UTC) or 2026-12-01T08:00Z";
  withRequired(command, "--project <project>", "the project that has it to itself")
    .option("--device <device>", "a host, whole, as `bailiwick status` names it")
    .option("--share <share>", "a share of the pool's capacity, such as 0.25, instead of a device", share)
    .option("--from <time>", `when it begins: ${instants}; default: now`, parseInstant)
    .option("--until <time>", "when it ends; this moment is not in it", parseInstant)
    .option("--hours <hours>", "how long it lasts, instead of --until", positive)
    .option("--note <text>", "what it is for")
    .action(async (options: CreateOptions) => {
      const { project, device, share, from, until, hours, note } = options;
      const body = { project, device, share, from, until, hours, note };
      const made = await client(context, options).send<CreatedReservation>("POST", "/reservations", body);
      context.printer.warnings(made.warnings);
      show(context.printer, made, options);
    });
}

function addList(group: Command, context: CommandContext): void {
  const { printer } = context;
  withJson(withCloud(group.command("list").description("list reservations, those that are over too")))
    .option("--active", "those that hold now")
    .option("--project <project>", "those of one project")
    .action(async (options: Options & { active?: boolean; project?: string }) => {
      const query = { project: options.project, active: options.active === true ? "true" : undefined };
      const rows = await client(context, options).list<Reservation>("/reservations", query);
      if (options.json === true) return printer.json(rows);
      return printer.table<Reservation>(
        [
          { title: "ID", text: ({ id }) => id },
          { title: "PROJECT", text: ({ organisation, project }) => `${organisation.name}/${project.name}` },
          { title: "WHAT", text: whatOf },
          { title: "STATE", text: ({ state }) => state },
          { title: "FROM", text: ({ from }) => from },
          { title: "UNTIL", text: ({ until, endedAt }) => endedAt ?? until },
          { title: "NOTE", text: ({ note }) => note ?? "" },
        ],
        rows,
        options.active === true ? "Nothing is reserved now." : "Nothing is reserved.",
      );
    });
}

function addUsage(group: Command, context: CommandContext): void {
  const { printer } = context;
  const description = "the hours of each reservation between two days, as far as these are over";
  const command = withJson(withCloud(group.command("usage").description(description)));
  command
    .option("--from <day>", "from this day on (UTC); default: the first of the month of --to")
    .option("--to <day>", "up to this day (UTC), included; default: today")
    .action(async (options: Options & { from?: string; to?: string }) => {
      const today = dayOf(context.surroundings.clock.nowMs());
      // A day to come that is asked for alone is that day: nothing of it is used yet.
      const { to = latest(options.from ?? today, today) } = options;
      const { from = firstOfMonth(isDayOfCalendar(to) ? to : today) } = options;
      const rows = await client(context, options).list<ReservationUsageRow>("/reservations/usage", { from, to });
      if (options.json === true) return printer.json(rows);
      // What the hours cost will be a column here once reservations have prices.
      return printer.table<ReservationUsageRow>(
        [
          { title: "RESERVATION", text: ({ reservation }) => reservation },
          { title: "PROJECT", text: ({ organisation, project }) => `${organisation}/${project}` },
          { title: "WHAT", text: whatOf },
          { title: "HOURS", text: ({ hours }) => hours, align: "right" },
        ],
        rows,
        `Nothing was reserved from ${from} to ${to}.`,
      );
    });
}

function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

function latest(day: string, another: string): string {
  return isDayOfCalendar(day) && day > another ? day : another;
}

function firstOfMonth(day: string): string {
  return `${day.slice(0, 7)}-01`;
}

function show(printer: Printer, reservation: Reservation, { json }: JsonOption): void {
  if (json === true) return printer.json(reservation);
  const { id, organisation, project, state, from, until, endedAt, note } = reservation;
  return printer.facts([
    ["id", id],
    ["project", `${organisation.name}/${project.name}`],
    ["what", whatOf(reservation)],
    ["state", state],
    ["from", from],
    ["until", until],
    ...(endedAt === null ? [] : [["ended", endedAt] as const]),
    ...(note === null ? [] : [["note", note] as const]),
  ]);
}

/** A day is its first moment: reservations that follow one another share no moment. */
export function parseInstant(text: string): string {
  const atMs = Date.parse(text);
  const isWritten = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}.*(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  if (isWritten && isDayOfCalendar(text) && !Number.isNaN(atMs)) return new Date(atMs).toISOString();
  throw new InvalidArgumentError("It must be a day (2026-12-01) or an instant with its zone (2026-12-01T08:00Z).");
}
