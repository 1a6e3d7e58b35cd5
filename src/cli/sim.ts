import { type Command, Help } from "commander";
import { nearest } from "../base/index.ts";
import type { CommandContext } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import { addCapacity } from "./sim-capacity.ts";
import { addRun } from "./sim-run.ts";

export function addSimCommands(program: Command, context: CommandContext): void {
  const sim = program
    .command("sim")
    .description("the pool under virtual time: of how many requests a fleet meets every deadline");
  const run = addRun(sim, context);
  addCapacity(sim, context);
  // Without a command it runs: its help has the options of that, which nobody would look for under a name.
  sim.configureHelp({ ...sim.configureHelp(), visibleOptions: () => new Help().visibleOptions(run) });
  sim.hook("preSubcommand", ({ args: [first] }, command) => {
    if (command === run && first !== undefined && first !== run.name() && !first.startsWith("-")) refuse(first, sim);
  });
}

/** Before it is taken for a run, which would miss its options. */
function refuse(name: string, sim: Command): never {
  const meant = nearest(
    name,
    sim.commands.map((command) => command.name()),
  );
  throw new CommandFailure("invalid_usage", `There is no command "sim ${name}".`, {
    next: meant === undefined ? "`bailiwick sim --help` names them." : `Did you mean \`bailiwick sim ${meant}\`?`,
  });
}
