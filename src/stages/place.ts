import { nearest, refuse, type Refusal } from "../base/index.ts";
import type { Destination, Offer } from "../engine/index.ts";
import type { Decision } from "../policy/index.ts";
import { beginningsOf, defaultTuning, isWorthIt, type Outlook, quickest } from "../pool/index.ts";
import type { Admitted } from "./admit.ts";
import type { Cloud } from "./cloud.ts";
import type { Placement } from "./placement.ts";
import { questionOf } from "./question.ts";

/** Where the request runs, and why there. */
export interface Placed {
  readonly outcome: "placed";
  readonly admitted: Admitted;
  readonly destination: Destination;
  readonly offer: Offer;
  readonly decision: Decision<Destination>;
  readonly placement: Placement | null;
}

/** Policy lets it be nowhere; with what a replay needs. */
export interface Unplaced extends Refusal {
  readonly policyDigest: string;
  readonly placement: Placement | null;
}

/**
 * Where the request may run (policy), and where of these its first token comes first (pool), or a little later where its
 * prompt's beginning is known. What policy forbids is never tried, also where nothing else is ready. `lost`: where it has
 * just been, and cannot be.
 */
export function place(admitted: Admitted, cloud: Cloud, lost?: Destination): Placed | Unplaced | Refusal {
  const { call, narrowing } = admitted;
  const { model } = call.body.fields;
  const candidates = cloud.destinations.offering(model);
  if (candidates.length === 0) return unknownModel(model, cloud);
  const { name: endpoint } = call.endpoint;
  const question = questionOf(call, narrowing, cloud);
  const decision = cloud.inForce.policy.decide(question, candidates);
  const placement = cloud.placements.of(decision.policyDigest, question, candidates);
  if (decision.outcome === "refused") return { ...decision, placement };
  const able = decision.permitted.filter((destination) => destination.offer(model)?.endpoints.has(endpoint));
  if (able.length === 0) {
    const has = [...new Set(decision.permitted.flatMap((each) => [...(each.offer(model)?.endpoints ?? [])]))];
    const instead = has.length === 0 ? "" : ` It has ${has.join(", ")}.`;
    return refuse("endpoint_not_supported", `"${model}" has no ${call.endpoint.path} here.${instead}`);
  }
  const open = able.filter(({ declines }) => declines === undefined);
  if (open.length === 0) return able[0]!.declines!;
  const ready = open.filter((each) => each.ready && each !== lost);
  const unreserved = ready.filter((each) => isOpenTo(each, admitted, cloud));
  // What is left only where all are somebody else's refuses it itself, and says why.
  const destination = choose(unreserved.length > 0 ? unreserved : ready, admitted, cloud);
  const offer = destination?.offer(model);
  if (destination === undefined || offer === undefined) {
    return refuse("engine_unavailable", `Nothing that runs "${model}" is ready.`, { retryAfterSeconds: 2 });
  }
  return { outcome: "placed", admitted, destination, offer, decision, placement };
}

/** A beginning that was computed already is worth as much of the time to the first token as company is in a host's pool. */
function choose(
  destinations: readonly Destination[],
  { call, holder, tier }: Admitted,
  { prefixes, serviceLevels }: Cloud,
): Destination | undefined {
  const { model } = call.body.fields;
  const outlook = (each: Destination): Outlook => outlookOf(each, model);
  const best = quickest(destinations, outlook);
  // Where there is no choice nothing has to be known.
  if (best === undefined || destinations.length === 1) return best;
  const beginnings = beginningsOf(call.body.bytes);
  const knowing = prefixes.knowing(holder.project.id, model, beginnings);
  const familiar = quickest(
    destinations.filter(({ name }) => knowing.includes(name)),
    outlook,
  );
  const mayWaitMs = defaultTuning.promptWaitShare * serviceLevels[tier].ttftMs;
  const isFamiliar = familiar !== undefined && isWorthIt(outlook(familiar), outlook(best), mayWaitMs);
  const chosen = isFamiliar ? familiar : best;
  prefixes.sent(holder.project.id, model, beginnings, chosen.name);
  return chosen;
}

/** What somebody else has reserved takes only what gives way there. */
function isOpenTo({ name }: Destination, { holder, tier }: Admitted, { reservedFor, serviceLevels }: Cloud): boolean {
  const owner = reservedFor(name);
  return owner === undefined || owner === holder.project.id || serviceLevels[tier].isPreemptible;
}

/** What the destination last told of its pool; one that tells nothing is known by what runs there. */
function outlookOf({ pool, running }: Destination, model: string): Outlook {
  const told = pool?.pool.models.find(({ name }) => name === model);
  return { firstTokenMs: told?.firstTokenMs, running };
}

function unknownModel(model: string, { destinations, catalogued }: Cloud): Refusal {
  if (destinations.all.some(({ faults }) => faults.some((fault) => fault.model === model))) {
    return refuse("model_out_of_service", `"${model}" is to be served here, and its file cannot be used.`);
  }
  if (catalogued.has(model)) {
    const message = `"${model}" is in the catalogue but not served; the operator serves it with --model ${model}.`;
    return refuse("model_not_found", message, { param: "model" });
  }
  const meant = nearest(model, destinations.models());
  const hint = meant === undefined ? "" : ` Did you mean "${meant}"?`;
  return refuse("model_not_found", `There is no model "${model.slice(0, 200)}".${hint}`, { param: "model" });
}
