import type { Chance } from "./chance.ts";
import { isMembers, jsonLines, type Members } from "./json-lines.ts";
import { badRow, finiteNumber, type Place, wholeNumber } from "./place.ts";
import { drawValue, type TokenDistribution, tokenDistribution } from "./token-distribution.ts";

/** Something of a prompt: so many parts of so many tokens each. Absent `count`: one part. */
interface InputPart {
  readonly tokens: TokenDistribution;
  readonly count?: TokenDistribution;
}

/** How long a client's requests are, for 6 hours. */
export interface LengthWindow {
  /** Since the trace's beginning. */
  readonly startS: number;
  readonly input: readonly InputPart[];
  readonly output: TokenDistribution;
}

/** A client's, in order of time; at least one. */
export type ClientLengths = readonly LengthWindow[];

const media = ["image", "audio", "video"] as const;

/**
 * Reads the lengths of a ServeGen trace (alibaba/ServeGen, arXiv:2505.09999), by client: one JSON object a line, for a
 * client and 6 hours. Of the language and reason families `input_tokens` and `output_tokens` are read; of the multimodal
 * one `text_tokens` and images, audio and video, whose `..._tokens` are of each of `..._count` items (as in
 * `_sample_data_batch` of servegen/construct.py at commit f891d11). Throws a `WorkloadError` that names the line.
 */
export async function readLengths(path: string): Promise<ReadonlyMap<number, ClientLengths>> {
  const lengths = new Map<number, LengthWindow[]>();
  for await (const { members, ...place } of jsonLines(path)) {
    const id = wholeNumber(place, "client_id", finiteNumber(place, "client_id", members["client_id"]));
    const startS = wholeNumber(
      place,
      "window_start_s",
      finiteNumber(place, "window_start_s", members["window_start_s"]),
    );
    const { pdf } = members;
    if (!isMembers(pdf)) throw badRow(place, "pdf is missing, or not an object");
    const own = lengths.get(id) ?? [];
    lengths.set(id, own);
    if (own.some((window) => window.startS === startS)) {
      throw badRow(place, `client ${id} has its lengths from ${startS} s a second time`);
    }
    own.push({
      startS,
      input: inputOf(place, pdf),
      output: tokenDistribution(place, "output_tokens", pdf["output_tokens"]),
    });
  }
  for (const own of lengths.values()) own.sort((a, b) => a.startS - b.startS);
  return lengths;
}

function inputOf(place: Place, pdf: Members): readonly InputPart[] {
  if ("input_tokens" in pdf) return [{ tokens: tokenDistribution(place, "input_tokens", pdf["input_tokens"]) }];
  if (!("text_tokens" in pdf)) throw badRow(place, "pdf has neither input_tokens nor text_tokens");
  const parts: InputPart[] = [{ tokens: tokenDistribution(place, "text_tokens", pdf["text_tokens"]) }];
  for (const medium of media) {
    if (!(`${medium}_tokens` in pdf)) continue;
    const tokens = tokenDistribution(place, `${medium}_tokens`, pdf[`${medium}_tokens`]);
    const countName = `${medium}_count`;
    parts.push(countName in pdf ? { tokens, count: tokenDistribution(place, countName, pdf[countName]) } : { tokens });
  }
  return parts;
}

/** The window that holds `atS`, or the one that ended last before it, or the first. */
export function lengthsAt(lengths: ClientLengths, atS: number): LengthWindow {
  return lengths.findLast(({ startS }) => startS <= atS) ?? lengths[0]!;
}

/** Tokens of a prompt, one at least; each part is drawn independently. */
export function drawInputTokens({ input }: LengthWindow, chance: Chance): number {
  let sum = 0;
  for (const { tokens, count } of input) {
    const items = count === undefined ? 1 : drawValue(count, chance);
    for (let item = 0; item < items; item++) sum += drawValue(tokens, chance);
  }
  return Math.max(1, sum);
}

/** Tokens of an answer, one at least, those of its reasoning among them. */
export function drawOutputTokens({ output }: LengthWindow, chance: Chance): number {
  return Math.max(1, drawValue(output, chance));
}
