import type { DeviceType, ModelShape } from "../pool/index.ts";

/**
 * Which of the devices are reckoned from what others report of them, in words: nothing of those that a data sheet
 * describes, or on which all these models were measured.
 */
export async function reportedNotes(
  types: readonly DeviceType[],
  shapes: readonly ModelShape[],
): Promise<readonly string[]> {
  const { speedOf } = await import("../pool/index.ts");
  return [...new Set(types)]
    .filter((type) => shapes.some((shape) => speedOf(shape, type).basis === "roofline"))
    .flatMap((type) => noteOf(type) ?? []);
}

function noteOf({ name, maker, bandwidthTBps, bf16Tflops, reported, sources }: DeviceType): string | undefined {
  const used = `${bandwidthTBps} TB/s and ${bf16Tflops} Tflop/s`;
  if (reported !== undefined) {
    const { bandwidthTBps: bandwidth, bf16Tflops: rate } = reported;
    return (
      `${name}: ${maker} publishes no bandwidth that we know of; reported are ${bandwidth.least} to ${bandwidth.most} TB/s ` +
      `and ${rate.least} to ${rate.most} Tflop/s, reckoned with are ${used}: its times may be off by more than two`
    );
  }
  // Of what is described by the maker itself nothing needs to be said.
  if (!sources.every((source) => source.name.endsWith("as reported"))) return undefined;
  return `${name}: we know of no data sheet of ${maker}'s; reckoned with are ${used}, as others report them`;
}
