import type { Command } from "commander";
import { type CommandContext, withRequired } from "./context.ts";
import { memoryNotes } from "./memory-fit.ts";
import { reportedNotes } from "./reported-notes.ts";
import { openPlot, withPlot } from "./plot.ts";
import { questionOf, refuseOption, type SimOptions, subjectOf, withWorkload } from "./sim-question.ts";
import { resultFacts } from "./sim-text.ts";
import { replayNotes, told } from "./workload.ts";

interface RunOptions extends SimOptions {
  readonly fleet: string;
}

const help = "`bailiwick sim --help` explains the options.";

export function addRun(sim: Command, context: CommandContext): Command {
  const command = withWorkload(
    sim
      .command("run", { isDefault: true })
      .description("of how many requests a fleet meets every deadline (the default)"),
  );
  for (const flags of ["--device <device>", "--attainment <share>", "--most <devices>"]) {
    const option = flags.replace(/ .*/, "");
    refuseOption(
      command,
      flags,
      `${option} is an option of \`sim capacity\`, which finds out how many devices it takes.`,
      `Leave it out, or ask \`bailiwick sim capacity ${option}\`.`,
    );
  }
  return withPlot(withRequired(command, "--fleet <fleet>", "the devices, such as 16xH100 or 4xH100+4xH20")).action(
    async (options: RunOptions, command: Command) => {
      const plot = await openPlot(options, context);
      const unused = await told(() => replayNotes(options, command), help);
      context.printer.remarks(unused);
      const { experiment, result } = await told(() => simulated(options, context), help);
      if (options.json === true) context.printer.json({ ...result, notes: [...result.notes, ...unused] });
      else context.printer.facts(resultFacts(result));
      if (plot === undefined) return;
      const { courseOf } = await import("../sim/index.ts");
      const { courseChart } = await import("../plot/index.ts");
      const subject = subjectOf(options, options.fleet, experiment, result);
      await plot.write(courseChart(courseOf(experiment, result), result.attainmentStrict, subject));
    },
  );
}

async function simulated(options: RunOptions, context: CommandContext) {
  const { parseFleet, runExperiment } = await import("../sim/index.ts");
  const fleet = parseFleet(options.fleet);
  const experiment = { ...(await questionOf(options, context)), fleet };
  const types = fleet.map(({ type }) => type);
  const notes = [...(await memoryNotes(experiment, "--fleet")), ...(await reportedNotes(types, experiment.shapes))];
  const result = runExperiment(experiment);
  return { experiment, result: { ...result, notes: [...result.notes, ...notes] } };
}
