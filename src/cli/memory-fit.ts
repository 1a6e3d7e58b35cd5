import type { DeviceType } from "../pool/index.ts";
import type { Experiment, MemoryNeed } from "../sim/index.ts";
import { CommandFailure } from "./failure.ts";

/**
 * Which requests no device of the fleet has the memory for, in words; fails where that is all of them, because nothing
 * could be simulated. `option` names the devices.
 */
export async function memoryNotes(
  experiment: Omit<Experiment, "policy" | "clock">,
  option: "--fleet" | "--device",
): Promise<readonly string[]> {
  const { memoryNeeds, roomBytes, typesWithRoom } = await import("../sim/index.ts");
  const largest = experiment.fleet.map(({ type }) => type).toSorted((a, b) => roomBytes(b) - roomBytes(a))[0]!;
  const room = { id: largest.id, bytes: roomBytes(largest) };
  const needs = memoryNeeds(experiment);
  const isWithout = ({ requests, homeless }: MemoryNeed): boolean => homeless === requests;
  if (needs.every(isWithout)) {
    throw new CommandFailure("invalid_usage", "No device of the fleet has the memory for any of the models.", {
      reasons: needs.map((need) => wholeText(need, room, typesWithRoom(need.leastBytes))),
      next: `Name devices with more memory with ${option}, or smaller models with --models.`,
    });
  }
  return needs
    .filter(({ homeless }) => homeless > 0)
    .map((need) => {
      if (!isWithout(need)) return partText(need, room);
      return `${wholeText(need, room, typesWithRoom(need.leastBytes))}; its ${need.requests} requests are missed`;
    });
}

/** What the largest device has for weights and KV. */
interface Room {
  readonly id: string;
  readonly bytes: number;
}

function wholeText(need: MemoryNeed, room: Room, holders: readonly DeviceType[]): string {
  const { shape, models, weightsBytes, leastBytes } = need;
  const more = models.length === 1 ? "" : ` and ${models.length - 1} more`;
  const withKv = weightsBytes > room.bytes ? "" : `, ${gibText(leastBytes)} with the KV of its shortest request`;
  const elsewhere = holders.length === 0 ? "no known device would" : `${holders.map(({ id }) => id).join(", ")} would`;
  return (
    `${shape} (${models[0]}${more}) fits no device of the fleet: its weights take ${gibText(weightsBytes)}${withKv}, ` +
    `and the largest, ${room.id}, has room for ${gibText(room.bytes)}; ${elsewhere} hold it`
  );
}

function partText({ shape, requests, homeless, weightsBytes }: MemoryNeed, room: Room): string {
  return (
    `${homeless} of ${requests} requests for ${shape} fit no device of the fleet, and are missed: beside its weights of ` +
    `${gibText(weightsBytes)} the largest, ${room.id}, has room for ${gibText(room.bytes - weightsBytes)} of KV`
  );
}

function gibText(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
