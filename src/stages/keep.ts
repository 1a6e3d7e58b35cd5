import type { Collecting } from "../contents/index.ts";
import type { Candidate } from "../policy/index.ts";
import type { Rest } from "../receipt/index.ts";
import type { Admitted } from "./admit.ts";
import type { Answering, Cloud } from "./cloud.ts";
import { dataClassesOf } from "./question.ts";

/** A request whose content is kept, as long as nothing comes between. */
export interface Keeping {
  readonly atMs: number;
  readonly untilMs: number;
  readonly answer: Collecting;
}

/** Until when content is kept, by the project and the settings, where policy lets it rest here; undefined: it is not. */
export function keptUntilMs({ call, holder, narrowing }: Admitted, cloud: Cloud): number | undefined {
  const { keepContentSeconds } = holder.project;
  if (keepContentSeconds === undefined) return undefined;
  const { mostSeconds } = cloud.contents.retention;
  const dataClasses = dataClassesOf(holder.project.dataClass, narrowing, cloud);
  const seconds = Math.min(keepContentSeconds, ...dataClasses.map((each) => mostSeconds[each]));
  if (seconds <= 0) return undefined;
  const { model } = call.body.fields;
  const asked = { action: "store" as const, project: holder.project, model };
  const question = narrowing === undefined ? asked : { ...asked, narrowing };
  const decision = cloud.inForce.policy.decide(question, [restingPlace(cloud)]);
  return decision.outcome === "permitted" ? call.receivedAtMs + seconds * 1_000 : undefined;
}

const places = new WeakMap<Cloud["site"], Candidate>();

/** Content rests where this gateway stands. */
function restingPlace({ site }: Cloud): Candidate {
  const known = places.get(site);
  if (known !== undefined) return known;
  const place = { kind: "site" as const, name: site.name, site };
  places.set(site, place);
  return place;
}

/** What the receipt says of where content rests: until then at the latest. */
export function restOf(keeping: Keeping | undefined, { site }: Cloud): readonly Rest[] {
  if (keeping === undefined) return [];
  return [{ site: site.name, jurisdiction: site.jurisdiction ?? null, untilMs: keeping.untilMs }];
}

/** Hands on what was asked and answered. It resolves once that is kept or given up, and never rejects. */
export function keep(keeping: Keeping, { call, holder }: Admitted, answer: Answering, cloud: Cloud): Promise<void> {
  const { bytes, isTooLong } = keeping.answer.collected();
  const request = call.body.bytes;
  return cloud.contents.keep(
    {
      request: call.id,
      organisation: holder.organisation.id,
      project: holder.project.id,
      atMs: keeping.atMs,
      untilMs: keeping.untilMs,
      dataClass: holder.project.dataClass,
      model: call.body.fields.model.slice(0, 200),
      endpoint: call.endpoint.name,
    },
    {
      request,
      response: bytes,
      complete: !answer.left,
      subject: call.subject,
      isTooLong: isTooLong || request.length > cloud.contents.recordBytesMax,
    },
  );
}
