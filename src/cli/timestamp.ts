import { resolve } from "node:path";
import type { Command } from "commander";
import type { Surroundings } from "./surroundings.ts";
import { readBounded } from "./read-file.ts";

export interface TimestampOptions {
  readonly timestamp?: string;
  readonly tsaCertificate?: string;
}

const replyBytesMax = 1 << 16;
const certificatesBytesMax = 1 << 20;

/** `what`: the checkpoint that the reply is over. */
export function withTimestamp(command: Command, what: string): Command {
  return command
    .option("--timestamp <file>", `a time-stamping authority's reply over ${what}: check that it dates it`)
    .option(
      "--tsa-certificate <file>",
      "the authority's certificate, or its issuer's, as PEM, which --timestamp needs",
    );
}

export type DatedCheckpoint =
  | { readonly outcome: "dated"; readonly atMs: number; readonly by: string }
  | { readonly outcome: "invalid" | "unchecked"; readonly reason: string };

/** What the reply says of the checkpoint; undefined where none is given. Files that cannot be read are thrown. */
export async function datedBy(
  { timestamp, tsaCertificate }: TimestampOptions,
  checkpoint: Buffer | undefined,
  { currentFolder }: Pick<Surroundings, "currentFolder">,
): Promise<DatedCheckpoint | undefined> {
  if (timestamp === undefined) return undefined;
  if (tsaCertificate === undefined)
    return unchecked("a timestamp takes the authority's certificate (--tsa-certificate)");
  if (checkpoint === undefined)
    return unchecked("a timestamp dates a checkpoint, which has to be given (--checkpoint)");
  const reply = readBounded(resolve(currentFolder, timestamp), replyBytesMax);
  const certificates = readBounded(resolve(currentFolder, tsaCertificate), certificatesBytesMax);
  const { verifyTimestamp } = await import("../timestamp/index.ts");
  const dated = await verifyTimestamp(reply, checkpoint, certificates);
  return dated.outcome === "dated" ? dated : { ...dated, reason: `the timestamp does not count: ${dated.reason}` };
}

function unchecked(reason: string): DatedCheckpoint {
  return { outcome: "unchecked", reason };
}

type Dated = Extract<DatedCheckpoint, { outcome: "dated" }>;

export function datedJson(dated: Dated | undefined): object {
  return dated === undefined ? {} : { dated: { at: new Date(dated.atMs).toISOString(), by: dated.by } };
}

/** `what`: which was so at that moment, by the authority's word. */
export function datedFacts(dated: Dated | undefined, what: string): readonly (readonly [string, string])[] {
  return dated === undefined ? [] : [["dated", `${what} by ${new Date(dated.atMs).toISOString()}, says ${dated.by}`]];
}
