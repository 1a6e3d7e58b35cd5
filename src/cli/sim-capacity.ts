import type { Command } from "commander";
import type { Capacity } from "../sim/index.ts";
import { type CommandContext, withRequired } from "./context.ts";
import { memoryNotes } from "./memory-fit.ts";
import { share, whole } from "./numbers.ts";
import { reportedNotes } from "./reported-notes.ts";
import { openPlot, withPlot } from "./plot.ts";
import { questionOf, refuseOption, type SimOptions, subjectOf, withWorkload } from "./sim-question.ts";
import { capacityFacts } from "./sim-text.ts";
import { replayNotes, told } from "./workload.ts";

interface CapacityOptions extends SimOptions {
  readonly device: string;
  readonly attainment: number;
  readonly most: number;
}

const help = "`bailiwick sim capacity --help` explains the options.";

export function addCapacity(sim: Command, context: CommandContext): void {
  const command = withWorkload(
    sim.command("capacity").description("the fewest devices with which every seed meets its share of deadlines"),
  );
  refuseOption(
    command,
    "--fleet <fleet>",
    "`sim capacity` finds out how many devices it takes: it is given their kind (--device), and no fleet.",
    "Leave --fleet out; `bailiwick sim --fleet` says how a fleet fares.",
  );
  withPlot(withRequired(command, "--device <device>", "the kind of device, such as H100"))
    .option("--attainment <share>", "share of requests, each of whose tokens is in time", share, 0.99)
    .option("--most <devices>", "more devices are not tried", whole(1, 10_000), 512)
    .action(async (options: CapacityOptions, command: Command) => {
      const plot = await openPlot(options, context);
      const unused = await told(() => replayNotes(options, command), help);
      context.printer.remarks(unused);
      const { question, found } = await told(() => searched(options, context), help);
      // That it is not reached is a negative result, and told in full.
      if (found.outcome === "unreached") context.end(1);
      if (options.json === true) context.printer.json(jsonOf(found, unused));
      else context.printer.facts(capacityFacts(found, question));
      if (plot === undefined) return;
      const { capacityChart } = await import("../plot/index.ts");
      const subject = subjectOf(options, question.device.name, question, { policy: options.policy });
      const accelerators = found.outcome === "reached" ? found.accelerators : undefined;
      await plot.write(capacityChart({ ...found, accelerators, attainment: question.attainment }, subject));
    });
}

async function searched(options: CapacityOptions, context: CommandContext) {
  const { deviceTypeOf, findCapacity } = await import("../sim/index.ts");
  const device = deviceTypeOf(options.device);
  const asked = await questionOf(options, context);
  const question = { ...asked, device, attainment: options.attainment, devicesMax: options.most };
  const notes = [
    ...(await memoryNotes({ ...asked, fleet: [{ type: device, count: 1 }] }, "--device")),
    ...(await reportedNotes([device], asked.shapes)),
  ];
  const found = findCapacity(question);
  const result = { ...found.result, notes: [...found.result.notes, ...notes] };
  return { question, found: { ...found, result } };
}

/** The same fields for either outcome, so that who reads one needs to look for none. */
function jsonOf(found: Capacity, unused: readonly string[]): object {
  const { outcome, bound } = found;
  const result = { ...found.result, notes: [...found.result.notes, ...unused] };
  if (outcome === "unreached") return { outcome, accelerators: null, most: found.most, bound, ratio: null, ...result };
  return { outcome, accelerators: found.accelerators, bound, ratio: found.ratio, ...result };
}
