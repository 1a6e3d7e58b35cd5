import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { DeviceCount } from "../sim/index.ts";
import { CommandFailure } from "./failure.ts";
import type { Surroundings } from "./surroundings.ts";

/** The options that say which devices tenants have to themselves. */
export interface ReservedOptions {
  readonly reserved?: string;
  readonly reservedTypes?: string;
  readonly reservedDevices?: string;
}

export function withReserved(command: Command): Command {
  return command
    .option("--reserved <file>", "devices that are reserved: what `reservation list --json` prints; -: standard input")
    .option("--reserved-types <types>", "what those devices are: H100 for all, or host_A=H100,host_B=L40S")
    .option("--reserved-devices <devices>", "devices that are reserved besides, by type: 2xH100+1xL40S");
}

export async function reservedDevices(
  { reserved, reservedTypes, reservedDevices: besides }: ReservedOptions,
  { currentFolder, stdin }: Pick<Surroundings, "currentFolder" | "stdin">,
): Promise<readonly DeviceCount[]> {
  if (reserved === undefined && reservedTypes !== undefined) {
    const next = "Give the reservations with --reserved, or what is reserved with --reserved-devices.";
    throw new CommandFailure("invalid_usage", "--reserved-types says what the devices of --reserved are.", { next });
  }
  const { readReservations } = await import("../plan/index.ts");
  const { parseFleet } = await import("../sim/index.ts");
  const counted = besides === undefined ? [] : parseFleet(besides);
  if (reserved === undefined) return counted;
  const name = reserved === "-" ? "standard input" : reserved;
  const text = await textOf(reserved === "-" ? stdin() : createReadStream(resolve(currentFolder, reserved)), name);
  return [...readReservations(text, name, reservedTypes), ...counted];
}

/** Far above any list of reservations. */
const bytesMax = 64 * 1024 * 1024;

async function textOf(stream: AsyncIterable<Uint8Array | string>, name: string): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream) {
    parts.push(Buffer.from(part));
    bytes += part.length;
    if (bytes <= bytesMax) continue;
    const next = "Give what `bailiwick reservation list --json` prints.";
    throw new CommandFailure("invalid_usage", `${name} is larger than ${bytesMax} bytes: no list of ours.`, { next });
  }
  return Buffer.concat(parts).toString("utf8");
}
