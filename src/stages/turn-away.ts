import type { Refusal } from "../base/index.ts";
import { noteBytesMax } from "../journal/index.ts";
import type { Admitted } from "./admit.ts";
import type { Answering, Call, Cloud } from "./cloud.ts";
import type { Unplaced } from "./place.ts";

/** The end of a story before its intent: the reservations go back, the refusal is noted, the client is told. */
export function turnAway(
  refusal: Refusal | Unplaced,
  call: Call,
  answer: Answering,
  cloud: Cloud,
  admitted?: Admitted,
): void {
  admitted?.reservation.release();
  admitted?.walletReservation.release();
  admitted?.rate.settle(0);
  cloud.meters.refused(refusal.code);
  cloud.journal.note("refusal", refusalBody(refusal, call));
  answer.refuse(refusal);
}

/**
 * What is kept of a refusal: who, what, why and where not, and of one by policy what was asked of it; nothing of what the
 * request says. A note is bounded, and reasons give way to the rest.
 */
function refusalBody(refusal: Refusal | Unplaced, call: Call): string {
  const { holder, endpoint, body } = call;
  const facts = {
    v: 1,
    request: call.id,
    atMs: call.receivedAtMs,
    code: refusal.code,
    organisation: holder.organisation.id,
    project: holder.project.id,
    key: holder.key.id,
    endpoint: endpoint.name,
    model: body.fields.model,
    dataClass: holder.project.dataClass,
    processing: holder.project.processing,
    ...("placement" in refusal ? { decision: refusal.policyDigest, placement: refusal.placement } : {}),
  };
  if (refusal.reasons === undefined) return JSON.stringify(facts);
  const left = noteBytesMax - Buffer.byteLength(JSON.stringify(facts)) - marginBytes;
  return JSON.stringify({ ...facts, reasons: fitting(refusal.reasons.slice(0, 16), left) });
}

/** For the member's name, and for the line's own columns. */
const marginBytes = 64;

function fitting(reasons: readonly string[], bytes: number): readonly string[] {
  const fits: string[] = [];
  let left = bytes;
  for (const reason of reasons) {
    left -= Buffer.byteLength(JSON.stringify(reason)) + 1;
    if (left < 0) break;
    fits.push(reason);
  }
  return fits;
}
