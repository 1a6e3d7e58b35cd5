import { admit, count, intend, passed, place, record, run, turnAway } from "./stages/index.ts";
import type { Answering, Call, Cloud } from "./stages/index.ts";

/**
 * The story of a request, whole. Each stage's outcome is handled here and nowhere else: a refusal before the intent
 * ends the story with nothing owed; behind the intent every ending is counted and recorded, the client's leaving and
 * the engine's death included. The last byte leaves after the record is on disk.
 */
export async function serve(call: Call, answer: Answering, cloud: Cloud): Promise<void> {
  const admitted = admit(call, cloud);
  if (admitted.outcome === "refused") return turnAway(admitted, call, answer, cloud);
  passed("admit", call, cloud.clock);

  const placed = place(admitted, cloud);
  if (placed.outcome === "refused") return turnAway(placed, call, answer, cloud, admitted);
  passed("place", call, cloud.clock);

  const intent = intend(placed, answer, cloud);
  if (intent.outcome === "refused") return turnAway(intent, call, answer, cloud, admitted);

  const { ran, placed: there, intended } = await run(placed, intent, answer, cloud);
  passed("run", call, cloud.clock);

  const counted = await count(there, ran, cloud);
  passed("count", call, cloud.clock);

  await record(there, intended, ran, counted, answer, cloud);
  passed("record", call, cloud.clock);
  answer.end(ran.last);
}
