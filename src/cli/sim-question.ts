import { type Command, Option } from "commander";
import type { Subject } from "../plot/index.ts";
import type { Experiment, ExperimentResult } from "../sim/index.ts";
import { type CommandContext, type JsonOption, withJson, withRequired } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import { minutes, positive, whole } from "./numbers.ts";
import type { PlotOption } from "./plot.ts";
import { printable } from "./table.ts";
import { usualModels, type WorkloadOptions, workloadsOf } from "./workload.ts";

/** The options that `sim run` and `sim capacity` have in common. */
export interface SimOptions extends JsonOption, PlotOption, WorkloadOptions {
  readonly models: string;
  readonly policy: string;
  readonly slo: string;
  readonly linkGbps?: number;
}

/** As `policyNames` of the simulator: its code is loaded when it runs. */
const policyChoices =
  "ours, dedicated, serverlessllm-fcfs, serverlessllm-sjf, serverlessllm-artifact, muxserve, lru-swap, fifo-swap, " +
  "aegaeon, prism-paper, prism-code";

const mappingChoices =
  "how a trace's clients become models: one, or split:8; with `,tenants` each of ServeGen's clients is a tenant";

export function withWorkload(command: Command): Command {
  return withJson(
    withRequired(command, "--workload <workload>", "a trace's file, or synthetic:64x0.1 (models x requests a second)"),
  )
    .option("--format <format>", "the trace's: aegaeon, servegen, azure, mooncake; by its first line otherwise")
    .option("--models <models>", "what the workload's models are, in turn, separated by commas", usualModels)
    .option("--policy <policy>", `who decides: ${policyChoices}`, "ours")
    .option("--slo <objective>", "until the first token, and from token to token", "10s/100ms")
    .option(
      "--seeds <count>",
      "how many times, each with other chance; a recorded trace is replayed once",
      whole(1, 1_000),
      3,
    )
    .option("--minutes <minutes>", "how long requests come, of a generated workload", minutes(10_080), 30)
    .option("--map <mapping>", mappingChoices)
    .option("--deal-to <models>", "to how many models a trace's clients are dealt", whole(1, 10_000))
    .option("--rate <requests>", "requests a second that ServeGen's clients are scaled to", positive)
    .option("--from <seconds>", "where in ServeGen's trace to begin", whole(0, 10_000_000))
    .option("--link-gbps <rate>", "GB/s between a device and host memory; by its data sheet otherwise", positive);
}

/** Refuses an option of the other question: of how many requests a fleet meets, or how few devices meet a share of them. */
export function refuseOption(command: Command, flags: string, message: string, next: string): Command {
  const refused = new Option(flags).hideHelp().argParser(() => {
    throw new CommandFailure("invalid_usage", message, { next });
  });
  return command.addOption(refused);
}

export async function questionOf(options: SimOptions, { surroundings, printer }: CommandContext) {
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

/** What a plot's title says; `policy` with the way in which it was set up, where it can be in several. */
export function subjectOf(
  { models }: SimOptions,
  fleet: string,
  { workloads, objective }: Pick<Experiment, "workloads" | "objective">,
  { policy }: Pick<ExperimentResult, "policy">,
): Subject {
  const workload = printable(workloads[0]!.name);
  return { policy, fleet: printable(fleet), workload, models: printable(models), objective };
}
