import type { Command } from "commander";
import type { Subject } from "../plot/index.ts";
import type { Capacity, Experiment, ExperimentResult } from "../sim/index.ts";
import { type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import { memoryNotes } from "./memory-fit.ts";
import { minutes, positive, share, whole } from "./numbers.ts";
import { openPlot, type PlotOption, withPlot } from "./plot.ts";
import { resultFacts } from "./sim-text.ts";
import { printable } from "./table.ts";
import { told, usualModels, type WorkloadOptions, workloadsOf } from "./workload.ts";

interface SimOptions extends JsonOption, PlotOption, WorkloadOptions {
  readonly models: string;
  readonly policy: string;
  readonly slo: string;
  readonly linkGbps?: number;
}

const help = "`bailiwick sim --help` explains the options.";

export function addSimCommands(program: Command, context: CommandContext): void {
  const sim = program.command("sim").description("the pool under virtual time");
  addRun(sim, context);
  addCapacity(sim, context);
}

function addRun(sim: Command, context: CommandContext): void {
  const command = withWorkload(
    sim
      .command("run", { isDefault: true })
      .description("of how many requests a fleet meets every deadline (the default)"),
  );
  withPlot(withRequired(command, "--fleet <fleet>", "the devices, such as 16xH100 or 4xH100+4xH20")).action(
    async (options: SimOptions & { readonly fleet: string }) => {
      const plot = await openPlot(options, context);
      const { courseOf, parseFleet, runExperiment } = await import("../sim/index.ts");
      const { experiment, result } = await told(async () => {
        const fleet = parseFleet(options.fleet);
        const experiment = { ...(await questionOf(options, context)), fleet };
        const notes = await memoryNotes(experiment, "--fleet");
        const result = runExperiment(experiment);
        return { experiment, result: { ...result, notes: [...result.notes, ...notes] } };
      }, help);
      if (options.json === true) context.printer.json(result);
      else context.printer.facts(resultFacts(result));
      if (plot === undefined) return;
      const { courseChart } = await import("../plot/index.ts");
      const subject = subjectOf(options, options.fleet, experiment, result);
      await plot.write(courseChart(courseOf(experiment, result), result.attainmentStrict, subject));
    },
  );
}

function addCapacity(sim: Command, context: CommandContext): void {
  const command = withWorkload(
    sim.command("capacity").description("the fewest devices with which every seed meets its share of deadlines"),
  );
  withPlot(withRequired(command, "--device <device>", "the kind of device, such as H100"))
    .option("--attainment <share>", "share of requests, each of whose tokens is in time", share, 0.99)
    .option("--most <devices>", "more devices are not tried", whole(1, 10_000), 512)
    .action(
      async (options: SimOptions & { readonly device: string; readonly attainment: number; readonly most: number }) => {
        const plot = await openPlot(options, context);
        const { deviceTypeOf, findCapacity } = await import("../sim/index.ts");
        const { attainment, most: devicesMax } = options;
        const { question, found } = await told(async () => {
          const asked = await questionOf(options, context);
          const question = { ...asked, device: deviceTypeOf(options.device), attainment, devicesMax };
          const notes = await memoryNotes({ ...asked, fleet: [{ type: question.device, count: 1 }] }, "--device");
          const found = findCapacity(question);
          const result = { ...found.result, notes: [...found.result.notes, ...notes] };
          return { question, found: { ...found, result } };
        }, help);
        printCapacity(found, options, context);
        if (plot === undefined) return;
        const { capacityChart } = await import("../plot/index.ts");
        const subject = subjectOf(options, question.device.name, question, { policy: options.policy });
        await plot.write(capacityChart({ ...found, attainment }, subject));
      },
    );
}

function printCapacity(found: Capacity, { json }: JsonOption, { printer }: CommandContext): void {
  const { result, tried: _, ...counts } = found;
  if (json === true) return printer.json({ ...counts, ...result });
  return printer.facts([
    ["accelerators", String(counts.accelerators)],
    ["bound", `${counts.bound}; nobody does with fewer, and this is ${counts.ratio.toFixed(2)} times as many`],
    ...resultFacts(result),
  ]);
}

/** What a plot's title says; `policy` with the way in which it was set up, where it can be in several. */
function subjectOf(
  { models }: SimOptions,
  fleet: string,
  { workloads, objective }: Pick<Experiment, "workloads" | "objective">,
  { policy }: Pick<ExperimentResult, "policy">,
): Subject {
  const workload = printable(workloads[0]!.name);
  return { policy, fleet: printable(fleet), workload, models: printable(models), objective };
}

/** As `policyNames` of the simulator: its code is loaded when it runs. */
const policyChoices =
  "ours, dedicated, serverlessllm-fcfs, serverlessllm-sjf, serverlessllm-artifact, muxserve, lru-swap, fifo-swap, " +
  "aegaeon, prism-paper, prism-code";

function withWorkload(command: Command): Command {
  return withJson(
    withRequired(command, "--workload <workload>", "a trace's file, or synthetic:64x0.1 (models x requests a second)"),
  )
    .option("--format <format>", "the trace's: aegaeon, servegen, azure, mooncake; by its first line otherwise")
    .option("--models <models>", "what the workload's models are, in turn, separated by commas", usualModels)
    .option("--policy <policy>", `who decides: ${policyChoices}`, "ours")
    .option("--slo <objective>", "until the first token, and from token to token", "10s/100ms")
    .option("--seeds <count>", "how many times, each with other chance", whole(1, 1_000), 3)
    .option("--minutes <minutes>", "how long requests come, of a generated workload", minutes(100_000), 30)
    .option("--map <mapping>", "how a trace's clients become models")
    .option("--deal-to <models>", "to how many models a trace's clients are dealt", whole(1, 10_000))
    .option("--rate <requests>", "requests a second that ServeGen's clients are scaled to", positive)
    .option("--from <seconds>", "where in ServeGen's trace to begin", whole(0, 10_000_000))
    .option("--link-gbps <rate>", "GB/s between a device and host memory; by its data sheet otherwise", positive);
}

async function questionOf(options: SimOptions, { surroundings, printer }: CommandContext) {
  const { parseObjective, parseShapes, policyNames } = await import("../sim/index.ts");
  if (!policyNames.includes(options.policy)) {
    throw new CommandFailure("invalid_usage", `There is no policy "${options.policy}".`, {
      next: `Name one of ${policyNames.join(", ")}.`,
    });
  }
  const shapes = parseShapes(options.models);
  const objective = parseObjective(options.slo);
  const workloads = await workloadsOf(options);
  return {
    workloads,
    shapes,
    objective,
    policy: options.policy,
    linkGBps: options.linkGbps,
    clock: surroundings.clock,
    progress: (text: string) => {
      if (surroundings.stderr.isTTY === true) printer.note(text);
    },
  };
}
