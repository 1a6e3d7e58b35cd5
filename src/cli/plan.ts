import { type Command, InvalidArgumentError } from "commander";
import { countries, countryMeant } from "../base/index.ts";
import type { FleetReport, Plan, PlanQuestion, PriceList } from "../plan/index.ts";
import type { DeviceType } from "../pool/index.ts";
import { type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import { minutes, positive, share, whole } from "./numbers.ts";
import type { Column } from "./table.ts";
import {
  given,
  isSynthetic,
  replayNotes,
  told,
  usualModels,
  withoutMeaning,
  type WorkloadOptions,
  workloadsOf,
} from "./workload.ts";
import type { Printer } from "./printer.ts";
import { reportedNotes } from "./reported-notes.ts";
import { millisecondsText } from "./sim-text.ts";
import { reservedDevices, type ReservedOptions, withReserved } from "./reserved-devices.ts";

interface PlanOptions extends JsonOption, WorkloadOptions, ReservedOptions {
  readonly prices: string;
  readonly models?: string;
  readonly slo: string;
  readonly attainment: number;
  readonly excludeOrigin: readonly string[];
  readonly linkGbps?: number;
}

const help =
  "`bailiwick plan --help` explains the options (a usage export needs --format litellm or openai), " +
  "docs/reference/plan.md the files.";

export function addPlanCommand(program: Command, context: CommandContext): void {
  const plan = program
    .command("plan")
    .description("the cheapest devices that keep an objective, the second best, and why");
  withRequired(
    plan,
    "--workload <workload>",
    "a usage export or a trace's file, or synthetic:64x0.1 (models x requests a second)",
  );
  withRequired(plan, "--prices <file>", "what devices cost, and how many can be had: YAML or JSON");
  withReserved(withJson(plan))
    .option(
      "--format <format>",
      "the file's: litellm or openai (usage exports), or a trace's: aegaeon, servegen, azure, mooncake",
    )
    .option(
      "--map <mapping>",
      "of a usage export, which open-weight model takes whose place: gpt-4o=qwen2.5-72b, separated by commas; " +
        "of a trace, how its clients become models",
    )
    .option("--models <models>", "what a workload's or trace's models are, in turn, separated by commas")
    .option("--slo <objective>", "until the first token, and from token to token", "10s/100ms")
    .option("--attainment <share>", "share of requests, each of whose tokens is in time, with every seed", share, 0.99)
    .option(
      "--exclude-origin <countries>",
      "no devices from there, such as US; separated by commas, or again",
      origins,
      [],
    )
    .option("--seeds <count>", "how many times, each with other chance", whole(1, 100), 3)
    .option(
      "--minutes <minutes>",
      "how long a generated workload is; of a usage export, its busiest stretch",
      minutes(10_080),
      30,
    )
    .option("--deal-to <models>", "to how many models a trace's clients are dealt", whole(1, 10_000))
    .option("--rate <requests>", "requests a second that ServeGen's clients are scaled to", positive)
    .option("--from <seconds>", "where in ServeGen's trace to begin", whole(0, 10_000_000))
    .option("--link-gbps <rate>", "GB/s between a device and host memory; by its data sheet otherwise", positive)
    .action(async (options: PlanOptions, command: Command) => {
      const unused = await told(() => unusedNotes(options, command), help);
      context.printer.remarks(unused);
      const made = await told(() => planOf(options, context), help);
      if (made.outcome === "none") context.end(1);
      if (options.json === true) return context.printer.json({ ...made, notes: [...made.notes, ...unused] });
      return print(made, context.printer);
    });
}

/** Of LiteLLM's export the busiest minutes are taken, as they were; of OpenAI's each seed draws times. */
async function unusedNotes(options: PlanOptions, command: Command): Promise<readonly string[]> {
  const format = await usageFormat(options);
  if (format === undefined) return replayNotes(options, command);
  if (format === "openai") return [];
  return withoutMeaning(given(command, ["seeds"]), "each request of the export has a time of its own");
}

async function planOf(options: PlanOptions, { surroundings, printer }: CommandContext): Promise<Plan> {
  const { createSolver, makePlan, readPriceList } = await import("../plan/index.ts");
  const { parseObjective } = await import("../sim/index.ts");
  const objective = parseObjective(options.slo);
  const prices = await readPriceList(options.prices);
  const reserved = await reservedDevices(options, surroundings);
  const asked = await askedOf(options);
  const solver = createSolver();
  try {
    const plan = await makePlan({
      ...asked,
      objective,
      prices,
      reserved,
      attainment: options.attainment,
      excludedOrigins: options.excludeOrigin,
      linkGBps: options.linkGbps,
      solver,
      progress: (text) => {
        if (surroundings.stderr.isTTY === true) printer.note(text);
      },
    });
    const reported = await reportedNotes(devicesIn(plan, prices), [...asked.shapes.values()]);
    return { ...plan, notes: [...plan.notes, ...reported] };
  } finally {
    await solver.close();
  }
}

/** Those that a fleet has, or that are told of beside it. */
function devicesIn(plan: Plan, { offers }: PriceList): readonly DeviceType[] {
  if (plan.outcome === "none") return [];
  const fleets = plan.secondBest === null ? [plan.best] : [plan.best, plan.secondBest];
  const told = new Set([...fleets.flatMap(({ devices }) => devices), ...plan.alternatives].map(({ device }) => device));
  return offers.map(({ type }) => type).filter(({ id }) => told.has(id));
}

/** The workloads, one a seed, and what their models are. */
async function askedOf(options: PlanOptions): Promise<Pick<PlanQuestion, "workloads" | "plannedMs" | "shapes">> {
  const format = await usageFormat(options);
  return format === undefined ? fromWorkload(options) : fromUsage(options, format);
}

/** Undefined: it is no usage export. */
async function usageFormat(options: PlanOptions) {
  const { usageFormats } = await import("../plan/index.ts");
  return isSynthetic(options) ? undefined : usageFormats.find((known) => known === options.format);
}

async function fromUsage(options: PlanOptions, format: "litellm" | "openai") {
  const { parseStandIns, readUsage } = await import("../plan/index.ts");
  for (const [name, value] of [
    ["--models", options.models],
    ["--deal-to", options.dealTo],
    ["--rate", options.rate],
    ["--from", options.from],
  ] as const) {
    if (value !== undefined) {
      throw new CommandFailure("invalid_usage", `${name} does not apply to a usage export.`, { next: "Leave it out." });
    }
  }
  const standIns = options.map === undefined ? new Map() : parseStandIns(options.map);
  return readUsage({ path: options.workload, format, standIns, minutes: options.minutes, seeds: options.seeds });
}

async function fromWorkload(options: PlanOptions) {
  const { isRecorded, modelsOf, parseShapes } = await import("../sim/index.ts");
  const shapes = parseShapes(options.models ?? usualModels);
  const workloads = await workloadsOf(options);
  // Of all seeds together: a model that one of them never asks has its place in the turn all the same.
  const models = modelsOf({ name: "", notes: [], requests: workloads.flatMap(({ requests }) => requests) });
  // A recorded trace is as long as it is; what is generated may end with a quiet minute.
  const plannedMs = (await isRecorded(options)) ? undefined : options.minutes * 60_000;
  return {
    workloads,
    plannedMs,
    shapes: new Map(models.map((model, index) => [model, shapes[index % shapes.length]!])),
  };
}

type Placed = [place: string, fleet: FleetReport];

function print(plan: Plan, printer: Printer): void {
  const { workload, objective, currency } = plan;
  printer.facts([
    [
      "workload",
      `${workload.name}: ${workload.requests} requests, ${workload.models} models, ${workload.seeds} seed(s)`,
    ],
    [
      "objective",
      `${objective.ttftMs} ms, then ${objective.tpotMs} ms a token, for ${percent(plan.attainment)} with every seed`,
    ],
    ...(plan.excluded.length === 0
      ? []
      : [["left out", plan.excluded.map(({ device, origin }) => `${device} (${origin})`).join(", ")] as const]),
    ...(plan.reserved === null ? [] : [["reserved", reservedText(plan.reserved, currency)] as const]),
    ["looked at", `${plan.tried.length} fleets, ${plan.simulations} simulations`],
    ...plan.notes.map((note) => ["note", note] as const),
  ]);
  printer.text("\n");
  if (plan.outcome === "none") {
    printer.text("No fleet keeps the objective:\n");
    for (const reason of plan.reasons) printer.text(`  - ${reason}\n`);
    return;
  }
  const fleets: Placed[] = [["best", plan.best]];
  if (plan.secondBest !== null) fleets.push(["second best", plan.secondBest]);
  printer.table(
    [
      { title: "", text: ([place]) => place },
      { title: "fleet", text: ([, { fleet }]) => fleet },
      { title: `${currency}/h`, text: ([, { pricePerHour }]) => pricePerHour, align: "right" },
      ...reservedColumns(plan),
      { title: `${currency}/M tokens`, text: ([, fleet]) => fleet.pricePerMillionTokens, align: "right" },
      { title: "met", text: ([, { attainmentPerSeed: seeds }]) => percent(Math.min(...seeds)), align: "right" },
      { title: "busy", text: ([, { busyShare }]) => percent(busyShare), align: "right" },
      { title: "first token p99", text: ([, { ttftMs }]) => millisecondsText(ttftMs.p99), align: "right" },
    ],
    fleets,
    "",
  );
  if (plan.secondBest === null) printer.text("No other fleet was found but this one with devices to spare.\n");
  printer.text("\nWhy\n");
  for (const { text } of plan.why) printer.text(`  - ${text}\n`);
  printer.text("\nOne type alone, by templates\n");
  printer.table(
    [
      { title: "device", text: ({ device }) => device },
      { title: "devices", text: ({ devices }) => String(devices ?? "-"), align: "right" },
      { title: `${currency}/h`, text: ({ pricePerHour }) => pricePerHour ?? "-", align: "right" },
      { title: "at least", text: ({ bound }) => String(bound ?? "-"), align: "right" },
    ],
    plan.alternatives,
    "",
  );
  printer.warnings(plan.warnings);
}

/** What has to be had altogether; nothing where nothing is reserved. */
function reservedColumns({ reserved, currency }: Plan): readonly Column<Placed>[] {
  if (reserved === null) return [];
  return [
    { title: "with reserved", text: ([, { withReserved }]) => withReserved?.fleet ?? "" },
    { title: `${currency}/h`, text: ([, { withReserved }]) => withReserved?.pricePerHour ?? "", align: "right" },
  ];
}

function reservedText({ devices, pricePerHour }: NonNullable<Plan["reserved"]>, currency: string): string {
  const counts = devices.map(({ count, name }) => `${count} x ${name}`).join(", ");
  return `${counts}, ${pricePerHour} ${currency} an hour; the workload cannot count on them`;
}

function percent(of: number): string {
  return `${Number((100 * of).toFixed(2))} %`;
}

function origins(text: string, earlier: readonly string[]): readonly string[] {
  const given = text.split(",").map((country) => country.trim());
  const wrong = given.find((country) => !countries.has(country.toUpperCase()));
  if (wrong === undefined) return [...earlier, ...given.map((country) => country.toUpperCase())];
  const meant = countryMeant(wrong);
  const hint = meant === undefined ? "" : ` Did you mean ${meant}?`;
  throw new InvalidArgumentError(
    `"${wrong.slice(0, 60)}" is no country: they have two letters (ISO 3166-1 alpha-2), such as US.${hint}`,
  );
}
