import { checkAccelerators } from "./accelerators.ts";
import { checkDataFolder, checkMemory, checkProcessor, checkUser } from "./hardware.ts";
import { checkInternal } from "./internal.ts";
import { checkProgram } from "./program.ts";
import type { DoctorReport } from "./report.ts";
import { checkEngine, checkNode, checkPostgres, checkPython, checkSources } from "./software.ts";
import type { DoctorWorld } from "./world.ts";

/** Looks at the machine, everything side by side, and changes nothing. Every answer is waited for at most 20 s. */
export async function inspectMachine(world: DoctorWorld): Promise<DoctorReport> {
  const [devices, processor, dataFolder, python, postgres, sources, internal] = await Promise.all([
    checkAccelerators(world),
    checkProcessor(world),
    checkDataFolder(world),
    checkPython(world),
    checkPostgres(world),
    checkSources(world),
    checkInternal(world.internal),
  ]);
  const accelerators = devices.flatMap((device) => device.accelerators);
  return {
    accelerators,
    findings: [
      checkNode(world),
      processor,
      checkMemory(world),
      ...devices.map((device) => device.finding),
      await (world.program === undefined ? checkEngine(world, accelerators) : checkProgram(world.program, world)),
      postgres,
      dataFolder,
      checkUser(world),
      ...python,
      ...sources,
      ...internal,
    ],
  };
}
