import type { Command } from "commander";
import type { CommandContext } from "./context.ts";
import { addCapacity } from "./sim-capacity.ts";
import { addRun } from "./sim-run.ts";

export function addSimCommands(program: Command, context: CommandContext): void {
  const sim = program.command("sim").description("the pool under virtual time");
  addRun(sim, context);
  addCapacity(sim, context);
}
